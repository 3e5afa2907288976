"""Reading a request body with a limit that holds before and after unpacking.

RFC 9110 section 8.4 (Content-Encoding), RFC 1952 (gzip), PEP 3333 (wsgi.input).
"""

import zlib
from collections.abc import Iterator
from typing import Any

from resources.errors import BadSyntax, TooLarge, UnsupportedMediaType

_CHUNK = 1 << 16
_SKIPPED = 1 << 20
_MOST_MEMBERS = 1000  # an empty one takes twenty bytes: they cost time without ever reaching the limit
_GZIP = 31  # zlib's window bits for a gzip member
_CODINGS = {"": False, "identity": False, "gzip": True, "x-gzip": True}


def read_body(environ: dict[str, Any], limit: int) -> bytes:
    """The body, unpacked, of at most ``limit`` bytes. Raises TooLarge, UnsupportedMediaType, BadSyntax."""
    coding = environ.get("HTTP_CONTENT_ENCODING", "").strip().lower()
    if coding not in _CODINGS:
        raise UnsupportedMediaType(f"Content-Encoding {coding[:40]!r} is not understood; send identity or gzip.")
    raw = _raw(environ, limit)
    return unpacked(raw, limit) if _CODINGS[coding] else raw


def finish(environ: dict[str, Any]) -> list[tuple[str, str]]:
    """Read what a refusal left unread, so that the connection can carry the next request; headers to answer with.

    RFC 9112 section 9.6: a connection that is closed instead must say so. More than a megabyte is not waited for.
    """
    left = _SKIPPED
    if not environ.get("CONTENT_LENGTH") and "HTTP_TRANSFER_ENCODING" not in environ:
        return []
    try:
        while chunk := environ["wsgi.input"].read(min(left, _CHUNK)):
            left -= len(chunk)
            if left <= 0:
                return [("Connection", "close")]
    except Exception:  # noqa: BLE001 what cannot be read ends the connection
        return [("Connection", "close")]
    return []


def _raw(environ: dict[str, Any], limit: int) -> bytes:
    stream = environ["wsgi.input"]
    length = _length(environ)
    if length is not None:
        if length > limit:
            raise _too_large(limit)
        return _complete(_read(stream, length), length)
    # Without a length only a server that ends the stream itself (chunked) can be read to the end.
    if not environ.get("wsgi.input_terminated") and "HTTP_TRANSFER_ENCODING" not in environ:
        return b""
    return _until_end(stream, limit)


def _read(stream: Any, size: int) -> bytes:
    try:
        found: bytes = stream.read(size)
    except Exception:  # noqa: BLE001 each server has errors of its own for malformed chunks and lost clients
        raise BadSyntax("The body is cut short or wrongly chunked.") from None
    return found


def _length(environ: dict[str, Any]) -> int | None:
    text = environ.get("CONTENT_LENGTH") or ""
    if not text:
        return None
    if not (text.isascii() and text.isdigit()) or len(text) > 18:
        raise BadSyntax("Content-Length is not a number.")
    return int(text)


def _complete(body: bytes, length: int) -> bytes:
    if len(body) < length:
        raise BadSyntax(f"The body ended after {len(body)} of {length} bytes.")
    return body


def _until_end(stream: Any, limit: int) -> bytes:
    parts: list[bytes] = []
    size = 0
    while chunk := _read(stream, _CHUNK):
        size += len(chunk)
        if size > limit:
            raise _too_large(limit)
        parts.append(chunk)
    return b"".join(parts)


def unpacked(packed: bytes, limit: int) -> bytes:
    """``packed`` (one or more gzip members) unpacked, never holding more than ``limit`` bytes and a chunk."""
    parts: list[bytes] = []
    size = 0
    for part in _unpacked(packed):
        size += len(part)
        if size > limit:
            raise _too_large(limit)
        parts.append(part)
    return b"".join(parts)


def _unpacked(packed: bytes) -> Iterator[bytes]:
    at = members = 0
    while at < len(packed):
        members += 1
        if members > _MOST_MEMBERS:
            raise BadSyntax(f"The gzip body has more than {_MOST_MEMBERS} members; send one.")
        member = zlib.decompressobj(_GZIP)
        while not member.eof:
            fed = packed[at : at + _CHUNK]  # zlib hands back a copy of what it did not use: it gets little at a time
            at += len(fed)
            yield from _parts(member, fed)
        at -= len(member.unused_data)


def _parts(member: Any, fed: bytes) -> Iterator[bytes]:
    if not fed:
        raise BadSyntax("The gzip body ends too early.")
    while fed and not member.eof:
        yield _inflate(member, fed)
        fed = member.unconsumed_tail


def _inflate(member: Any, packed: bytes) -> bytes:
    try:
        part: bytes = member.decompress(packed, _CHUNK)
    except zlib.error:
        raise BadSyntax("The body is not the gzip data that Content-Encoding says.") from None
    return part


def _too_large(limit: int) -> TooLarge:
    return TooLarge(f"The body is larger than the {limit} bytes this server takes; split it.")
