"""Who a bearer token speaks for: signature, issuer, audience, time and revocation, without a database.

RFC 9068 section 4, RFC 6750; SMART App Launch 2.2 section 2.0.12. A verified token is remembered by its SHA-256.
"""

from collections.abc import Callable
from hashlib import sha256
from typing import NamedTuple

import msgspec
from joserfc import jwt
from joserfc.errors import JoseError

from smart_auth.errors import OAuthError
from smart_auth.model import Claims
from smart_auth.oauth import compact
from smart_auth.oauth.access_token import ALGORITHM, TYPE, Payload
from smart_auth.oauth.keys import Keys

LONGEST = 12_288  # characters
_REMEMBERED = 10_000
_SKEW = 60  # seconds that another node's clock may be ahead


class _Verified(NamedTuple):
    """A token whose signature was checked, and the key that made it."""

    claims: Claims
    kid: str


class Verifier:
    """Turns bearer tokens into Claims. ``revoked`` tells of a (jti, family) from memory.

    Remembered tokens live in two generations: when the young one is full it becomes the old one, whose tokens come
    back when they are used. That forgets what is not used, and needs no lock.
    """

    def __init__(
        self,
        *,
        base: str,
        issuer: str,
        keys: Keys,
        revoked: Callable[[str, str], bool],
        now: Callable[[], int],
        remembered: int = _REMEMBERED,
    ) -> None:
        self._base, self._issuer, self._keys, self._revoked, self._now = base, issuer, keys, revoked, now
        self._remembered = remembered
        self._young: dict[bytes, _Verified] = {}
        self._old: dict[bytes, _Verified] = {}

    def claims(self, token: str) -> Claims:
        """What ``token`` says. Raises OAuthError invalid_token (401) for whatever is not a live token of ours."""
        digest = sha256(token.encode("utf-8", "surrogatepass")).digest()
        known = self._young.get(digest) or self._remember(digest, self._old.get(digest) or self._verified(token))
        claims = known.claims
        if self._keys.public(known.kid) is None:  # withdrawn since
            raise _refused("The access token is not valid here.")
        if claims.expires <= self._now():
            raise _refused("The access token has expired.")
        if self._revoked(claims.jti, claims.family):
            raise _refused("The access token was revoked.")
        return claims

    def _remember(self, digest: bytes, known: _Verified) -> _Verified:
        if len(self._young) >= self._remembered:
            self._old, self._young = self._young, {}
        self._young[digest] = known
        return known

    def _verified(self, token: str) -> _Verified:
        try:
            header = compact.header(token, LONGEST)
            kid = str(header.get("kid", ""))
            key = self._keys.public(kid)
            if key is None or header.get("alg") != ALGORITHM or header.get("typ") != TYPE:
                raise compact.NotAToken("not an access token of ours")
            body = jwt.decode(token, key, algorithms=[ALGORITHM]).claims
            said = msgspec.convert(body, Payload)
        except (compact.NotAToken, JoseError, msgspec.ValidationError, ValueError):
            raise _refused("The access token is not valid here.") from None
        return _Verified(self._checked(said).claims(), kid)

    def _checked(self, said: Payload) -> Payload:
        if said.iss != self._issuer or said.aud != self._base or said.iat > self._now() + _SKEW:
            raise _refused("The access token is not valid here.")
        return said


def _refused(description: str) -> OAuthError:
    return OAuthError("invalid_token", description, 401)
