"""The authorization server as one object: what the host hands in, and the parts that are made of it.

docs/security.md tells which part decides what.
"""

from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass, field
from functools import cached_property
from urllib.parse import urlsplit

from msgspec.structs import replace

from smart_auth.lifetimes import Lifetimes
from smart_auth.model import Told
from smart_auth.oauth.authorize import Authorizations
from smart_auth.oauth.keys import Keys
from smart_auth.ports import Chart, Note, Records, Sealer

ADDRESS: ContextVar[str] = ContextVar("address", default="")
"""The network address of who asks, for the audit trail; set at the edge."""


def issuer_of(base: str) -> str:
    """The issuer: the FHIR base without its last path segment (http://127.0.0.1:8080/fhir: http://127.0.0.1:8080)."""
    return base.rsplit("/", 1)[0]


@dataclass(kw_only=True)
class AuthService:
    """``base`` is the FHIR base without a slash at its end, ``now`` whole seconds since 1970; ``revoked`` tells of a
    (jti, family) from memory. ``loopback_http`` lets clients of a developer keep their keys at http://127.0.0.1."""

    base: str
    records: Records
    chart: Chart
    sealer: Sealer
    note: Note
    now: Callable[[], int]
    keys: Keys
    revoked: Callable[[str, str], bool]
    lifetimes: Lifetimes = field(default_factory=Lifetimes)
    loopback_http: bool = False

    @cached_property
    def issuer(self) -> str:
        return issuer_of(self.base)

    @property
    def secure(self) -> bool:
        """Whether browsers come by https: cookies are then Secure."""
        return urlsplit(self.base).scheme == "https"

    def tell(self, told: Told) -> None:
        """Into the audit trail, with the address of who asks."""
        self.note(told if told.address else replace(told, address=ADDRESS.get()))

    def url(self, path: str) -> str:
        """The absolute URL of a path below the issuer (``/auth/token``)."""
        return self.issuer + path

    @cached_property
    def authorizations(self) -> Authorizations:
        return Authorizations(
            base=self.base,
            issuer=self.issuer,
            records=self.records,
            chart=self.chart,
            note=self.tell,
            now=self.now,
            lifetimes=self.lifetimes,
        )
