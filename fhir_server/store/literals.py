"""Parameters as PostgreSQL reads them: text literals, and binary for documents, which need no escaping then.

PostgreSQL 15, 8.15 Arrays (input syntax) and the binary array format of array_recv.
"""

import struct
from collections.abc import Sequence

from fhir_server.store.model import Parameter
from resources.errors import Invalid

TEXT, BINARY = 0, 1
_BYTEA = 17
_HEAD = struct.Struct(">iiiii")
_LENGTH = struct.Struct(">i")


def literal(value: Parameter) -> tuple[bytes | None, int]:
    """(bytes, format) of one parameter. Raises Invalid for text with U+0000, which the database cannot hold."""
    if value is None:
        return None, TEXT
    if isinstance(value, bytes):
        return value, BINARY
    return array(value) if isinstance(value, list) else (scalar(value), TEXT)


def scalar(value: int | str | bool) -> bytes:
    """Text format of one value."""
    if isinstance(value, str):
        if "\0" in value:
            raise Invalid("A text holds the character U+0000, which cannot be stored or looked for.")
        return value.encode("utf-8", "replace")
    return b"%d" % value


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
    return scalar('{"' + body + '"}')


def _bytes_array(values: Sequence[bytes]) -> bytes:
    parts = [_HEAD.pack(1, 0, _BYTEA, len(values), 1)]
    for value in values:
        parts += (_LENGTH.pack(len(value)), value)
    return b"".join(parts)
