"""Parameters as PostgreSQL reads them: text literals, and binary for documents, which need no escaping then.

PostgreSQL 15, 8.15 Arrays (input syntax) and the binary array format of array_recv.
"""

import io
import struct
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from fhir_server.store.model import Parameter
from resources.errors import Invalid

TEXT, BINARY = 0, 1
_BYTEA, _BIGINT = 17, 20
_HEAD = struct.Struct(">iiiii")
_LENGTH = struct.Struct(">i")


def literals(params: Sequence[Parameter]) -> tuple[list[bytes | None], list[int]]:
    """Values and formats of parameters. Raises Invalid for text with U+0000, which the database cannot hold."""
    values: list[bytes | None] = []
    formats: list[int] = []
    for param in params:
        value, format = (_LITERAL.get(type(param)) or _inherited(type(param)))(param)
        values.append(value)
        formats.append(format)
    return values, formats


def text(value: str) -> tuple[bytes, int]:
    """Text format of a text."""
    if "\0" in value:
        raise Invalid("A text holds the character U+0000, which cannot be stored or looked for.")
    return value.encode("utf-8", "replace"), TEXT


def array(values: Sequence[int | str | bytes]) -> tuple[bytes, int]:
    """One-dimensional array; of bytes in binary format, else as text."""
    if not values:
        return b"{}", TEXT
    first = values[0]
    if isinstance(first, bytes):
        return _bytes_array(values), BINARY  # type: ignore[arg-type]
    if isinstance(first, str):
        return texts(values), TEXT  # type: ignore[arg-type]
    return ("{" + ",".join(map(str, map(int, values))) + "}").encode(), TEXT


def texts(values: Sequence[str]) -> bytes:
    """text[] literal."""
    body = '","'.join(values)
    if "\\" in body or body.count('"') != 2 * (len(values) - 1):  # most arrays hold nothing to escape
        body = '","'.join([v.replace("\\", "\\\\").replace('"', '\\"') for v in values])
    return text('{"' + body + '"}')[0]


def _bytes_array(values: Sequence[bytes]) -> bytes:
    return blobs(Blobs(len(values), values))[0]


@dataclass(frozen=True, slots=True)
class Blobs:
    """The ``count`` values of a bytea[] parameter, each made when it is written: none is in memory beside the whole."""

    count: int
    values: Iterable[bytes]


def blobs(values: Blobs) -> tuple[bytes, int]:
    """bytea[] in binary format."""
    if not values.count:
        return b"{}", TEXT
    written = io.BytesIO()  # gives what was written into it without another copy
    written.write(_HEAD.pack(1, 0, _BYTEA, values.count, 1))
    for value in values.values:
        written.write(_LENGTH.pack(len(value)))
        written.write(value)
        del value
    return written.getvalue(), BINARY


class Bigints(tuple[int, ...]):
    """The values of a bigint[] parameter, and of no other: binary takes a third of the time of text."""

    __slots__ = ()


def bigints(values: Bigints) -> tuple[bytes, int]:
    """bigint[] in binary format."""
    if not values:
        return b"{}", TEXT
    sized = [8] * (2 * len(values))
    sized[1::2] = values
    return _HEAD.pack(1, 0, _BIGINT, len(values), 1) + struct.pack(">" + "iq" * len(values), *sized), BINARY


_Literal = Callable[[Any], tuple[bytes | None, int]]
_LITERAL: dict[type, _Literal] = {
    str: text,
    int: lambda value: (b"%d" % value, TEXT),
    bool: lambda value: (b"%d" % value, TEXT),
    bytes: lambda value: (value, BINARY),
    list: array,
    Bigints: bigints,
    Blobs: blobs,
    type(None): lambda value: (None, TEXT),
}


def _inherited(kind: type) -> _Literal:
    """For members of enumerations, which are texts or numbers too."""
    return next(_LITERAL[base] for base in kind.__mro__ if base in _LITERAL)
