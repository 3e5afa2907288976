"""The bridge's connections: short transactions that are durable when they end, and single reads.

SQLite (https://www.sqlite.org/pragma.html#pragma_synchronous): FULL, so that an acknowledged message outlives a power
failure. PostgreSQL 15 section 30.3: what need not outlive one (leases) commits without waiting for the disk.
"""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import partial
from typing import Any

import psycopg
import sqlalchemy as sa

from capability.database_address import conninfo
from resources.errors import Unavailable

_BUSY_SECONDS = 15
_SETUP = (
    "PRAGMA journal_mode = WAL",
    "PRAGMA synchronous = FULL",
    "PRAGMA secure_delete = ON",  # what retention takes was a patient's: it is overwritten
    "PRAGMA wal_autocheckpoint = 20000",  # the file is the record's as well, whose log is copied back this rarely
)
_READING = "hl7_reading"
AnyRow = sa.Row[*tuple[Any, ...]]


class Database:
    """One database for all threads of a process. Every method raises Unavailable when it is away or busy too long:
    nothing of the transaction is stored then, or all of it when its very commit was not answered.

    ``alone`` gives what a writer holds besides: on SQLite the lock of the record's own writers in this process, so
    that the two wait for each other without naps.
    """

    def __init__(self, url: str, alone: Callable[[], AbstractContextManager[Any]] | None = None) -> None:
        self._alone = alone or nullcontext
        self.engine = _sqlite(url) if url.startswith("sqlite") else _postgresql(url)
        self.dialect = self.engine.dialect.name
        reading = {_READING: True} if self.dialect == "sqlite" else {"isolation_level": "AUTOCOMMIT"}
        self._reading = self.engine.execution_options(**reading)

    @contextmanager
    def write(self, *, durable: bool = True) -> Iterator[sa.Connection]:
        """A transaction; one that is not ``durable`` may be undone by a power failure, never by a killed process."""
        with _answering(), self._alone(), self.engine.begin() as connection:
            if not durable and self.dialect == "postgresql":
                connection.exec_driver_sql("SET LOCAL synchronous_commit = off")
            yield connection

    @contextmanager
    def read(self) -> Iterator[sa.Connection]:
        """A connection for single statements that only read."""
        with _answering(), self._reading.connect() as connection:
            yield connection

    def close(self) -> None:
        self.engine.dispose()


def _postgresql(url: str) -> sa.Engine:
    # Without a ping before each use: one that is found broken ends all of its age, and who waits tries again.
    connect = partial(psycopg.connect, conninfo(url))
    return sa.create_engine("postgresql+psycopg://", creator=connect, pool_size=8, max_overflow=16)


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
    reads = connection.get_execution_options().get(_READING)
    connection.exec_driver_sql("BEGIN" if reads else "BEGIN IMMEDIATE")


@contextmanager
def _answering() -> Iterator[None]:
    # A deadlock is an OperationalError as well: to try again helps in every case.
    try:
        yield
    except (sa.exc.OperationalError, sa.exc.InterfaceError, sa.exc.TimeoutError) as error:
        raise Unavailable("The journal of HL7 messages cannot be reached; try again shortly.") from error
