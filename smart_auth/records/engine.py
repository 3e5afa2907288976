"""Engines for the authorization server's tables: a pool on PostgreSQL, WAL and short locks on SQLite.

SQLite (https://www.sqlite.org/isolation.html): a transaction that reads first and writes later can fail for a writer
in between, so those that write say so when they begin.
"""

from functools import partial
from typing import Any

import psycopg
import sqlalchemy as sa

from capability.database_address import conninfo

READING = "auth_reading"
"""The execution option of connections that only read."""

_BUSY_SECONDS = 15
# The file is the record's as well, whose log is copied back this rarely: whoever commits last does it for both.
_SETUP = (
    "PRAGMA journal_mode = WAL",
    "PRAGMA synchronous = FULL",  # a used code must stay used when the power fails
    "PRAGMA wal_autocheckpoint = 20000",
)


def engine_for(url: str) -> sa.Engine:
    """An engine for ``postgresql://...`` or ``sqlite:///path``; it may be shared by all threads of one process."""
    if url.startswith("sqlite"):
        return _sqlite(url)
    connect = partial(psycopg.connect, conninfo(url))
    return sa.create_engine("postgresql+psycopg://", creator=connect, pool_size=4, max_overflow=16, pool_pre_ping=True)


def reading(engine: sa.Engine) -> sa.Engine:
    """The same engine for single statements that only read: no transaction to begin and end."""
    if engine.dialect.name == "sqlite":
        return engine.execution_options(**{READING: True})
    return engine.execution_options(isolation_level="AUTOCOMMIT")


def _sqlite(url: str) -> sa.Engine:
    # isolation_level None: the driver must not begin transactions of its own, _begin does.
    patient = {"timeout": _BUSY_SECONDS, "isolation_level": None, "check_same_thread": False}
    engine = sa.create_engine(url, connect_args=patient, pool_size=4, max_overflow=-1)
    sa.event.listen(engine, "connect", _connect)
    sa.event.listen(engine, "begin", _begin)
    return engine


def _connect(raw: Any, _record: object) -> None:
    for statement in _SETUP:
        raw.execute(statement).close()


def _begin(connection: sa.Connection) -> None:
    only_reads = connection.get_execution_options().get(READING)
    connection.exec_driver_sql("BEGIN" if only_reads else "BEGIN IMMEDIATE")
