"""Writes on SQLite: everything in one short BEGIN IMMEDIATE transaction, rows sorted by their keys.

FHIR R4 RESTful API, create, update, delete and transaction (https://hl7.org/fhir/R4/http.html).
"""

from collections.abc import Collection, Iterable, Sequence
from typing import TYPE_CHECKING, Any

from fhir_server.audit.record import AuditRow
from fhir_server.store.model import (
    Integrity,
    LostRace,
    MissingTargets,
    OutboxRow,
    StillReferenced,
    Write,
    refuse_old,
)
from fhir_server.store.parameter_sql import generation
from fhir_server.store.postings import Changes, changes, dictionary_rows, postings
from resources.repository import Mark
from resources.search_param.terms import DictionaryEntry

if TYPE_CHECKING:
    from fhir_server.store.sqlite import SqliteStore

BOTH = Integrity()
SUPERSEDE = """INSERT INTO history (rid, version, tenant, type, id, seq, updated, until, deleted, op, doc)
    SELECT rid, version, tenant, type, id, seq, updated, ?3, deleted, op, doc FROM resource
     WHERE rid = ?1 AND version = ?2"""
UPDATE = """UPDATE OR IGNORE resource SET o = ?2, version = ?6, seq = ?7, updated = ?8, deleted = ?9, op = ?10,
    subj = ?11, doc = ?12 WHERE rid = ?1"""
INSERT = """INSERT INTO resource (rid, o, tenant, type, id, version, seq, updated, deleted, op, subj, doc)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12) ON CONFLICT DO NOTHING"""
KNOWN = "SELECT 1 FROM resource WHERE tenant = ?1 AND type = ?2 AND id = ?3"
ALIVE = KNOWN + " AND NOT deleted"
POST_LESS = "DELETE FROM post WHERE h = ?1 AND o = ?2"
POST_MORE = "INSERT INTO post (h, o) VALUES (?1, ?2) ON CONFLICT DO NOTHING"
RNG_LESS = "DELETE FROM rng WHERE h = ?1 AND lo = ?2 AND hi = ?3 AND o = ?4"
RNG_MORE = "INSERT INTO rng (h, lo, hi, o) VALUES (?1, ?2, ?3, ?4) ON CONFLICT DO NOTHING"
STR_LESS = "DELETE FROM str WHERE h = ?1 AND norm = ?2 AND o = ?3"
STR_MORE = "INSERT INTO str (h, norm, o) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING"
POSTINGS = (POST_LESS, POST_MORE, RNG_LESS, RNG_MORE, STR_LESS, STR_MORE)
"""In the order of `fhir_server.store.postings.postings`."""
DICTIONARY = """INSERT INTO dic (h, display, tenant, type, branch, form, system, code, unit)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9) ON CONFLICT DO NOTHING"""
AUDIT = f"""INSERT INTO audit ({", ".join(AuditRow._fields)})
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16)"""
OUTBOX = "INSERT INTO outbox (seq, n, tenant, topic, body) VALUES (?1, ?2, ?3, ?4, ?5)"


class SqliteWriting:
    """The writing half of an SQLite session; see session.Session."""

    _store: "SqliteStore"
    _learned: list[tuple[int, set[DictionaryEntry]]]
    query: Any
    run: Any
    run_many: Any
    transaction: Any
    new_rids: Any
    _take: Any
    referrers: Any

    def write(
        self,
        write: Write,
        audit: Sequence[AuditRow] = (),
        outbox: Sequence[OutboxRow] = (),
        integrity: Integrity = BOTH,
    ) -> int:
        return self.write_all((write,), audit, outbox, (), integrity)[0]

    def write_all(
        self,
        writes: Sequence[Write],
        audit: Sequence[AuditRow] = (),
        outbox: Sequence[OutboxRow] = (),
        marks: Sequence[Mark] = (),
        integrity: Integrity = BOTH,
    ) -> list[int]:
        new = iter(self.new_rids(sum(1 for w in writes if not w.previous)))
        pairs = [(w, changes(self._store.hasher, w, 0 if w.previous else next(new))) for w in writes]
        with self.transaction():
            refuse_old(writes, generation(self)[0])
            first, end = self._take("seq", max(1, len(writes)))
            pairs = [self._write_row(w, c, seq) for (w, c), seq in zip(pairs, range(first, end), strict=False)]
            self._write_postings([c for _, c in pairs])
            self._check_references(pairs, integrity)
            self._learn(pairs)
            self.append_audit(audit)
            tenant = writes[0].tenant if writes else 0
            rows = [(end - 1, n, tenant, row.topic, row.body) for n, row in enumerate(outbox, 1)]
            self.run_many(OUTBOX, rows)
            self.mark(marks)
        return list(range(first, first + len(writes)))

    def _write_row(self, write: Write, change: Changes, seq: int) -> tuple[Write, Changes]:
        """Store the row; should its place be taken, at another tick of its date. Raises LostRace."""
        if write.previous:
            held = self.run(SUPERSEDE, (change.rid, write.previous.version, write.updated)).rowcount
            if held != 1:
                raise LostRace([(write.type, write.id)])
        doc = self._store.sealer.seal(write.doc, change.subject, write.tenant) if write.doc else b""
        for bump in range(1, 10):
            row = (
                change.rid, change.o, write.tenant, write.type, write.id, write.version, seq, write.updated,
                int(not write.doc), write.op, change.subj, doc,
            )  # fmt: skip
            if self.run(UPDATE if write.previous else INSERT, row).rowcount == 1:
                return write, change
            if not write.previous and self.run(KNOWN, (write.tenant, write.type, write.id)).fetchone():
                break
            change = changes(self._store.hasher, write, change.rid, bump)
        raise LostRace([(write.type, write.id)])

    def _write_postings(self, all: list[Changes]) -> None:
        for sql, rows in zip(POSTINGS, postings(all), strict=True):
            if rows:
                self.run_many(sql, rows)

    def _check_references(self, pairs: list[tuple[Write, Changes]], integrity: Integrity) -> None:
        if integrity.targets:
            wanted = {(w.tenant, t) for w, c in pairs for t in c.targets}
            missing = [t for tenant, t in sorted(wanted) if not self.run(ALIVE, (tenant, *t.split("/"))).fetchone()]
            if missing:
                raise MissingTargets(missing)
        for w, _ in pairs if integrity.referrers else ():
            found = [] if w.doc else self.referrers(w.type, w.id, 10, w.tenant)
            if found:
                raise StillReferenced(f"{w.type}/{w.id}", found)

    def _learn(self, pairs: list[tuple[Write, Changes]]) -> None:
        """Dictionary rows of codes not met before; believed only once they are committed."""
        tenant = pairs[0][0].tenant if pairs else 0
        new = self._store.unseen(tenant, {e for _, change in pairs for e in change.dictionary})
        if new:
            self.run_many(DICTIONARY, dictionary_rows(self._store.hasher, tenant, new))
            self._learned.append((tenant, new))

    def lock(self, keys: Iterable[int] = (), shared: Iterable[int] = ()) -> None:
        """Nothing to do: a transaction is alone from its start."""

    def try_lock(self, keys: Collection[int] = (), shared: Collection[int] = ()) -> bool:
        return True

    def mark(self, marks: Sequence[Mark]) -> None:
        for mark in marks:
            self._store.run_mark(self.query, mark)

    def append_audit(self, rows: Sequence[AuditRow]) -> None:
        if rows:
            with self.transaction():
                self.run_many(AUDIT, rows)
