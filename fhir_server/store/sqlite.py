"""The store on SQLite: one file, one writer at a time, readers that never wait.

FHIR R4 RESTful API (https://hl7.org/fhir/R4/http.html); SQLite 3.37 or later (STRICT tables), WAL mode.
"""

import contextlib
import re
import sqlite3
import threading
from collections.abc import Iterator, Sequence
from functools import lru_cache
from json import dumps
from pathlib import Path
from time import monotonic
from types import TracebackType
from typing import Any, Protocol

from fhir_server.at_rest import Sealer
from fhir_server.store.base import BaseStore
from fhir_server.store.model import DatabaseError, Parameter, Row
from fhir_server.store.reading import Reading
from fhir_server.store.sqlite_write import SqliteWriting
from fhir_server.store.threads import PerThread
from fhir_server.store.time_limit import TOO_LONG, TimeLimit
from fhir_server.store.watch import Watched
from resources.errors import TooCostly, Unavailable
from resources.search_param.terms import DictionaryEntry

RID_BLOCK = 1024
CHECKPOINT_PAGES = 20_000
"""Pages in the log before it is copied back: at the default 1,000 a create costs twice as much."""
_SETUP = """PRAGMA journal_mode = WAL; PRAGMA synchronous = {synchronous}; PRAGMA wal_autocheckpoint = {pages};
PRAGMA cache_size = -8192; PRAGMA mmap_size = 0; PRAGMA temp_store = MEMORY; PRAGMA recursive_triggers = ON"""
TAKE = "UPDATE counter SET value = value + ?1 WHERE name = ?2 RETURNING value"
_STEPS_BETWEEN_LOOKS = 20_000
_BUSY = "The database is busy; try again shortly."
_PLACEHOLDER = re.compile(r"\$(\d+)(?:::[a-z0-9]+(?:\[\])?)?")


@lru_cache(4096)
def adapted(sql: str) -> str:
    """``sql`` with ?n for $n."""
    return _PLACEHOLDER.sub(r"?\1", sql)


class SqliteSession(SqliteWriting, Reading, TimeLimit, Watched):
    """See session.Session."""

    dialect = "sqlite"

    def __init__(self, store: "SqliteStore") -> None:
        self._store = store
        self._open: sqlite3.Connection | None = None
        self._depth = 0
        self._deadline = 0.0
        self._learned: list[tuple[int, set[DictionaryEntry]]] = []

    @property
    def in_transaction(self) -> bool:
        return self._depth > 0

    def connected(self) -> sqlite3.Connection:
        if self._open is None:
            self._open = self._connect()
        return self._open

    def _connect(self) -> sqlite3.Connection:
        try:
            connection = sqlite3.connect(
                self._store.url,
                timeout=self._store.timeout,
                isolation_level=None,
                cached_statements=512,
                check_same_thread=False,
            )
            connection.executescript(_SETUP.format(synchronous=self._store.synchronous, pages=CHECKPOINT_PAGES))
        except sqlite3.OperationalError as error:
            raise Unavailable("The database file cannot be opened; try again shortly.") from error
        connection.set_progress_handler(self._overdue, _STEPS_BETWEEN_LOOKS)
        return connection

    def _overdue(self) -> bool:
        return monotonic() > self._deadline

    def query(self, sql: str, params: Sequence[Parameter] = (), *, merge: bool = False) -> list[Row]:
        self.look_at_time()
        if self.watching is not None:
            return self.timed(self._query, sql, params, merge)
        return self._query(sql, params, merge)

    def _query(self, sql: str, params: Sequence[Parameter], merge: bool) -> list[Row]:
        return self.run(adapted(sql), [_bound(p) for p in params]).fetchall()

    def run(self, sql: str, params: Sequence[Any] = ()) -> sqlite3.Cursor:
        """One statement with ?n placeholders."""
        self._deadline = monotonic() + self._store.timeout
        try:
            return self.connected().execute(sql, params)
        except sqlite3.Error as error:
            raise _failure(error) from error

    def run_many(self, sql: str, rows: Sequence[Any]) -> None:
        self._deadline = monotonic() + self._store.timeout
        try:
            self.connected().executemany(sql, rows)
        except sqlite3.Error as error:
            raise _failure(error) from error

    @contextlib.contextmanager
    def transaction(self, *, snapshot: bool = False) -> Iterator[None]:
        if self._depth:
            yield
            return
        writing = None if snapshot else self._store.writing
        if writing and not writing.acquire(timeout=self._store.timeout):
            raise Unavailable(_BUSY)
        try:
            self.run("BEGIN IMMEDIATE" if writing else "BEGIN")
            self._depth = 1
            yield
            self.run("COMMIT")
        except BaseException:
            self._undo()
            raise
        finally:
            self._depth = 0
            if writing:
                writing.release()
        for tenant, entries in self._learned:
            self._store.saw(tenant, entries)
        self._learned.clear()

    def _undo(self) -> None:
        self._learned.clear()
        connection = self.connected()
        if connection.in_transaction:
            with contextlib.suppress(sqlite3.Error):
                connection.execute("ROLLBACK")

    def horizon(self) -> int:
        """Writers come one at a time, so that numbers become visible in order."""
        return int(self.run("SELECT value FROM counter WHERE name = 'seq'").fetchone()[0])

    def new_rids(self, count: int) -> list[int]:
        if not self._depth:
            return self._store.take_rids(count, lambda: self._take("rid", RID_BLOCK))
        first, end = self._take("rid", count)  # of this transaction alone: they fall back when it is rolled back
        return list(range(first, end))

    def _take(self, name: str, count: int) -> tuple[int, int]:
        rows = self.run(TAKE, (count, name)).fetchall()
        end = int(rows[0][0]) + 1
        return end - count, end

    def close(self) -> None:
        if self._open is not None:
            self._open.close()
            self._open = None


