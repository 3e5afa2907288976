"""The store: schema, sessions, one-statement writes and history on SQLite and PostgreSQL.

FHIR R4 RESTful API (https://hl7.org/fhir/R4/http.html); the only package of the record that talks to a database.
"""

from fhir_server.at_rest import PlainSealer, Sealer
from fhir_server.audit.record import AuditRow
from fhir_server.store.hashing import Hasher
from fhir_server.store.model import (
    Integrity,
    LostRace,
    MarkMissed,
    MissingTargets,
    OldRegistry,
    OutboxRow,
    SchemaTooNew,
    StillReferenced,
    Stored,
    StoreError,
    Write,
)
from fhir_server.store.session import Session, Store

__all__ = [
    "AuditRow",
    "Hasher",
    "Integrity",
    "LostRace",
    "MarkMissed",
    "MissingTargets",
    "OldRegistry",
    "OutboxRow",
    "PlainSealer",
    "SchemaTooNew",
    "Sealer",
    "Session",
    "StillReferenced",
    "Store",
    "StoreError",
    "Stored",
    "Write",
    "open_store",
]


def open_store(
    url: str,
    *,
    key: bytes | None = None,
    sealer: Sealer | None = None,
    timeout: float = 30.0,
    synchronous: str = "NORMAL",
) -> Store:
    """The store at ``url``: ``postgresql://user@host:port/name`` or ``sqlite:///path/to/file``.

    ``key`` (hash key) and ``sealer`` may also come later, by ``Store.equip``. ``timeout`` limits one statement and the
    wait for a lock, in seconds; ``synchronous`` is SQLite's (NORMAL, FULL). Connects at first use, not here.
    Raises ValueError for any other URL.
    """
    if url.startswith(("postgresql://", "postgres://", "postgresql+psycopg://")):
        from fhir_server.store.postgresql import PostgresStore

        return PostgresStore(url.replace("+psycopg", "", 1), key, sealer, timeout)
    if url.startswith("sqlite:///"):
        from fhir_server.store.sqlite import SqliteStore

        return SqliteStore(url.removeprefix("sqlite:///"), key, sealer, timeout, synchronous)
    raise ValueError(f"not a database URL of the form postgresql://... or sqlite:///path: {url.split('@')[-1]}")
