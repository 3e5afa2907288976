"""The keys that sign tokens: made on first use, kept sealed, published before they sign and after they retire.

RFC 7517 (JWK), RFC 7638 (the kid is the thumbprint), OpenID Connect Core 10.1.1 (rotation), RFC 7518 3.3 (RS256).
"""

import threading
from collections.abc import Callable, Sequence
from time import monotonic
from typing import Any, NamedTuple

import msgspec
from joserfc.jwk import RSAKey

from resources.errors import Unavailable
from smart_auth.model import SigningKey
from smart_auth.ports import Records, Sealer

ALG = "RS256"
PURPOSE = "token-signing"
FRESH = 15.0
"""Seconds after which the keys are read again: another process may have rotated them."""

_SELDOM = 1.0  # seconds between reads that kids we do not know can cause


class _Known(NamedTuple):
    """What one reading of the records gave."""

    kid: str
    private: RSAKey
    public: dict[str, RSAKey]
    jwks: list[dict[str, Any]]


class SigningKeys:
    """Meets oauth.keys.Keys for all threads of one process; any number of processes agree on the keys.

    ``token_life`` is the longest that anything lives that a key signed, in seconds: a retired key verifies for so
    long. ``bits`` is the size of keys that are made from now on.
    """

    def __init__(
        self,
        records: Records,
        sealer: Sealer,
        now: Callable[[], int],
        *,
        bits: int = 2048,
        token_life: int = 3600,
    ) -> None:
        self._records, self._sealer, self._now = records, sealer, now
        # Others may sign with a key until they have read that it retired, and clocks differ.
        self._bits, self._verifies = bits, token_life + 300
        self._known: _Known | None = None
        self._asked_at = 0.0
        self._reading = threading.Lock()

    def current(self) -> tuple[str, RSAKey]:
        """(kid, private key) that signs now. Raises Unavailable when the keys cannot be read."""
        known = self._fresh()
        return known.kid, known.private

    def public(self, kid: str) -> RSAKey | None:
        """The key that verifies what ``kid`` signed; None for a kid that is not ours, or no longer."""
        known = self._fresh()
        if kid not in known.public and monotonic() - self._asked_at > _SELDOM:
            known = self._read()
        return known.public.get(kid)

    def jwks(self) -> dict[str, Any]:
        """The JWK Set: the key that signs, the one that will, and those that retired but still verify."""
        return {"keys": [dict(jwk) for jwk in self._fresh().jwks]}

    def rotate(self) -> str:
        """Retire the key that signs; the one that waited, which verifiers have cached, signs from now on. Its kid.

        Of several that rotate at once one does it; a new key then waits.
        """
        self._records.retire_signing_key(self._read().kid, self._now())
        return self._read().kid

    def withdraw(self, kid: str) -> None:
        """After a theft: rotate if ``kid`` signs, then forget it. What it signed is refused by this process at once and
        by the others within FRESH seconds."""
        self._records.retire_signing_key(kid, self._now())
        self._records.delete_signing_key(kid)
        self._read()

    def _fresh(self) -> _Known:
        known = self._known
        if known is None:
            return self._read()
        if monotonic() - self._asked_at < FRESH:
            return known
        try:
            return self._read()
        except Unavailable:
            return known  # good a moment ago; the revocation list decides for how long we go on without records

    def _read(self) -> _Known:
        """Read the keys; other threads go on with those that are known."""
        self._asked_at = monotonic()
        with self._reading:
            self._known = self._understood(self._complete())
            return self._known

    def _complete(self) -> Sequence[SigningKey]:
        """The keys, with one that signs and one that waits; what is missing is made, by whichever process is first."""
        rows = self._records.signing_keys()
        for begins, there in ((self._now(), _signs), (0, _waits)):
            if not any(map(there, rows)):
                self._records.put_signing_key(self._made(begins))
                rows = self._records.signing_keys()
        return rows

    def _made(self, begins: int) -> SigningKey:
        key = RSAKey.generate_key(self._bits, auto_kid=False)
        kid = key.thumbprint()
        public = {**key.as_dict(private=False), "kid": kid, "use": "sig", "alg": ALG}
        return SigningKey(
            kid=kid,
            alg=ALG,
            public_jwk=msgspec.json.encode(public).decode(),
            sealed=self._sealer.seal(PURPOSE, msgspec.json.encode(key.as_dict(private=True))),
            created=self._now(),
            begins=begins,
        )

    def _understood(self, rows: Sequence[SigningKey]) -> _Known:
        since = self._now() - self._verifies
        verify = sorted((row for row in rows if not row.retired or row.retired >= since), key=_place)
        jwks = [msgspec.json.decode(row.public_jwk) for row in verify]
        signs = next(filter(_signs, rows))
        private = RSAKey.import_key(msgspec.json.decode(self._sealer.open(PURPOSE, signs.sealed)))
        return _Known(signs.kid, private, {jwk["kid"]: RSAKey.import_key(jwk) for jwk in jwks}, jwks)


def _place(key: SigningKey) -> tuple[bool, bool]:
    """In the JWK Set: the one that signs, the one that will, the retired ones."""
    return key.retired > 0, key.begins == 0


def _signs(key: SigningKey) -> bool:
    return key.alg == ALG and key.begins > 0 and not key.retired


def _waits(key: SigningKey) -> bool:
    return key.alg == ALG and key.begins == 0 and not key.retired
