"""Who must log in with two factors: a code or a passkey beside, or instead of, the password.

NIST SP 800-63B (AAL2), OWASP ASVS 5.0 V6.3.3, HIPAA 164.312(d). A factor that is required and not there yet is set up
at the first log-in, before anything else.
"""

from collections.abc import Sequence
from enum import StrEnum
from ipaddress import ip_address
from urllib.parse import urlsplit

from smart_auth.model import Person


class Required(StrEnum):
    """Of whom two factors are required.

    ADMINISTRATORS is what a service asks for that says nothing else: who can make accounts and hand out access is what
    attackers want most, and they are few. STAFF adds everybody who sees the whole record; a hospital sets it once its
    people have a phone or passkey at work. Patients choose for themselves.
    """

    NOBODY = "nobody"
    ADMINISTRATORS = "administrators"
    STAFF = "staff"

    def applies(self, person: Person) -> bool:
        """Whether it is required of this person."""
        if self is Required.NOBODY:
            return False
        return person.administrator or (self is Required.STAFF and person.staff)

    def owed(self, person: Person, amr: Sequence[str]) -> bool:
        """Whether it is required of this person and a log-in by ``amr`` (RFC 8176 words) was without."""
        return "mfa" not in amr and self.applies(person)


def usual(issuer: str) -> Required:
    """What is required when nobody says: of administrators, but not on a developer's own machine."""
    host = urlsplit(issuer).hostname or ""
    return Required.NOBODY if _loopback(host) else Required.ADMINISTRATORS


def _loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
