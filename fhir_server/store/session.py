"""The Store and its thread-bound Session: what the repository, the search, the audit and the worker call.

FHIR R4 RESTful API (https://hl7.org/fhir/R4/http.html): read, vread, history, and atomic writes.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any, Protocol

from fhir_server.at_rest import Sealer
from fhir_server.audit.record import AuditRow
from fhir_server.store.hashing import Hasher
from fhir_server.store.model import Integrity, OutboxRow, Parameter, Row, Stored, Write
from fhir_server.store.parameters import StoredParameters
from fhir_server.store.watch import Asked
from resources.repository import Mark


class Session(Protocol):
    """One thread's connection. Autocommit outside ``transaction()``. Every method raises errors.Unavailable when the
    database cannot be reached (the next call connects anew) and errors.TooCostly when a statement ran out of time."""

    dialect: str
    """'postgresql' or 'sqlite'."""

    def query(self, sql: str, params: Sequence[Parameter] = (), *, merge: bool = False) -> list[Row]:
        """Rows of one statement with $1.. placeholders; prepared and cached by its text, so keep the texts few.

        Lists become arrays on PostgreSQL and JSON arrays (for json_each) on SQLite. bytea comes back as bytes, bigint[]
        as list. ``merge`` forbids every join but the merge join for this statement (PostgreSQL; elsewhere no effect).
        Data-changing statements are allowed and commit at once outside ``transaction()``.
        """
        ...

    def limited(self, seconds: float) -> AbstractContextManager[None]:
        """Statements begun later than ``seconds`` from now raise TooCostly."""
        ...

    def watched(self) -> AbstractContextManager[list[Asked]]:
        """The queries of this session from here on, with rows and seconds, in a list that grows."""
        ...

    def transaction(self, *, snapshot: bool = False) -> AbstractContextManager[None]:
        """All calls of this session inside are one transaction that an exception rolls back; nested use joins.

        READ COMMITTED on PostgreSQL, the only writer (BEGIN IMMEDIATE) on SQLite. With ``snapshot`` it only reads, all
        of it as of one moment, and neither waits nor is waited for.
        """
        ...

    @property
    def in_transaction(self) -> bool: ...

    # --- writes

    def write(
        self,
        write: Write,
        audit: Sequence[AuditRow] = (),
        outbox: Sequence[OutboxRow] = (),
        integrity: Integrity = ...,
    ) -> int:
        """Store one version with all that belongs to it, in one round trip; returns its seq.

        Joins an open transaction, otherwise is one of its own. Raises LostRace, MissingTargets, StillReferenced.
        """
        ...

    def write_all(
        self,
        writes: Sequence[Write],
        audit: Sequence[AuditRow] = (),
        outbox: Sequence[OutboxRow] = (),
        marks: Sequence[Mark] = (),
        integrity: Integrity = ...,
    ) -> list[int]:
        """Store many versions in one transaction, one statement per table; returns the seqs in the order of ``writes``.

        At most one write per resource. References between the writes are fine, whatever their order.
        Call ``lock`` before reading what the writes depend on. Raises LostRace, MissingTargets, StillReferenced.
        """
        ...

    def lock(self, keys: Iterable[int] = (), shared: Iterable[int] = ()) -> None:
        """Inside a transaction: hold ``keys`` alone and ``shared`` together with other sharers until its end.

        Call once, first, with the hashes (Hasher.lock) of all criteria, carried identifiers and ids to be written; keys
        are taken in sorted order, so lockers never deadlock. On SQLite a transaction is alone anyway.
        """
        ...

    def try_lock(self, keys: Collection[int] = (), shared: Collection[int] = ()) -> bool:
        """The same later in the transaction, without waiting: whether all could be had.

        After False roll back, and begin anew with these keys in the first ``lock``.
        """
        ...

    def mark(self, marks: Sequence[Mark]) -> None:
        """Run registered marks (``Store.register_mark``) here, in the open transaction if there is one."""
        ...

    def append_audit(self, rows: Sequence[AuditRow]) -> None:
        """Add rows to the audit trail (of reads and refusals; those of writes go with the write)."""
        ...

    def new_rids(self, count: int) -> list[int]:
        """Numbers for new resources; never given twice, gaps are normal. (``write`` takes them itself.)"""
        ...

    # --- reads

    def read(self, type: str, id: str, tenant: int = 0) -> Stored | None:
        """The current row, a deletion too (``.deleted``); None when there never was one."""
        ...

    def vread(self, type: str, id: str, version: int, tenant: int = 0) -> Stored | None:
        """One version, current or superseded; None when it never was."""
        ...

    def read_many(self, refs: Sequence[tuple[str, str]], tenant: int = 0) -> dict[tuple[str, str], Stored]:
        """Current rows of (type, id) pairs, deletions too; absent ones are left out."""
        ...

    def exists_many(self, refs: Sequence[tuple[str, str]], tenant: int = 0) -> set[tuple[str, str]]:
        """Those of the (type, id) pairs that exist and are not deleted."""
        ...

    def read_places(self, places: Sequence[int], tenant: int = 0) -> list[Stored]:
        """Current rows by ``o``, in the order of ``places``; those that moved or were deleted are left out."""
        ...

    def read_listed(self, lists: Collection[int], tenant: int = 0) -> list[tuple[int, Stored]]:
        """All current rows that stand on ``lists`` (`Hasher.h`), with the list of each, in the order of ``o``."""
        ...

    def select(self, sql: str, params: Sequence[Parameter] = ()) -> list[Stored]:
        """Rows of a statement that selects the columns ``reading.COLUMNS`` of table resource, in their order."""
        ...

    def history(
        self,
        type: str = "",
        id: str = "",
        *,
        count: int,
        since: int | None = None,
        at: tuple[int, int] | None = None,
        before: int | None = None,
        tenant: int = 0,
        types: Sequence[str] = (),
        rids: Sequence[int] | None = None,
    ) -> list[Stored]:
        """Up to ``count`` versions of the instance, type or system, newest first; with ``rids`` of those resources and
        of ``types`` instead.

        ``since``: updated >= since (ms), or later in the order of seq than such a version. ``at``: current at some time
        in [lo, hi) ms. ``before``: keyset, only seq < before (the seq of the last row of the page before). Type and
        system history stop below the first write that an open transaction may still add (``horizon``), so that paging
        and polling skip nothing.
        """
        ...

    def changed(self, types: Sequence[str], after: int, until: int, count: int, tenant: int = 0) -> list[Stored]:
        """Up to ``count`` current rows, deletions among them, with after < seq <= until, in the order of seq."""
        ...

    def last_living(self, types: Sequence[str], limit: int, tenant: int = 0) -> list[Stored]:
        """Of the newest ``limit`` deletions of each type the version before; type by type, newest first."""
        ...

    def history_count(self, type: str = "", id: str = "", tenant: int = 0) -> int:
        """Number of versions, deletions included."""
        ...

    def horizon(self) -> int:
        """The last seq below which no open transaction can add a row any more. Readers in the order of seq (outbox,
        subscriptions, ascending ``_lastUpdated``) stop here, inclusive, and lose nothing when they go on later.

        Take it in a statement of its own, before the rows are read.
        """
        ...

    def referrers(self, type: str, id: str, limit: int = 10, tenant: int = 0) -> list[str]:
        """References (``Observation/1``) to up to ``limit`` resources, other than itself, that refer to type/id."""
        ...


class Store(Protocol):
    """One database. Safe to share between threads, and to open before a fork."""

    dialect: str
    timeout: float
    """Seconds that one statement may take."""

    parameters: StoredParameters
    """The search parameters that are stored in it."""

    @property
    def hasher(self) -> Hasher:
        """Raises RuntimeError before the store is equipped."""
        ...

    def equip(self, key: bytes, sealer: Sealer | None = None) -> None:
        """Give the store the keys that themselves lie in the database: the hash ``key`` and how documents are sealed.

        Before this only ``migrate``, ``session().query``, ``transaction`` and ``append_audit`` may be used.
        """
        ...

    def session(self) -> Session:
        """This thread's session, made at first use."""
        ...

    def register_mark(self, name: str, sql: str) -> None:
        """Name a row update for ``Mark``: ``sql`` takes the mark's params as ``:name``."""
        ...

    def most_common(self, h: int) -> int | None:
        """About how many resources stand on list ``h``; None: it is short, or nothing is known (always on SQLite)."""
        ...

    def refresh_statistics(self) -> None:
        """Read list lengths and make the coming months' audit partitions; happens by itself every few minutes."""
        ...

    def migrate(self, packages: Mapping[str, Sequence[Any]] | None = None) -> list[str]:
        """Bring the schema up to date: this package's MIGRATIONS, then ``packages`` (name → its MIGRATIONS), in order.

        Returns what was applied (``store 1``). Safe when several processes start at once; a second call does nothing.
        Raises SchemaTooNew.
        """
        ...

    def pending(self, packages: Mapping[str, Sequence[Any]] | None = None) -> list[str]:
        """What ``migrate`` would apply now; changes nothing. Raises SchemaTooNew."""
        ...

    def close(self) -> None:
        """Close this process's connections."""
        ...
