"""JSON Web Tokens as a client makes them, and as an attacker does.

RFC 7515, RFC 7519, RFC 7523; SMART App Launch 2.2, Client Authentication: Asymmetric.
"""

import hashlib
import hmac
import json
import secrets
import time
from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import Any

from joserfc import jws
from joserfc.jwk import ECKey, Key, RSAKey
from joserfc.jws import JWSRegistry

ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"

RSA: Key = RSAKey.generate_key(2048, {"kid": "rsa", "use": "sig"}, auto_kid=False)
EC: Key = ECKey.generate_key("P-384", {"kid": "ec", "use": "sig"}, auto_kid=False)
STRANGER: Key = RSAKey.generate_key(2048, {"kid": "rsa", "use": "sig"}, auto_kid=False)
"""A key that nobody registered, under a name that somebody did."""

KEYS = {"RS384": RSA, "ES384": EC}
JWKS = json.dumps({"keys": [RSA.as_dict(private=False), EC.as_dict(private=False)]})


class _Registry(JWSRegistry):
    """Headers of any kind and size are signed: what is refused is up to the server."""

    def check_header(self, header: Any) -> None:
        pass


def b64(data: bytes) -> str:
    return urlsafe_b64encode(data).rstrip(b"=").decode()


def part(token: str, number: int) -> dict[str, Any]:
    """The header (0) or payload (1) of a JWT, unverified."""
    text = token.split(".")[number]
    found: dict[str, Any] = json.loads(urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    return found


def signed(header: dict[str, Any], claims: dict[str, Any], key: Key) -> str:
    """A JWS under ``key``, by the algorithm that the header names."""
    registry = _Registry(algorithms=[header["alg"]], strict_check_header=False)
    return jws.serialize_compact(header, json.dumps(claims).encode(), key, registry=registry)


def forged(header: dict[str, Any], claims: dict[str, Any], signature: bytes = b"") -> str:
    """A JWS with whatever signature."""
    return ".".join(b64(part) for part in (json.dumps(header).encode(), json.dumps(claims).encode(), signature))


def hmac_signed(header: dict[str, Any], claims: dict[str, Any], secret: bytes) -> str:
    """A JWS by HS256, as who takes a public key for a secret would accept."""
    text = forged(header, claims).rpartition(".")[0]
    return f"{text}.{b64(hmac.digest(secret, text.encode(), hashlib.sha256))}"


def assertion_claims(client: str, audience: str, **changes: Any) -> dict[str, Any]:
    """What a client assertion says; None takes a claim away."""
    now = int(time.time())
    claims = {"iss": client, "sub": client, "aud": audience, "iat": now, "exp": now + 240, "jti": secrets.token_hex(16)}
    return {name: value for name, value in (claims | changes).items() if value is not None}


def assertion(client: str, audience: str, alg: str = "RS384", **changes: Any) -> str:
    """A good client assertion, but for ``changes`` of its claims."""
    key = KEYS[alg]
    header = {"alg": alg, "kid": key.kid, "typ": "JWT"}
    return signed(header, assertion_claims(client, audience, **changes), key)
