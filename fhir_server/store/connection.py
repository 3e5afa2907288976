"""One PostgreSQL connection of one thread: prepared statements on the driver, errors in the record's vocabulary.

PostgreSQL 15, libpq 34.3 (command execution) and appendix A (SQLSTATE). Measured: 35 us of client CPU for a prepared
statement this way, 130 with cursor and pool, 185 and more through SQLAlchemy.
"""

import contextlib
from collections.abc import Sequence
from typing import Any

import psycopg
from psycopg import pq
from psycopg.adapt import Transformer

from fhir_server.store.literals import literals
from fhir_server.store.model import DatabaseError, Parameter, Row
from resources.errors import Conflict, FhirError, TooCostly, Unavailable

MOST_STATEMENTS = 1000
_LOST = "The connection to the database was lost; try again shortly."
_GOOD = (pq.ExecStatus.TUPLES_OK, pq.ExecStatus.COMMAND_OK)
_WAITING = 0.8
"""Share of the statement's time that it may wait for a lock: it is told apart from a statement that is slow itself."""
_SETUP = (
    "SET plan_cache_mode = force_generic_plan; SET jit = off; SET client_min_messages = error;"
    # a plan made while a table is small is kept: it must use the indexes from the start
    "SET enable_seqscan = off;"
    "SET default_transaction_isolation = 'read committed'; SET TimeZone = 'UTC';"
    "SET statement_timeout = {ms}; SET lock_timeout = {wait}"
)


class PlanChanged(DatabaseError):
    """A prepared statement no longer fits the schema (0A000 after a migration)."""


class Connection:
    """Autocommit until ``begin``. Once ``closed`` it is of no use; its owner opens another."""

    def __init__(self, url: str, timeout: float) -> None:
        try:
            self._raw = psycopg.connect(url, autocommit=True, prepare_threshold=None, connect_timeout=10)
        except psycopg.OperationalError as error:
            raise Unavailable("The database cannot be reached; try again shortly.") from error
        self._pg = self._raw.pgconn
        self._names: dict[str, bytes] = {}
        self._rows = Transformer(self._raw)
        self.closed = self.in_transaction = False
        self.command(_SETUP.format(ms=int(timeout * 1000), wait=int(timeout * 1000 * _WAITING)))

    def close(self) -> None:
        self.closed = True
        self._raw.close()

    def command(self, sql: str) -> bytes:
        """Run ``sql`` unprepared, without parameters; returns the command tag."""
        try:
            return self._good(self._pg.exec_(sql.encode())).command_status or b""
        except psycopg.OperationalError as error:
            raise self._lost() from error

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

    def execute(self, sql: str, values: list[bytes | None], formats: list[int]) -> Any:
        """The driver's result of one prepared statement, values in text or binary format, columns in binary.

        Raises as `failure_of` says; Unavailable when the connection broke.
        """
        name = self._names.get(sql) or self._prepare(sql)
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
        self.in_transaction = True

    def commit(self) -> None:
        """Raises Unavailable when the connection broke: whether the commit happened is then unknown."""
        self.in_transaction = False
        if self.command("COMMIT") != b"COMMIT":
            raise DatabaseError("25P02", "a statement of the transaction had failed; it was rolled back")

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
    "57014": (TooCostly, "The query took too long; narrow it."),
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
