"""One PostgreSQL connection of one thread: prepared statements on the driver, errors in the record's vocabulary.

PostgreSQL 15, libpq 34.3 (command execution) and appendix A (SQLSTATE). Measured: 35 us of client CPU for a prepared
statement this way, 130 with cursor and pool, 185 and more through SQLAlchemy.
"""

import contextlib
import os
import select
import socket
from collections.abc import Sequence
from time import monotonic
from typing import Any

import psycopg
from psycopg import pq
from psycopg.adapt import Transformer

from capability.database_address import conninfo
from fhir_server.store.literals import literals
from fhir_server.store.model import DatabaseError, Parameter, Row
from fhir_server.store.overdue import Overdue
from fhir_server.store.threads import after_fork
from fhir_server.store.time_limit import TOO_LONG
from resources.errors import Conflict, FhirError, OutcomeUnknown, TooCostly, Unavailable

MOST_STATEMENTS = 1000
_LOST = "The connection to the database was lost; try again shortly."
_UNKNOWN = (
    "The connection to the database ended while the change was being stored: it may have been stored or not. "
    "Look whether it is there before you send it again."
)
_NOT_REPLICATED = (
    "The change is stored, but no standby of the database has confirmed it: it may be lost if the database fails now. "
    "Look whether it is there before you send it again."
)
_WAIT_ENDED = b"SyncRepWaitForLSN"
"""The function of the server that warns when somebody ends a commit's wait for the standby; its words are translated,
and the commit is answered as if all were well."""
_CANCEL_SECONDS = 5.0
_GOOD = (pq.ExecStatus.TUPLES_OK, pq.ExecStatus.COMMAND_OK)
_IDLE = 0.01
"""Seconds after its last answer until which a connection is taken to live."""
_WAITING = 0.8
"""Share of the statement's time that it may wait for a lock: it is told apart from a statement that is slow itself."""
_SETUP = (
    "SET plan_cache_mode = force_generic_plan; SET jit = off; SET client_min_messages = warning;"
    # a plan made while a table is small is kept: it must use the indexes from the start
    "SET enable_seqscan = off;"
    "SET default_transaction_isolation = 'read committed'; SET TimeZone = 'UTC';"
    "SET statement_timeout = {ms}; SET lock_timeout = {wait}"
)


OVERDUE = Overdue()
after_fork(OVERDUE)


class PlanChanged(DatabaseError):
    """A prepared statement no longer fits the schema (0A000 after a migration)."""


class _Heard:
    """What the server remarked beside its answers."""

    wait_ended = False

    def __call__(self, notice: Any) -> None:
        self.wait_ended |= notice.error_field(pq.DiagnosticField.SOURCE_FUNCTION) == _WAIT_ENDED


