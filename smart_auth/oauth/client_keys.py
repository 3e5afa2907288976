"""Public keys of clients: registered by value, or at their URL and remembered no longer than its headers allow.

SMART App Launch 2.2, Client Authentication: Asymmetric; RFC 7517; RFC 9111 section 4.2 (freshness).
"""

import threading
from collections.abc import Callable, Mapping
from email.utils import parsedate_to_datetime
from typing import Any, NamedTuple, Protocol

import msgspec
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, RSAKey

from smart_auth.model import Client

FRESH_WITHOUT_A_WORD = 300
FRESH_AT_MOST = 3600
_SHORTEST_RSA = 2048
_MOST_KEYS = 100
AT_ONCE = 4
LONGEST_WAIT = 1.0  # seconds

PublicKey = RSAKey | ECKey


class Fetched(NamedTuple):
    """What a URL answered: header names in lower case."""

    body: bytes
    headers: Mapping[str, str]


class Fetch(Protocol):
    """Gets a JWK Set from a client's registered URL; met by ``smart_auth.jwks_fetch``, which minds SSRF."""

    def __call__(self, url: str, /) -> Fetched:
        """Raises OSError when there is nothing to be had."""
        ...


class _KeySet(NamedTuple):
    keys: tuple[dict[str, Any], ...]
    until: int


class Bucket:
    """So many at once, then one a second: what strangers can make us fetch is bounded."""

    def __init__(self, size: int) -> None:
        self._size, self._left, self._last = size, size, 0

    def take(self, now: int) -> bool:
        self._left = min(self._size, self._left + max(0, now - self._last))
        self._last = now
        self._left -= 1 if self._left else 0
        return self._left > 0


class ClientKeys:
    """Finds the key that a client's assertion names."""

    def __init__(self, fetch: Fetch, now: Callable[[], int]) -> None:
        self._fetch, self._now = fetch, now
        self._sets: dict[str, _KeySet] = {}
        self._buckets: dict[str, Bucket] = {}
        self._room = threading.BoundedSemaphore(AT_ONCE)  # a slow site must not hold up every thread of the process

    def key(self, client: Client, kid: str, alg: str) -> PublicKey | None:
        """The client's key of that name for that algorithm (RS384, ES384). An unknown name is looked up again once,
        because the client may have made a new key since."""
        if client.jwks:
            return _chosen(_keys(client.jwks.encode()), kid, alg)
        if not client.jwks_uri:
            return None
        known = self._sets.get(client.jwks_uri)
        found = _chosen(known.keys, kid, alg) if known and known.until > self._now() else None
        return found or _chosen(self._fetched(client.jwks_uri), kid, alg)

    def _fetched(self, url: str) -> tuple[dict[str, Any], ...]:
        """The keys at ``url`` now; none when it cannot be had or was asked too often."""
        if not self._buckets.setdefault(url, Bucket(30)).take(self._now()):
            return ()
        if not self._room.acquire(timeout=LONGEST_WAIT):
            return ()
        try:
            answer = self._fetch(url)
        except OSError:
            return ()
        finally:
            self._room.release()
        keys = _keys(answer.body)
        self._sets[url] = _KeySet(keys, self._now() + freshness(answer.headers, self._now()))
        return keys


def freshness(headers: Mapping[str, str], now: int) -> int:
    """Seconds for which an answer may be used again: Cache-Control, else Expires, else five minutes."""
    directives = {word.strip().lower() for word in headers.get("cache-control", "").split(",")}
    if directives & {"no-store", "no-cache"}:
        return 0
    ages = [word[8:].strip('"') for word in directives if word.startswith("max-age=")]
    if ages:
        return min(FRESH_AT_MOST, max(0, int(ages[0][:9]) - _age(headers))) if ages[0].isdecimal() else 0
    if "expires" in headers:
        return min(FRESH_AT_MOST, max(0, _expires(headers["expires"]) - now))
    return FRESH_WITHOUT_A_WORD


def _age(headers: Mapping[str, str]) -> int:
    return int(headers["age"][:9]) if headers.get("age", "").isdecimal() else 0


def _expires(text: str) -> int:
    try:
        return int(parsedate_to_datetime(text).timestamp())
    except (ValueError, OverflowError):
        return 0  # RFC 9111 section 5.3: an invalid date is in the past


def _keys(body: bytes) -> tuple[dict[str, Any], ...]:
    try:
        keys = msgspec.json.decode(body, type=dict[str, Any]).get("keys")
    except (msgspec.DecodeError, msgspec.ValidationError, RecursionError):
        return ()
    return tuple(key for key in keys[:_MOST_KEYS] if isinstance(key, dict)) if isinstance(keys, list) else ()


def _chosen(keys: tuple[dict[str, Any], ...], kid: str, alg: str) -> PublicKey | None:
    """The one key of that name and fit for ``alg``; two of them are none."""
    fitting = [key for key in keys if key.get("kid") == kid and _fits(key, alg)]
    return _IMPORT[alg](fitting[0]) if len(fitting) == 1 else None


def _fits(key: Mapping[str, Any], alg: str) -> bool:
    """SMART: the key's kty (and curve) go with the algorithm; ``use``, ``alg`` and ``key_ops`` do not forbid it."""
    kty, curve = _FAMILY[alg]
    operations = key.get("key_ops")
    return (
        key.get("kty") == kty
        and key.get("crv") == curve
        and key.get("use", "sig") == "sig"
        and key.get("alg", alg) == alg
        and (operations is None or (isinstance(operations, list) and "verify" in operations))
    )


_FAMILY: dict[str, tuple[str, str | None]] = {"RS384": ("RSA", None), "ES384": ("EC", "P-384")}
ALGORITHMS = tuple(_FAMILY)


def _rsa(key: dict[str, Any]) -> RSAKey | None:
    try:
        found = RSAKey.import_key({name: key[name] for name in ("kty", "n", "e")})
        return found if found.raw_value.key_size >= _SHORTEST_RSA else None
    except (JoseError, ValueError, TypeError, KeyError):
        return None


def _ec(key: dict[str, Any]) -> ECKey | None:
    try:
        return ECKey.import_key({name: key[name] for name in ("kty", "crv", "x", "y")})
    except (JoseError, ValueError, TypeError, KeyError):
        return None


_IMPORT: dict[str, Callable[[dict[str, Any]], PublicKey | None]] = {"RS384": _rsa, "ES384": _ec}


def any_usable(jwks: str) -> bool:
    """Whether a key of this JWK Set can verify an assertion; a set without one is not worth registering."""
    return any(
        _IMPORT[alg](key) for key in _keys(jwks.encode()) for alg in ALGORITHMS if key.get("kid") and _fits(key, alg)
    )
