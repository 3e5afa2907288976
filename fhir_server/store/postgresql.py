"""The store on PostgreSQL: sessions that reconnect, transactions, list lengths, audit partitions.

FHIR R4 RESTful API (https://hl7.org/fhir/R4/http.html); PostgreSQL 15 or later.
"""

import contextlib
import logging
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from itertools import pairwise

from fhir_server.at_rest import Sealer
from fhir_server.store.base import BaseStore
from fhir_server.store.connection import Connection
from fhir_server.store.model import DatabaseError, Parameter, Row
from fhir_server.store.postgresql_write import PostgresWriting
from fhir_server.store.reading import Reading
from fhir_server.store.threads import PerThread
from fhir_server.store.time_limit import TimeLimit
from fhir_server.store.watch import Watched
from resources.errors import FhirError

RID_BLOCK = 1024
"""The increment of sequence hearth_rid."""
MONTHS_AHEAD = 3
_MERGE = ("nestloop", "hashjoin", "sort", "bitmapscan", "material")
_MERGE_SQL = {
    state: "SELECT " + ", ".join(f"set_config('enable_{name}', '{state}', false)" for name in _MERGE)
    for state in ("off", "on")
}
log = logging.getLogger(__name__)


class PostgresSession(PostgresWriting, Reading, TimeLimit, Watched):
    """See session.Session."""

    dialect = "postgresql"

    def __init__(self, store: "PostgresStore") -> None:
        self._store = store
        self._connection: Connection | None = None
        self._depth = 0

    @property
    def in_transaction(self) -> bool:
        return self._depth > 0

    def connected(self) -> Connection:
        """The open connection; a lost one is replaced, but not in the middle of a transaction."""
        connection = self._connection
        if connection is None or (not self._depth and (connection.closed or not connection.lives())):
            if connection is not None:
                connection.close()
            connection = self._connection = Connection(self._store.url, self._store.timeout)
        return connection

    def query(self, sql: str, params: Sequence[Parameter] = (), *, merge: bool = False) -> list[Row]:
        self.look_at_time()
        if self.watching is not None:
            return self.timed(self._query, sql, params, merge)
        return self._query(sql, params, merge)

    def _query(self, sql: str, params: Sequence[Parameter], merge: bool) -> list[Row]:
        connection = self.connected()
        if not merge:
            return connection.query(sql, params)
        connection.query(_MERGE_SQL["off"], ())
        try:
            return connection.query(sql, params)
        finally:
            if not connection.closed:
                self._merge_on(connection)

    def _merge_on(self, connection: Connection) -> None:
        """Undo; inside a failed transaction the rollback undoes it, because set_config belongs to the transaction."""
        with contextlib.suppress(FhirError, DatabaseError):
            connection.query(_MERGE_SQL["on"], ())

    @contextlib.contextmanager
    def transaction(self, *, snapshot: bool = False) -> Iterator[None]:
        if self._depth:
            yield
            return
        connection = self.connected()
        connection.begin(snapshot)
        self._depth = 1
        try:
            yield
        except BaseException:
            self._depth = 0
            connection.rollback()
            raise
        self._depth = 0
        connection.commit()

    def horizon(self) -> int:
        return int(self.query("SELECT hearth_horizon()")[0][0])

    def new_rids(self, count: int) -> list[int]:
        return self._store.take_rids(count, self._rid_block)

    def _rid_block(self) -> tuple[int, int]:
        last = int(self.query("SELECT nextval('hearth_rid')")[0][0])
        return last, last + RID_BLOCK

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None


class PostgresStore(BaseStore):
    """See session.Store."""

    dialect = "postgresql"

    def __init__(self, url: str, key: bytes | None, sealer: Sealer | None, timeout: float) -> None:
        super().__init__(url, key, sealer, timeout)
        self._sessions: PerThread[PostgresSession] = PerThread(lambda: PostgresSession(self))
        self._aside = PerThread(lambda: PostgresSession(self))

    def session(self) -> PostgresSession:
        return self._sessions.get()

    def aside(self) -> PostgresSession:
        """A second session of this thread, for what must be committed whether or not the first one's transaction is."""
        return self._aside.get()

    def _read_lengths(self) -> dict[int, int]:
        rows = self.aside().query(
            """SELECT most_common_vals::text::bigint[], most_common_freqs::float8[], c.reltuples::float8
                 FROM pg_stats s JOIN pg_class c ON c.oid = 'post'::regclass
                WHERE s.schemaname = current_schema() AND s.tablename = 'post' AND s.attname = 'h'"""
        )
        if not rows or rows[0][0] is None:
            return {}
        lists, shares, total = rows[0]
        return {h: round(share * total) for h, share in zip(lists, shares, strict=True)}

    def _upkeep(self) -> None:
        """Partitions of the audit trail for this month and some more; the default partition catches what is outside."""
        for name, lo, hi in months(datetime.now(UTC), MONTHS_AHEAD):
            self._partition(name, lo, hi)

    def _partition(self, name: str, lo: int, hi: int) -> None:
        session = self.aside()
        if session.query("SELECT to_regclass($1) IS NOT NULL", (name,))[0][0]:
            return
        try:
            session.query("SELECT hearth_audit_partition($1, $2, $3)", (name, lo, hi))
        except (FhirError, DatabaseError) as error:  # the default partition serves until the next round
            log.warning("audit partition %s could not be made: %s", name, type(error).__name__)

    def close(self) -> None:
        for sessions in (self._sessions, self._aside):
            sessions.get().close()


def months(now: datetime, ahead: int) -> list[tuple[str, int, int]]:
    """(partition name, first, end) in microseconds since 1970 of the month of ``now`` and ``ahead`` more."""
    first = [_month(now.year, now.month + n) for n in range(ahead + 2)]
    return [(f"audit_{a:%Y_%m}", _micros(a), _micros(b)) for a, b in pairwise(first)]


def _month(year: int, month: int) -> datetime:
    return datetime(year + (month - 1) // 12, (month - 1) % 12 + 1, 1, tzinfo=UTC)


def _micros(moment: datetime) -> int:
    return int(moment.timestamp()) * 1_000_000
