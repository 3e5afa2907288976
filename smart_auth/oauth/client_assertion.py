"""Client authentication by a signed JWT (private_key_jwt), each used once.

SMART App Launch 2.2, Client Authentication: Asymmetric; RFC 7523 section 3; OpenID Connect Core section 9.
"""

from collections.abc import Callable
from typing import Any, NoReturn

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jws import JWSRegistry

from smart_auth.errors import OAuthError
from smart_auth.model import Client, ClientKind
from smart_auth.oauth import compact
from smart_auth.oauth.client_keys import ALGORITHMS, ClientKeys
from smart_auth.ports import Records

TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
LONGEST = 8192  # characters
LIFETIME = 300  # seconds ahead that exp may be
SKEW = 10  # seconds that a client's clock may be ahead of ours
_LONGEST_NAME = 255


class _Registry(JWSRegistry):
    """A header with a jku is longer than joserfc's bound; ours is in ``compact``."""

    max_header_length = compact.LONGEST_HEADER


class ClientAssertions:
    """Checks assertions. ``audiences`` are the token endpoint's URL and the issuer."""

    def __init__(self, records: Records, keys: ClientKeys, audiences: frozenset[str], now: Callable[[], int]) -> None:
        self._records, self._keys, self._audiences, self._now = records, keys, audiences, now

    def client(self, assertion: str) -> Client:
        """The client that signed ``assertion``. Raises OAuthError invalid_client; its description names the rule for
        the log and is never answered."""
        try:
            header = compact.header(assertion, LONGEST)
            client = self._claimed(compact.unverified(assertion))
            claims = self._signed(client, header, assertion)
        except (compact.NotAToken, JoseError, ValueError) as error:
            _refuse(str(error))
        self._check_times(claims)
        self._check_once(client, claims)
        return client

    def _claimed(self, claims: dict[str, Any]) -> Client:
        """The client that the assertion is about; iss, sub and aud are the first cheap checks."""
        issuer, audience = claims.get("iss"), claims.get("aud")
        if not isinstance(issuer, str) or issuer != claims.get("sub"):
            _refuse("iss and sub are the client_id")
        if isinstance(audience, list) and len(audience) == 1:
            audience = audience[0]
        if not isinstance(audience, str) or audience not in self._audiences:
            _refuse("aud is the URL of the token endpoint")
        client = self._records.client(issuer)
        if client is None or client.disabled or client.kind is not ClientKind.ASYMMETRIC:
            _refuse("unknown client")
        return client

    def _signed(self, client: Client, header: dict[str, Any], assertion: str) -> dict[str, Any]:
        kid, alg, jku = header.get("kid"), header.get("alg"), header.get("jku")
        if alg not in ALGORITHMS or str(header.get("typ", "JWT")).upper() != "JWT":
            _refuse("alg is RS384 or ES384, typ is JWT")
        if not isinstance(kid, str) or len(kid) > _LONGEST_NAME:
            _refuse("kid is missing")
        if jku is not None and (not client.jwks_uri or jku != client.jwks_uri):
            _refuse("jku is not the registered URL")
        key = self._keys.key(client, kid, alg)
        if key is None:
            _refuse("no such key")
        registry = _Registry(algorithms=[alg], strict_check_header=False)
        return jwt.decode(assertion, key, algorithms=[alg], registry=registry).claims

    def _check_times(self, claims: dict[str, Any]) -> None:
        now, expires = self._now(), _seconds(claims, "exp")
        if expires is None or not now < expires <= now + LIFETIME + SKEW:
            _refuse("exp is at most five minutes ahead")
        issued = _seconds(claims, "iat", expires - LIFETIME)
        if issued is None or issued > now + SKEW or expires - issued > LIFETIME + SKEW:
            _refuse("iat is in the future or long ago")
        begins = _seconds(claims, "nbf", now)
        if begins is None or begins > now + SKEW:
            _refuse("nbf is in the future")

    def _check_once(self, client: Client, claims: dict[str, Any]) -> None:
        """Last, so that only what the client signed takes room."""
        jti = claims.get("jti")
        if not isinstance(jti, str) or not 0 < len(jti) <= _LONGEST_NAME:
            _refuse("jti is missing")
        if not self._records.use_jti(client.id, jti, int(claims["exp"]) + SKEW):
            _refuse("jti was used before")


def _seconds(claims: dict[str, Any], name: str, default: int | None = None) -> int | None:
    """A NumericDate in whole seconds; None for what is no number (a boolean is none)."""
    value = claims.get(name, default)
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) < 1e12:
        return None
    return int(value)


def _refuse(rule: str) -> NoReturn:
    raise OAuthError("invalid_client", rule, 401)
