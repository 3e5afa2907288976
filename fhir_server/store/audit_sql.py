"""The SQL of the audit trail and the key tables, on one session; both databases take the same texts but for lists.

FHIR R4 AuditEvent (https://hl7.org/fhir/R4/auditevent.html); docs/adr/audit-chain.md.
"""

from collections.abc import Callable, Sequence
from time import time_ns
from typing import NamedTuple

from fhir_server.at_rest import PatientKey
from fhir_server.audit.record import AuditRow
from fhir_server.audit.trail import CheckpointRow, Head
from fhir_server.keys import SealedKey
from fhir_server.store.session import Session

COLUMNS = ", ".join(AuditRow._fields)
HEAD = "SELECT chain, n, hash FROM audit WHERE chain = $1 ORDER BY chain DESC, n DESC LIMIT 1"
HEAD_BELOW = "SELECT chain, n, hash FROM audit WHERE chain < $1 AND chain >= $2 ORDER BY chain DESC, n DESC LIMIT 1"
ROWS_AFTER = f"SELECT {COLUMNS} FROM audit WHERE (chain, n) > ($1, $2) ORDER BY chain, n LIMIT $3"
ROW = f"SELECT {COLUMNS} FROM audit WHERE chain = $1 AND n = $2 AND tenant = $3"
CHECKPOINTS_AFTER = "SELECT n, recorded, key, body, signature FROM audit_checkpoint WHERE n > $1 ORDER BY n LIMIT $2"
LAST_CHECKPOINT = "SELECT n, recorded, key, body, signature FROM audit_checkpoint ORDER BY n DESC LIMIT 1"
ADD_CHECKPOINT = (
    "INSERT INTO audit_checkpoint (n, recorded, key, body, signature) VALUES ($1, $2, $3, $4, $5) "
    "ON CONFLICT DO NOTHING RETURNING n"
)
KEYS = "SELECT name, id, created, sealed FROM key ORDER BY name, id"
ADD_KEY = "INSERT INTO key (name, id, created, sealed) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING RETURNING id"
PATIENT_KEY_BY_ID = "SELECT id, tenant, patient, sealed FROM patient_key WHERE id = $1"
PATIENT_KEY = "SELECT id, tenant, patient, sealed FROM patient_key WHERE tenant = $1 AND patient = $2"
ADD_PATIENT_KEY = (
    "INSERT INTO patient_key (tenant, patient, id, sealed, created) VALUES ($1, $2, $3, $4, $5) "
    "ON CONFLICT (tenant, patient) DO NOTHING"
)
DESTROY_PATIENT_KEY = (
    "INSERT INTO patient_key (tenant, patient, id, sealed, created, destroyed) VALUES ($1, $2, $3, NULL, $4, $4) "
    "ON CONFLICT (tenant, patient) DO UPDATE SET sealed = NULL, destroyed = excluded.destroyed"
)


class SqlTrail:
    """`fhir_server.audit.trail.Trail` on ``session``."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def insert(self, rows: Sequence[AuditRow]) -> None:
        with self._session.transaction():
            self._session.append_audit(rows)

    def head(self, chain: int) -> Head | None:
        found = self._session.query(HEAD, (chain,))
        return Head._make(found[0]) if found else None

    def heads(self, since: int) -> list[Head]:
        heads: list[Head] = []
        below = 2**63 - 1
        while found := self._session.query(HEAD_BELOW, (below, since)):  # one index probe for each chain
            heads.append(Head._make(found[0]))
            below = heads[-1].chain
        return heads

    def rows_after(self, chain: int, n: int, limit: int) -> list[AuditRow]:
        return [AuditRow._make(row) for row in self._session.query(ROWS_AFTER, (chain, n, limit))]

    def checkpoints_after(self, number: int, limit: int) -> list[CheckpointRow]:
        return [CheckpointRow._make(row) for row in self._session.query(CHECKPOINTS_AFTER, (number, limit))]

    def last_checkpoint(self) -> CheckpointRow | None:
        found = self._session.query(LAST_CHECKPOINT)
        return CheckpointRow._make(found[0]) if found else None

    def add_checkpoint(self, row: CheckpointRow) -> bool:
        return bool(self._session.query(ADD_CHECKPOINT, row))


class SqlKeyRows:
    """`fhir_server.keys.KeyRows` on the calling thread's session, which ``session`` gives."""

    def __init__(self, session: Callable[[], Session]) -> None:
        self._session = session

    def all_keys(self) -> list[SealedKey]:
        return [SealedKey(*row) for row in self._session().query(KEYS)]

    def add_key(self, row: SealedKey) -> bool:
        return bool(self._session().query(ADD_KEY, (row.name, row.id, row.created, row.sealed)))


