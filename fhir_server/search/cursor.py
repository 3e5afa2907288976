"""Where a page starts, sealed into the parameter ``_cursor`` so that no server has to remember it.

FHIR R4 paging (https://hl7.org/fhir/R4/http.html#paging). Sealed (AES-GCM), because a position holds a clinical date or
a name; caller, tenant and query are bound in and checked again on use.
"""

import hashlib
import os
from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import NamedTuple

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from resources.errors import BadSearch, Forbidden
from resources.repository import Caller

NONCE = 12


class Position(NamedTuple):
    """The row a page starts behind: ``values`` are its sort values (None: it has none), ``o`` its order key.

    ``forward`` False is the page before that row.
    """

    forward: bool
    o: int
    values: tuple[int | str | None, ...] = ()


class _Sealed(NamedTuple):
    caller: bytes
    query: bytes
    position: Position


class Cursors:
    """Makes and opens cursors under ``key`` (any secret of 16 bytes or more, the same on all nodes)."""

    def __init__(self, key: bytes) -> None:
        self._cipher = AESGCM(hashlib.blake2b(key, digest_size=32, person=b"page links").digest())
        self._encode = msgspec.msgpack.Encoder().encode
        self._decode = msgspec.msgpack.Decoder(_Sealed).decode

    def seal(self, caller: Caller, query: str, position: Position) -> str:
        """A token for ``position``, good for this caller and this query only."""
        nonce = os.urandom(NONCE)
        body = self._encode(_Sealed(_who(caller), _digest(query), position))
        return urlsafe_b64encode(nonce + self._cipher.encrypt(nonce, body, None)).decode().rstrip("=")

    def open(self, caller: Caller, query: str, token: str) -> Position:
        """The position in ``token``. Raises BadSearch (not ours, or another query), Forbidden (another caller)."""
        try:
            raw = urlsafe_b64decode(token + "=" * (-len(token) % 4))
            sealed = self._decode(self._cipher.decrypt(raw[:NONCE], raw[NONCE:], None))
        except (InvalidTag, ValueError):
            raise BadSearch("_cursor: this page link was not made by this server; start the search again") from None
        if sealed.caller != _who(caller):
            raise Forbidden("_cursor: this page link was made for another caller; start the search again")
        if sealed.query != _digest(query):
            raise BadSearch("_cursor: the query was changed; a page link must be used as it was given")
        return sealed.position


def with_cursor(query: str, token: str) -> str:
    """The query string ``query`` with ``_cursor``; without a token as it is."""
    if not token:
        return query
    return f"{query}&_cursor={token}" if query else f"_cursor={token}"


def _who(caller: Caller) -> bytes:
    return _digest(repr((caller.who, caller.client, caller.tenant, caller.grants.fingerprint)))


def _digest(text: str) -> bytes:
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=12).digest()
