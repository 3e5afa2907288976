"""The bytes of messages in and out of the database: a large one alone, in pieces, and never as text, which would be
twice as long.

PostgreSQL 15, COPY (binary format: a signature, then each row as its number of columns, and each column as its length
and bytes) and section 55.2 (formats of values).
"""

import io
import select
import struct
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

import psycopg
import sqlalchemy as sa

from hl7_bridge.journal.sealing import Sealing
from resources.errors import Unavailable

_LARGE = 1 << 18
"""Bytes from which a message goes in pieces of that size: in one it would be copied into the driver, which keeps the
place for good, and once more."""
_PUT = {
    "sqlite": "INSERT INTO hl7_body (message, raw) VALUES (?, ?)",
    "postgresql": "INSERT INTO hl7_body (message, raw) SELECT * FROM unnest(%s::bigint[], %b::bytea[])",
}
_COPY = "COPY hl7_body (message, raw) FROM STDIN (FORMAT BINARY)"
_SIGNATURE = b"PGCOPY\n\xff\r\n\0" + bytes(8)
_ROW = struct.Struct(">hiqi")
_END = struct.pack(">h", -1)
_READ = f"""SELECT message, length(raw), substring(raw FROM 1 FOR 1), substring(raw FROM 2 FOR {_LARGE})
FROM hl7_body WHERE message = ANY(%s)"""
_READ_ON = f"SELECT substring(raw FROM %s FOR {_LARGE}) FROM hl7_body WHERE message = %s"


class Body(NamedTuple):
    """What is stored of a message: how it is sealed, and its bytes, which ``Sealing.opened`` gives plain."""

    kind: bytes
    sealed: bytes


def is_large(raw: bytes) -> bool:
    """Whether it goes by itself."""
    return len(raw) >= _LARGE


def put(connection: sa.Connection, sealing: Sealing, bodies: Iterable[tuple[int, bytes]]) -> None:
    """Keep the bytes of messages by their ids, in the open transaction. Raises Unavailable."""
    together: list[tuple[int, bytes]] = []
    for id, raw in bodies:
        if not is_large(raw) or connection.dialect.name == "sqlite":
            together.append((id, sealing.seal(raw)))
        else:
            _copy(connection, id, *sealing.sealed(raw))
    if together and connection.dialect.name == "sqlite":
        connection.exec_driver_sql(_PUT["sqlite"], together)
    elif together:
        connection.exec_driver_sql(_PUT["postgresql"], tuple(map(list, zip(*together, strict=True))))


def _copy(connection: sa.Connection, id: int, kind: bytes, sealed: bytes) -> None:
    driver = _driver(connection)
    with _answering(), driver.cursor() as cursor, cursor.copy(_COPY) as copy:
        copy.write(_SIGNATURE + _ROW.pack(2, 8, id, len(kind) + len(sealed)) + kind)
        with memoryview(sealed) as view:
            for at in range(0, len(sealed), _LARGE):
                copy.write(bytes(view[at : at + _LARGE]))
                while driver.pgconn.flush():  # or the driver would keep what the server has not taken yet
                    select.select([], [driver.fileno()], [])
        copy.write(_END)


def read(connection: sa.Connection, ids: Sequence[int]) -> dict[int, Body]:
    """What is stored by id. Raises Unavailable."""
    if connection.dialect.name == "sqlite":
        marks = ", ".join("?" * len(ids))
        rows = connection.exec_driver_sql(f"SELECT message, raw FROM hl7_body WHERE message IN ({marks})", tuple(ids))
        return {int(id): Body(raw[:1], raw[1:]) for id, raw in rows}
    with _answering(), _driver(connection).cursor(binary=True) as cursor:
        found = cursor.execute(_READ, (list(ids),)).fetchall()
        return {id: Body(kind, _whole(cursor, id, size, first)) for id, size, kind, first in found}


def _whole(cursor: "psycopg.Cursor[tuple[Any, ...]]", id: int, size: int, first: bytes) -> bytes:
    """The rest after the first byte; ``first`` is the beginning of it."""
    if len(first) == size - 1:
        return first
    whole = io.BytesIO()  # gives what was written into it without another copy
    whole.write(first)
    for at in range(len(first) + 2, size + 1, _LARGE):
        row = cursor.execute(_READ_ON, (at, id)).fetchone()
        if row is None:
            raise Unavailable("A message was deleted while it was read.")
        whole.write(row[0])
    return whole.getvalue()


def _driver(connection: sa.Connection) -> "psycopg.Connection[tuple[Any, ...]]":
    driver = connection.connection.driver_connection
    assert isinstance(driver, psycopg.Connection)
    return driver


@contextmanager
def _answering() -> Iterator[None]:
    try:
        yield
    except psycopg.OperationalError as error:
        raise Unavailable("The journal of HL7 messages cannot be reached; try again shortly.") from error