class Connection:
    """Autocommit until ``begin``. Once ``closed`` it is of no use; its owner opens another."""

    def __init__(self, url: str, timeout: float) -> None:
        try:
            self._raw = psycopg.connect(conninfo(url), autocommit=True, prepare_threshold=None)
        except psycopg.OperationalError as error:
            raise Unavailable("The database cannot be reached; try again shortly.") from error
        self._pg = self._raw.pgconn
        self._names: dict[str, bytes] = {}
        self._rows = Transformer(self._raw)
        self.closed = self.in_transaction = self._snapshot = False
        self._pg.notice_handler = self._heard = _Heard()
        self._news = select.poll()
        self._news.register(self._pg.socket, select.POLLIN)
        self.limit, self.since, self._answered = timeout, 0.0, 0.0
        OVERDUE.watch(self)
        self.command(_SETUP.format(ms=int(timeout * 1000), wait=int(timeout * 1000 * _WAITING)))

    def close(self) -> None:
        self.closed = True
        self._raw.close()

    def lives(self) -> bool:
        """Whether the server has not ended it while it was idle, as it does when it stops, so that nobody is told that
        a change may be stored which was never sent. A look gives other threads their turn: none behind an answer."""
        if monotonic() - self._answered > _IDLE and self._news.poll(0):
            try:
                self._pg.consume_input()
            except psycopg.OperationalError:
                self.closed = True
            self.closed |= self._pg.status != pq.ConnStatus.OK
        return not self.closed

    def command(self, sql: str) -> bytes:
        """Run ``sql`` unprepared, without parameters; returns the command tag."""
        self.since = monotonic()
        try:
            return self._good(self._pg.exec_(sql.encode())).command_status or b""
        except psycopg.OperationalError as error:
            raise self._lost() from error
        finally:
            self.since = 0.0

    def cancel(self) -> None:
        """From another thread: have the server end what it does for this one."""
        with contextlib.suppress(psycopg.Error):
            self._raw.cancel_safe(timeout=_CANCEL_SECONDS)  # the plain one holds the interpreter meanwhile

    def cut(self) -> None:
        """From another thread: end the connection under the one that waits."""
        with contextlib.suppress(OSError, psycopg.Error), socket.socket(fileno=os.dup(self._pg.socket)) as other:
            other.shutdown(socket.SHUT_RDWR)

    def _confirmed(self) -> None:
        """Raises OutcomeUnknown when the commit before did not reach the standby that it waited for."""
        if self._heard.wait_ended:
            raise OutcomeUnknown(_NOT_REPLICATED)

    def query(self, sql: str, params: Sequence[Parameter]) -> list[Row]:
        """Rows of one prepared statement."""
        values, formats = literals(params)
        return self.rows(self.execute(sql, values, formats))

    def rows(self, result: Any) -> list[Row]:
        """All rows of ``result`` as tuples."""
        count = result.ntuples
        if not count:
            return []
        self._rows.set_pgresult(result, format=pq.Format.BINARY)
        return self._rows.load_rows(0, count, tuple)

    def write(self, sql: str, values: list[bytes | None], formats: list[int]) -> Any:
        """`execute` of what stores: outside a transaction OutcomeUnknown when it was sent and not answered."""
        if self.in_transaction:
            return self.execute(sql, values, formats)
        if sql not in self._names:
            self._prepare(sql)
        self._heard.wait_ended = False
        try:
            result = self.execute(sql, values, formats)
        except Unavailable as error:
            if self.closed:
                raise OutcomeUnknown(_UNKNOWN) from error
            raise
        self._confirmed()
        return result

    def execute(self, sql: str, values: list[bytes | None], formats: list[int]) -> Any:
        """The driver's result of one prepared statement, values in text or binary format, columns in binary.

        Raises as `failure_of` says; Unavailable when the connection broke.
        """
        name = self._names.get(sql) or self._prepare(sql)
        self.since = monotonic()
        try:
            # the driver takes None for NULL, whatever its types say
            return self._good(self._pg.exec_prepared(name, values, formats, pq.Format.BINARY))  # type: ignore[arg-type]
        except psycopg.OperationalError as error:
            raise self._lost() from error
        except PlanChanged:
            if self.in_transaction:
                raise Unavailable("The database schema just changed; try again.") from None
            self._forget()
            return self.execute(sql, values, formats)
        finally:
            self.since, self._answered = 0.0, monotonic()

    def _good(self, result: Any) -> Any:
        if result.status in _GOOD:
            return result
        raise self._failure(result)

    def _lost(self) -> Unavailable:
        self.closed = self._pg.status != pq.ConnStatus.OK
        return Unavailable(_LOST)

    def _prepare(self, sql: str) -> bytes:
        if len(self._names) >= MOST_STATEMENTS and not self.in_transaction:
            self._forget()
        name = b"s%d" % len(self._names)
        try:
            self._good(self._pg.prepare(name, sql.encode()))
        except psycopg.OperationalError as error:
            raise self._lost() from error
        self._names[sql] = name
        return name

    def _forget(self) -> None:
        self._names.clear()
        self.command("DEALLOCATE ALL")

    def begin(self, snapshot: bool = False) -> None:
        """``snapshot``: only reads, all of them as of the first."""
        self.command("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY" if snapshot else "BEGIN")
        self.in_transaction, self._snapshot = True, snapshot

    def commit(self) -> None:
        """Raises OutcomeUnknown when the connection broke, unless all of it only read (``snapshot``)."""
        self.in_transaction = self._heard.wait_ended = False
        try:
            tag = self.command("COMMIT")
        except Unavailable as error:
            if self.closed and not self._snapshot:
                raise OutcomeUnknown(_UNKNOWN) from error
            raise
        if tag != b"COMMIT":
            raise DatabaseError("25P02", "a statement of the transaction had failed; it was rolled back")
        self._confirmed()

    def rollback(self) -> None:
        self.in_transaction = False
        if not self.closed:
            with contextlib.suppress(FhirError, DatabaseError):
                self.command("ROLLBACK")

    def _failure(self, result: Any) -> Exception:
        lost = self._lost()
        if self.closed:
            return lost
        state = (result.error_field(pq.DiagnosticField.SQLSTATE) or b"").decode()
        text = (result.error_field(pq.DiagnosticField.MESSAGE_PRIMARY) or b"").decode("utf-8", "replace")
        return failure_of(state, text)


def failure_of(state: str, text: str) -> Exception:
    """The exception for an SQLSTATE; the tables below say which."""
    if state == "0A000" and "cached plan" in text:
        return PlanChanged(state, text)
    if state == "42601" and "memory exhausted" in text:  # the parser's own limit counts as a mistake of syntax
        state = "54001"
    known = _STATES.get(state) or _CLASSES.get(state[:2])
    return known[0](known[1]) if known else DatabaseError(state, text)


_STATES: dict[str, tuple[type[FhirError], str]] = {
    "57014": (TooCostly, TOO_LONG),
    "55P03": (Unavailable, "What is to be changed is locked by a long transaction; try again."),
    "40001": (Conflict, "Another transaction changed the same data; try again."),
    "40P01": (Conflict, "Another transaction waited for the same data; try again."),
    "25006": (Unavailable, "The database is read-only at the moment; try again shortly."),
}
_CLASSES: dict[str, tuple[type[FhirError], str]] = {
    "54": (TooCostly, "The query is too complex; ask for less at once."),
    "57": (Unavailable, "The database is shutting down or starting; try again shortly."),
    "53": (Unavailable, "The database has no room or connection left; try again shortly."),
    "08": (Unavailable, _LOST),
}