class Alone(Protocol):
    """A lock, as of threads or also of processes."""

    def acquire(self, *, timeout: float = -1) -> bool: ...

    def release(self) -> None: ...

    def __enter__(self) -> object: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None: ...


class SqliteStore(BaseStore):
    """See session.Store."""

    dialect = "sqlite"

    def __init__(self, path: str, key: bytes | None, sealer: Sealer | None, timeout: float, synchronous: str) -> None:
        if synchronous not in ("NORMAL", "FULL", "EXTRA"):
            raise ValueError(f"synchronous is NORMAL, FULL or EXTRA, not {synchronous}")
        super().__init__(path, key, sealer, timeout)
        self.synchronous = synchronous
        self._sessions: PerThread[SqliteSession] = PerThread(lambda: SqliteSession(self))
        self.writing: Alone = threading.Lock()
        """Held by the thread that writes: the next of this process is woken at once, not after a nap."""

    def forked(self) -> None:
        super().forked()
        self.writing = threading.Lock()

    def session(self) -> SqliteSession:
        return self._sessions.get()

    def _migration_url(self) -> str:
        Path(self.url).parent.mkdir(parents=True, exist_ok=True)
        return "sqlite:///" + self.url

    def most_common(self, h: int) -> int | None:
        return None

    def close(self) -> None:
        self._sessions.get().close()


def _bound(value: Parameter) -> Any:
    """Lists go in as JSON, for json_each; text as the database can hold it."""
    if type(value) is list:
        return dumps(value)
    if type(value) is str and not value.isascii():
        return value.encode("utf-8", "replace").decode()
    return value


_TOO_COMPLEX = ("too many", "too large", "stack overflow", "at most")


def _failure(error: sqlite3.Error) -> Exception:
    name = getattr(error, "sqlite_errorname", "") or ""
    if name == "SQLITE_INTERRUPT":
        return TooCostly(TOO_LONG)
    if name in ("SQLITE_TOOBIG", "SQLITE_NOMEM") or any(sign in str(error) for sign in _TOO_COMPLEX):
        return TooCostly("The query is too complex; ask for less at once.")
    if name.startswith(("SQLITE_BUSY", "SQLITE_LOCKED")):
        return Unavailable(_BUSY)
    if name.startswith(("SQLITE_FULL", "SQLITE_IOERR", "SQLITE_CANTOPEN", "SQLITE_READONLY")):
        return Unavailable("The database file cannot be written at the moment; try again shortly.")
    return DatabaseError(name, str(error))
