"""The authorization server as one object: what the host hands in, and the parts that are made of it.

docs/security.md tells which part decides what.
"""

from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass, field
from functools import cached_property, partial
from typing import NamedTuple
from urllib.parse import urlsplit

from msgspec.structs import replace

from smart_auth.jwks_fetch import jwks_fetch
from smart_auth.lifetimes import Lifetimes
from smart_auth.model import Person, Told
from smart_auth.oauth.access_token import Mint
from smart_auth.oauth.authorize import Authorizations
from smart_auth.oauth.break_glass import BreakGlass
from smart_auth.oauth.client_assertion import ClientAssertions
from smart_auth.oauth.client_authentication import ClientAuthentication
from smart_auth.oauth.client_keys import ClientKeys
from smart_auth.oauth.families import Families
from smart_auth.oauth.introspection import Introspection
from smart_auth.oauth.issue import Issue
from smart_auth.oauth.keys import Keys
from smart_auth.oauth.launch import Launches
from smart_auth.oauth.revocation import RevocationEndpoint
from smart_auth.oauth.token_endpoint import TokenEndpoint
from smart_auth.oauth.userinfo import Userinfo
from smart_auth.oauth.verifier import Verifier
from smart_auth.people.clearances import Clearances
from smart_auth.people.lockout import Lockout
from smart_auth.people.second_factor import Required, usual
from smart_auth.ports import Chart, Note, Records, Sealer

ADDRESS: ContextVar[str] = ContextVar("address", default="")
"""The network address of who asks, for the audit trail; set at the edge."""


def issuer_of(base: str) -> str:
    """The issuer: the FHIR base without its last path segment (http://127.0.0.1:8080/fhir: http://127.0.0.1:8080)."""
    return base.rsplit("/", 1)[0]


class HostPage(NamedTuple):
    """A page that the host serves beside ours: ``name`` after a log-in, ``path`` below the issuer's, ``text`` in the
    menu of those for whom it is."""

    name: str
    path: str
    text: str
    is_for: Callable[[Person], bool]


@dataclass(kw_only=True)
class AuthService:
    """``base`` is the FHIR base without a slash at its end, ``now`` whole seconds since 1970; ``revoked`` tells of a
    (jti, family) from memory. ``loopback_http`` lets clients of a developer keep their keys at http://127.0.0.1.
    ``second_factor`` says of whom two factors are required; None is what people.second_factor.usual says."""

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
    second_factor: Required | None = None
    host_pages: tuple[HostPage, ...] = ()

    @property
    def required_factor(self) -> Required:
        return self.second_factor or usual(self.issuer)

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
            second_factor=self.required_factor,
        )

    @cached_property
    def verifier(self) -> Verifier:
        return Verifier(base=self.base, issuer=self.issuer, keys=self.keys, revoked=self.revoked, now=self.now)

    @cached_property
    def issue(self) -> Issue:
        mint = Mint(base=self.base, issuer=self.issuer, keys=self.keys)
        return Issue(base=self.base, mint=mint, records=self.records, now=self.now, lifetimes=self.lifetimes)

    @cached_property
    def families(self) -> Families:
        return Families(self.records, self.tell, self.now, self.lifetimes)

    @cached_property
    def clearances(self) -> Clearances:
        return Clearances(self.records, self.tell, self.now, self.families.keep)

    @cached_property
    def client_authentication(self) -> ClientAuthentication:
        keys = ClientKeys(partial(jwks_fetch, loopback_http=self.loopback_http), self.now)
        audiences = frozenset({self.url("/auth/token"), self.issuer})
        assertions = ClientAssertions(self.records, keys, audiences, self.now)
        return ClientAuthentication(self.records, assertions, Lockout(self.records, self.now))

    @cached_property
    def token_endpoint(self) -> TokenEndpoint:
        return TokenEndpoint(
            records=self.records,
            authentication=self.client_authentication,
            families=self.families,
            issue=self.issue,
            note=self.tell,
            now=self.now,
        )

    @cached_property
    def introspection(self) -> Introspection:
        return Introspection(
            base=self.base,
            issuer=self.issuer,
            records=self.records,
            families=self.families,
            authentication=self.client_authentication,
            verifier=self.verifier,
            note=self.tell,
        )

    @cached_property
    def revocation(self) -> RevocationEndpoint:
        return RevocationEndpoint(
            records=self.records,
            authentication=self.client_authentication,
            verifier=self.verifier,
            families=self.families,
            note=self.tell,
            now=self.now,
        )

    @cached_property
    def userinfo(self) -> Userinfo:
        return Userinfo(base=self.base, records=self.records, verifier=self.verifier)

    @cached_property
    def launches(self) -> Launches:
        return Launches(
            base=self.base,
            records=self.records,
            chart=self.chart,
            authentication=self.client_authentication,
            verifier=self.verifier,
            note=self.tell,
            now=self.now,
            lifetimes=self.lifetimes,
            style_url=self.url("/auth/style"),
        )

    @cached_property
    def break_glass(self) -> BreakGlass:
        return BreakGlass(
            records=self.records,
            chart=self.chart,
            verifier=self.verifier,
            issue=self.issue,
            note=self.tell,
            now=self.now,
            lifetimes=self.lifetimes,
        )
