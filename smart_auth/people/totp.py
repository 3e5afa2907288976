"""Second factor by time-based one-time codes, with recovery codes for a lost phone.

RFC 6238 (TOTP: SHA-1, six digits, 30 seconds, as every authenticator app has it); OWASP ASVS 5.0 V6.5. The seed is
sealed; a time step is used once; recovery codes are kept hashed, as one-time links of their own purpose.
"""

import base64
import hmac
import secrets
from collections.abc import Callable

import msgspec
import pyotp

from smart_auth.model import Person
from smart_auth.people.secret import digest
from smart_auth.ports import Records, Sealer

PURPOSE = "totp"
STEP = 30
# Codes of the step before and after count too: clocks of phones differ.
SLACK = (0, -1, 1)
RECOVERY_CODES = 8
RECOVERY_LIFETIME = 10 * 365 * 24 * 3600


class Enrolled(msgspec.Struct, frozen=True):
    """What is sealed in ``Person.totp``: the seed (base32) and the name of the set of recovery codes that count."""

    seed: str
    recovery: str


class Totp:
    """Proposes seeds, confirms them and checks codes."""

    def __init__(self, records: Records, sealer: Sealer, now: Callable[[], int], issuer: str) -> None:
        self._records, self._sealer, self._now, self._issuer = records, sealer, now, issuer

    def propose(self) -> str:
        """A new seed, 160 random bits in base32."""
        return pyotp.random_base32()

    def uri(self, seed: str, login: str) -> str:
        """The otpauth URI that authenticator apps read from a picture."""
        return pyotp.TOTP(seed).provisioning_uri(name=login, issuer_name=self._issuer)

    def enrol(self, person: Person, seed: str, code: str) -> tuple[bytes, list[str]] | None:
        """(sealed seed for ``Person.totp``, recovery codes to show once); None when the code does not fit the seed."""
        if not self._use(person.id, seed, code):
            return None
        enrolled = Enrolled(seed, secrets.token_hex(8))
        codes = [_recovery_code() for _ in range(RECOVERY_CODES)]
        for recovery in codes:
            self._keep(person.id, enrolled, recovery)
        return self._sealer.seal(PURPOSE, msgspec.json.encode(enrolled)), codes

    def check(self, person: Person, code: str) -> bool:
        """Whether it is a current code of the person, or a recovery code; either is used up by this."""
        enrolled = msgspec.json.decode(self._sealer.open(PURPOSE, person.totp), type=Enrolled)
        text = "".join(code.split()).replace("-", "").upper()
        if len(text) == 6 and text.isascii() and text.isdigit():
            return self._use(person.id, enrolled.seed, text)
        purpose = _purpose(enrolled)
        return self._records.use_link(digest(text), purpose, self._now()) == person.id

    def _use(self, person: str, seed: str, code: str) -> bool:
        totp, step = pyotp.TOTP(seed), self._now() // STEP
        text = "".join(code.split()).encode()
        fitting = [
            step + slack for slack in SLACK if hmac.compare_digest(totp.at((step + slack) * STEP).encode(), text)
        ]
        return bool(fitting) and self._records.use_totp_step(person, fitting[0])

    def _keep(self, person: str, enrolled: Enrolled, recovery: str) -> None:
        text = recovery.replace("-", "")
        self._records.put_link(digest(text), person, _purpose(enrolled), self._now() + RECOVERY_LIFETIME)


def _purpose(enrolled: Enrolled) -> str:
    """Recovery codes of an earlier enrolment have another purpose and so open nothing."""
    return f"recovery:{enrolled.recovery}"


def _recovery_code() -> str:
    """120 random bits: enough that a fast hash keeps them safe (ASVS 6.5.2 asks for 112)."""
    text = base64.b32encode(secrets.token_bytes(15)).decode()
    return "-".join(text[at : at + 6] for at in range(0, len(text), 6))