class SqlPatientKeys:
    """`fhir_server.at_rest.PatientKeyRows` on the calling thread's session, which ``session`` gives."""

    def __init__(self, session: Callable[[], Session]) -> None:
        self._session = session

    def by_id(self, id: int) -> PatientKey | None:
        return self._one(PATIENT_KEY_BY_ID, (id,))

    def by_subject(self, tenant: int, subject: str) -> PatientKey | None:
        return self._one(PATIENT_KEY, (tenant, subject))

    def add(self, row: PatientKey) -> None:
        params = (row.tenant, row.subject, row.id, row.sealed, time_ns() // 1000)
        self._session().query(ADD_PATIENT_KEY, params)

    def destroy(self, tenant: int, subject: str, id: int) -> None:
        self._session().query(DESTROY_PATIENT_KEY, (tenant, subject, id, time_ns() // 1000))

    def in_transaction(self) -> bool:
        return self._session().in_transaction

    def _one(self, sql: str, params: tuple[int | str, ...]) -> PatientKey | None:
        found = self._session().query(sql, params)
        rows = [PatientKey(id, tenant, subject, sealed or b"") for id, tenant, subject, sealed in found]
        return rows[0] if rows else None


# --- AuditEvent search ----------------------------------------------------------------------------------------------


class Clause(NamedTuple):
    """A condition with ``?`` for each of its parameters, in order."""

    text: str
    params: tuple[int | str | list[str], ...]


def equals(column: str, values: Sequence[str], dialect: str) -> Clause:
    """``column`` is one of ``values``, none of them empty: the indexes leave out empty texts, and say so."""
    if len(values) == 1:
        return Clause(f"({column} = ? AND {column} <> '')", (values[0],))
    among = "= ANY(?::text[])" if dialect == "postgresql" else "IN (SELECT value FROM json_each(?))"
    return Clause(f"({column} {among} AND {column} <> '')", (list(values),))


def starts(column: str, prefix: str) -> Clause:
    """``column`` begins with ``prefix``; a range, so that the index serves it (the columns sort by code point)."""
    return Clause(f"({column} >= ? AND {column} < ? AND {column} <> '')", (prefix, prefix + "\U0010ffff"))


def starts_folded(column: str, prefix: str) -> Clause:
    """``column`` begins with ``prefix`` in any case; looks at every row that the other conditions leave."""
    return Clause(f"substr(lower({column}), 1, ?) = ?", (len(prefix), prefix.lower()))


def between(lo: int, hi: int) -> Clause:
    """Recorded in [lo, hi) microseconds."""
    return Clause("(recorded >= ? AND recorded < ?)", (lo, hi))


def either(clauses: Sequence[Clause]) -> Clause:
    """Any of ``clauses``; none of none."""
    if len(clauses) == 1:
        return clauses[0]
    return Clause("(" + (" OR ".join(c.text for c in clauses) or "1 = 0") + ")", _params(clauses))


def neither(clause: Clause) -> Clause:
    """Not ``clause``."""
    return Clause(f"NOT {clause.text}", clause.params)


def behind(descending: bool, row: tuple[int, int, int]) -> Clause:
    """Rows after (recorded, chain, n) in the order of the page."""
    return Clause(f"(recorded, chain, n) {'<' if descending else '>'} (?, ?, ?)", row)


def page(session: Session, clauses: Sequence[Clause], descending: bool, limit: int) -> list[AuditRow]:
    """Up to ``limit`` rows that meet all ``clauses``, ordered by (recorded, chain, n)."""
    way = "DESC" if descending else "ASC"
    sql = f"SELECT {COLUMNS} FROM audit WHERE {_where(clauses)} ORDER BY recorded {way}, chain {way}, n {way} LIMIT ?"
    found = session.query(_numbered(sql), (*_params(clauses), limit))
    return [AuditRow._make(row) for row in found]


def count(session: Session, clauses: Sequence[Clause]) -> int:
    """How many rows meet all ``clauses``."""
    found = session.query(_numbered(f"SELECT count(*) FROM audit WHERE {_where(clauses)}"), _params(clauses))
    return int(found[0][0])


def _where(clauses: Sequence[Clause]) -> str:
    return " AND ".join(clause.text for clause in clauses)


def _params(clauses: Sequence[Clause]) -> tuple[int | str | list[str], ...]:
    return tuple(param for clause in clauses for param in clause.params)


def _numbered(sql: str) -> str:
    parts = sql.split("?")
    return parts[0] + "".join(f"${number}{part}" for number, part in enumerate(parts[1:], 1))
