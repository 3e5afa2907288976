"""The head of a signed JWT, read with suspicion before any key is looked up.

RFC 7515 section 4.1, RFC 8725 (JWT best practices): a key or a rule is never taken from the token itself.
"""

import binascii
from base64 import urlsafe_b64decode
from typing import Any

import msgspec

_NEVER = frozenset({"crit", "jwk", "x5u", "x5c", "x5t", "x5t#S256", "b64", "zip", "enc"})
LONGEST_HEADER = 1024


class NotAToken(Exception):
    """Not a JWT that we would look at; the text names the rule."""


def header(token: str, longest: int) -> dict[str, Any]:
    """The header of a compact JWS of at most ``longest`` characters. Raises NotAToken."""
    parts = token.split(".", 3) if len(token) <= longest and token.isascii() else []
    if len(parts) != 3 or not all(parts):
        raise NotAToken("not a compact JWS, or too long")
    if len(parts[0]) > LONGEST_HEADER:
        raise NotAToken("header too long")
    found = decoded(parts[0])
    if not _NEVER.isdisjoint(found):
        raise NotAToken("a header parameter that is never accepted")
    return found


def unverified(token: str) -> dict[str, Any]:
    """The payload before its signature was checked: good for finding the key that checks it. Raises NotAToken."""
    return decoded(token.split(".", 2)[1])


def decoded(part: str) -> dict[str, Any]:
    try:
        found = msgspec.json.decode(urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    except (ValueError, binascii.Error, msgspec.DecodeError, RecursionError):
        raise NotAToken("not base64url of JSON") from None
    if not isinstance(found, dict):
        raise NotAToken("not a JSON object")
    return found
