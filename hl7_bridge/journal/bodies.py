"""The bytes of messages in and out of the database: a large one alone, and never as text, which would be twice as long.

PostgreSQL 15 section 55.2 (formats of values).
"""

from collections.abc import Iterable, Sequence

import psycopg
import sqlalchemy as sa

from hl7_bridge.journal.sealing import Sealing
from resources.errors import Unavailable

_LARGE = 1 << 18
"""Bytes from which a message has a statement of its own: in one for many it would be copied twice more."""
_PUT = {
    "sqlite": "INSERT INTO hl7_body (message, raw) VALUES (?, ?)",
    "postgresql": "INSERT INTO hl7_body (message, raw) SELECT * FROM unnest(%s::bigint[], %b::bytea[])",
}
_PUT_LARGE = "INSERT INTO hl7_body (message, raw) VALUES (%s, %b::bytea || %b::bytea)"
_READ = "SELECT message, raw FROM hl7_body WHERE message = ANY(%s)"


def put(connection: sa.Connection, sealing: Sealing, bodies: Iterable[tuple[int, bytes]]) -> None:
    """Keep the bytes of messages by their ids, in the open transaction."""
    together: list[tuple[int, bytes]] = []
    for id, raw in bodies:
        if len(raw) < _LARGE or connection.dialect.name == "sqlite":
            together.append((id, sealing.seal(raw)))
        else:
            connection.exec_driver_sql(_PUT_LARGE, (id, *sealing.sealed(raw)))
    if together and connection.dialect.name == "sqlite":
        connection.exec_driver_sql(_PUT["sqlite"], together)
    elif together:
        connection.exec_driver_sql(_PUT["postgresql"], tuple(map(list, zip(*together, strict=True))))


def read(connection: sa.Connection, ids: Sequence[int]) -> dict[int, bytes]:
    """The stored bytes by id, still sealed. Raises Unavailable."""
    if connection.dialect.name == "sqlite":
        marks = ", ".join("?" * len(ids))
        rows = connection.exec_driver_sql(f"SELECT message, raw FROM hl7_body WHERE message IN ({marks})", tuple(ids))
        return {int(id): bytes(raw) for id, raw in rows}
    driver = connection.connection.driver_connection
    assert isinstance(driver, psycopg.Connection)
    try:
        with driver.cursor(binary=True) as cursor:
            return dict(cursor.execute(_READ, (list(ids),)).fetchall())
    except psycopg.OperationalError as error:
        raise Unavailable("The journal of HL7 messages cannot be reached; try again shortly.") from error
