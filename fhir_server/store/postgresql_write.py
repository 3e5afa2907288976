"""Writes on PostgreSQL: one version in one round trip, many versions in one statement per table.

FHIR R4 RESTful API, create, update, delete and transaction (https://hl7.org/fhir/R4/http.html).
"""

from collections.abc import Collection, Iterable, Sequence
from typing import TYPE_CHECKING, Any, cast

from fhir_server.audit.record import AuditRow
from fhir_server.store.connection import Connection
from fhir_server.store.literals import BINARY, TEXT, Bigints, Blobs, texts
from fhir_server.store.locks import CRITERIA_GATE, criteria_locks, reference_locks
from fhir_server.store.model import (
    DatabaseError,
    Integrity,
    LostRace,
    MissingTargets,
    OldRegistry,
    OutboxRow,
    Parameter,
    StillReferenced,
    Write,
    generation_of,
    refuse_old,
)
from fhir_server.store.order import LOW
from fhir_server.store.postings import Changes, changes, dictionary_rows, postings
from resources.repository import Mark
from resources.search_param.terms import DictionaryEntry

if TYPE_CHECKING:
    from fhir_server.store.postgresql import PostgresStore

BOTH = Integrity()
_FORMATS = [TEXT] * 4 + [BINARY] + [TEXT] * 17
_WRITE = f"hearth_write({', '.join(f'${n}' for n in range(1, 22))})"
WRITE_ONE = f"SELECT CASE WHEN $22::bigint < 0 OR hearth_generation() = $22::bigint THEN {_WRITE} ELSE 'old' END"
"""The last parameter is the generation of the registry that the entries were read with, -1 without entries."""
AUDIT = f"""INSERT INTO audit ({", ".join(AuditRow._fields)})
    SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::int[], $5::text[], $6::text[], $7::int[],
                         $8::text[], $9::text[], $10::text[], $11::text[], $12::text[], $13::text[], $14::text[],
                         $15::text[], $16::bytea[])"""
DICTIONARY = """INSERT INTO dic (h, display, tenant, type, branch, form, system, code, unit)
    SELECT * FROM unnest($1::bigint[], $2::text[], $3::int[], $4::text[], $5::text[], $6::text[], $7::text[],
                         $8::text[], $9::text[]) ON CONFLICT DO NOTHING"""
LOCK = """SELECT CASE WHEN w.alone = 1 THEN pg_advisory_xact_lock(w.k) ELSE pg_advisory_xact_lock_shared(w.k) END
    FROM unnest($1::bigint[], $2::int[]) AS w(k, alone)"""
TRY_LOCK = """SELECT bool_and(CASE WHEN w.alone = 1 THEN pg_try_advisory_xact_lock(w.k)
    ELSE pg_try_advisory_xact_lock_shared(w.k) END) FROM unnest($1::bigint[], $2::int[]) AS w(k, alone)"""
SUPERSEDE = """WITH old AS (
      SELECT r.*, w.until FROM resource r JOIN unnest($1::bigint[], $2::int[], $3::bigint[]) AS w(rid, version, until)
          ON r.rid = w.rid AND r.version = w.version ORDER BY r.rid FOR UPDATE OF r)
    INSERT INTO history (rid, version, tenant, type, id, seq, updated, until, deleted, op, doc)
    SELECT rid, version, tenant, type, id, seq, updated, until, deleted, op, doc FROM old RETURNING rid"""
_ROWS = """unnest($1::bigint[], $2::bigint[], $3::int[], $4::text[], $5::text[], $6::int[], $7::bigint[], $8::int[],
    $9::text[], $10::bigint[], $11::bytea[]) AS w(rid, o, tenant, type, id, version, updated, deleted, op, subj, doc)"""
UPDATE = f"""UPDATE resource r SET o = w.o, version = w.version, seq = nextval('hearth_seq'), updated = w.updated,
    deleted = w.deleted = 1, op = w.op, subj = w.subj, doc = w.doc
    FROM {_ROWS} WHERE r.rid = w.rid RETURNING r.rid, r.seq"""
INSERT = f"""INSERT INTO resource (rid, o, tenant, type, id, version, seq, updated, deleted, op, subj, doc)
    SELECT w.rid, w.o, w.tenant, w.type, w.id, w.version, nextval('hearth_seq'), w.updated, w.deleted = 1, w.op, w.subj,
           w.doc
    FROM {_ROWS} ON CONFLICT DO NOTHING RETURNING rid, seq"""
# Where resource_id would be one of several indexes to the planner, its order makes it the only one (see reading).
MISSING = """SELECT string_agg(w.type || '/' || w.id, ' ') FROM unnest($2::text[], $3::text[]) AS w(type, id)
    LEFT JOIN LATERAL (SELECT 1 AS k FROM resource r WHERE r.tenant = $1 AND r.type = w.type COLLATE "C"
                       AND r.id >= w.id COLLATE "C" AND r.id <= w.id COLLATE "C" AND NOT r.deleted
                       ORDER BY r.id OFFSET 0) x ON true
    WHERE x.k IS NULL"""
TAKEN = "SELECT o, rid FROM resource WHERE o = ANY($1::bigint[])"
POST_LESS = "DELETE FROM post p USING unnest($1::bigint[], $2::bigint[]) AS w(h, o) WHERE p.h = w.h AND p.o = w.o"
POST_MORE = "INSERT INTO post SELECT * FROM unnest($1::bigint[], $2::bigint[]) ON CONFLICT DO NOTHING"
RNG_LESS = """DELETE FROM rng p USING unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[]) AS w(h, lo, hi, o)
    WHERE p.h = w.h AND p.lo = w.lo AND p.hi = w.hi AND p.o = w.o"""
RNG_MORE = """INSERT INTO rng SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[])
    ON CONFLICT DO NOTHING"""
STR_LESS = """DELETE FROM str p USING unnest($1::bigint[], $2::text[], $3::bigint[]) AS w(h, norm, o)
    WHERE p.h = w.h AND p.norm = w.norm COLLATE "C" AND p.o = w.o"""
STR_MORE = "INSERT INTO str SELECT * FROM unnest($1::bigint[], $2::text[], $3::bigint[]) ON CONFLICT DO NOTHING"
POSTINGS = (POST_LESS, POST_MORE, RNG_LESS, RNG_MORE, STR_LESS, STR_MORE)
"""In the order of `fhir_server.store.postings.postings`."""
NEW_POSTINGS = tuple(sql.replace(" ON CONFLICT DO NOTHING", "") for sql in POSTINGS)
"""The same of what is new: its place holds no rows yet, and to look for some costs as much again."""
OUTBOX = """INSERT INTO outbox SELECT $1, n, $2, topic, body FROM unnest($3::text[], $4::bytea[]) WITH ORDINALITY
    AS w(topic, body, n)"""
_JOINS = ("hashjoin", "mergejoin", "material")
# The batch statements join rows at hand with a table by its key: a probe for each row, even if the table was small when
# the plan was made. What else the transaction asks is planned as ever.
BEFORE = "SELECT hearth_generation(), hearth_announce(), " + ", ".join(
    f"set_config('enable_{name}', 'off', true)" for name in _JOINS
)
AFTER = "SELECT " + ", ".join(f"set_config('enable_{name}', 'on', true)" for name in _JOINS)
REFERENCE_LOCKS = "SELECT pg_advisory_xact_lock_shared(k) FROM unnest($1::bigint[]) k"


class PostgresWriting:
    """The writing half of a PostgreSQL session; see session.Session."""

    _store: "PostgresStore"
    query: Any
    transaction: Any
    new_rids: Any
    referrer_lists: Any

    def connected(self) -> Connection:
        raise NotImplementedError

    @property
    def in_transaction(self) -> bool:
        raise NotImplementedError

    def write(
        self,
        write: Write,
        audit: Sequence[AuditRow] = (),
        outbox: Sequence[OutboxRow] = (),
        integrity: Integrity = BOTH,
    ) -> int:
        rid = 0 if write.previous else self.new_rids(1)[0]
        for bump in range(8):
            change = changes(self._store.hasher, write, rid, bump)
            answer = self._write_one(write, change, audit, outbox, integrity)
            if answer != "place":
                return _seq_of(answer, write)
        raise LostRace([(write.type, write.id)])

    def _write_one(
        self,
        write: Write,
        change: Changes,
        audit: Sequence[AuditRow],
        outbox: Sequence[OutboxRow],
        integrity: Integrity,
    ) -> str:
        self._remember(write.tenant, change.dictionary)
        values = self._values(write, change, audit, outbox, integrity)
        try:
            result = self.connected().write(WRITE_ONE, values, _FORMATS)
        except DatabaseError as error:
            if error.state == "23505" and not self.in_transaction:  # an update moved to a place just taken
                return "place"
            raise
        answer: bytes = result.get_value(0, 0)
        return answer.decode()

    def _values(
        self,
        write: Write,
        change: Changes,
        audit: Sequence[AuditRow],
        outbox: Sequence[OutboxRow],
        integrity: Integrity,
    ) -> list[bytes | None]:
        """The 21 parameters of hearth_write, None for an empty list; then the generation."""
        tenant, delete = write.tenant, not write.doc
        targets = change.targets if integrity.targets else {}
        own = self.referrer_lists(write.type, write.id, tenant) if delete else []
        shared, alone = reference_locks(targets.values(), own)
        doc = b"" if delete else self._store.sealer.seal(write.doc, change.subject, tenant)
        types, ids = _split(targets)
        previous = write.previous.version if write.previous else 0
        row = (previous, change.rid, change.o, change.old_o, tenant, write.version, write.updated, change.subj)
        return [
            b"{%d,%d,%d,%d,%d,%d,%d,%d}" % row,
            write.type.encode(),
            write.id.encode(),
            write.op.encode(),
            doc,
            _numbers(change.less),
            _numbers(change.more),
            _flat(change.rng_less),
            _flat(change.rng_more),
            *_strings(change.str_less),
            *_strings(change.str_more),
            _numbers(shared),
            _numbers(alone),
            _texts(types),
            _texts(ids),
            _numbers(own if integrity.referrers else []),
            _audit(audit),
            _texts([row.topic for row in outbox]),
            _hexes([row.body for row in outbox]),
            b"%d" % generation_of(write),
        ]

    def write_all(
        self,
        writes: Sequence[Write],
        audit: Sequence[AuditRow] = (),
        outbox: Sequence[OutboxRow] = (),
        marks: Sequence[Mark] = (),
        integrity: Integrity = BOTH,
    ) -> list[int]:
        with self.transaction():
            pairs = self._changes(writes)
            self._remember(_tenant(pairs), {e for _, change in pairs for e in change.dictionary})
            self._lock_references(pairs, integrity)
            self._store.sealer.ready({change.subject for write, change in pairs if write.doc}, _tenant(pairs))
            refuse_old(writes, int(self.query(BEFORE)[0][0]))
            seqs = self._update_rows([p for p in pairs if p[0].previous])
            seqs |= self._insert_rows([p for p in pairs if not p[0].previous])
            self._write_postings(POSTINGS, [change for write, change in pairs if write.previous])
            self._write_postings(NEW_POSTINGS, [change for write, change in pairs if not write.previous])
            self._check_references(pairs, integrity)
            self.query(AFTER)
            self.append_audit(audit)
            if outbox:
                tenant, n = writes[0].tenant if writes else 0, max(seqs.values(), default=0)
                n = n or int(self.query("SELECT nextval('hearth_seq')")[0][0])
                self.query(OUTBOX, (n, tenant, [row.topic for row in outbox], [row.body for row in outbox]))
            self.mark(marks)
        return [seqs[change.rid] for _, change in pairs]

    def _changes(self, writes: Sequence[Write]) -> list[tuple[Write, Changes]]:
        new = iter(self.new_rids(sum(1 for w in writes if not w.previous)))
        hasher = self._store.hasher
        pairs = [(w, changes(hasher, w, 0 if w.previous else next(new))) for w in writes]
        if max((change.rid for _, change in pairs), default=0) > LOW:  # below, o cannot be taken
            pairs = self._free_places(pairs)
        return pairs

    def _free_places(self, pairs: list[tuple[Write, Changes]]) -> list[tuple[Write, Changes]]:
        """Move those whose place is taken, here or in the table, to another tick of their date."""
        taken = dict(self.query(TAKEN, ([change.o for _, change in pairs],)))
        free: list[tuple[Write, Changes]] = []
        for write, change in pairs:
            bump = 0
            while taken.setdefault(change.o, change.rid) != change.rid:
                bump += 1
                change = changes(self._store.hasher, write, change.rid, bump)
                taken |= dict(self.query(TAKEN, ([change.o],)))
            free.append((write, change))
        return free

    def _lock_references(self, pairs: list[tuple[Write, Changes]], integrity: Integrity) -> None:
        deleted = [h for w, _ in pairs if not w.doc for h in self.referrer_lists(w.type, w.id, w.tenant)]
        targets = {t: h for _, change in pairs for t, h in change.targets.items()} if integrity.targets else {}
        own = {f"{w.type}/{w.id}" for w, _ in pairs if not w.previous}
        shared, alone = reference_locks({h for t, h in targets.items() if t not in own}, deleted)
        if not alone:
            self.query(REFERENCE_LOCKS, (shared,))
            return
        keys = sorted([(k, 0) for k in shared] + [(k, 1) for k in alone])
        self.query(LOCK, ([k for k, _ in keys], [a for _, a in keys]))

    def _update_rows(self, pairs: list[tuple[Write, Changes]]) -> dict[int, int]:
        if not pairs:
            return {}
        previous = [w.previous.version for w, _ in pairs if w.previous]
        held = self.query(SUPERSEDE, ([c.rid for _, c in pairs], previous, [w.updated for w, _ in pairs]))
        if len(held) < len(pairs):
            alive = {row[0] for row in held}
            raise LostRace([(w.type, w.id) for w, c in pairs if c.rid not in alive])
        return dict(self.query(UPDATE, self._row_arrays(pairs)))

    def _insert_rows(self, pairs: list[tuple[Write, Changes]]) -> dict[int, int]:
        if not pairs:
            return {}
        ordered = sorted(pairs, key=lambda p: (p[0].type, p[0].id))
        seqs = dict(self.query(INSERT, self._row_arrays(ordered)))
        if len(seqs) < len(pairs):
            raise LostRace([(w.type, w.id) for w, c in pairs if c.rid not in seqs])
        return seqs

    def _row_arrays(self, pairs: list[tuple[Write, Changes]]) -> tuple[Parameter | Blobs, ...]:
        seal = self._store.sealer.seal
        docs = Blobs(len(pairs), (seal(w.doc, c.subject, w.tenant) if w.doc else b"" for w, c in pairs))
        return (
            [c.rid for _, c in pairs],
            [c.o for _, c in pairs],
            [w.tenant for w, _ in pairs],
            [w.type for w, _ in pairs],
            [w.id for w, _ in pairs],
            [w.version for w, _ in pairs],
            [w.updated for w, _ in pairs],
            [int(not w.doc) for w, _ in pairs],
            [w.op for w, _ in pairs],
            [c.subj for _, c in pairs],
            docs,
        )

    def _write_postings(self, statements: tuple[str, ...], all: list[Changes]) -> None:
        for sql, rows in zip(statements, postings(all), strict=True):
            if rows:
                self.query(sql, [_column(column) for column in zip(*rows, strict=True)])

    def _check_references(self, pairs: list[tuple[Write, Changes]], integrity: Integrity) -> None:
        """After the rows are there, so that references among them count; a new statement sees what was committed."""
        tenant = _tenant(pairs)
        targets = sorted({t for _, change in pairs for t in change.targets}) if integrity.targets else []
        if targets:
            missing = self.query(MISSING, (tenant, *_split(targets)))[0][0]
            if missing:
                raise MissingTargets(missing.split(" "))
        deleted = [w for w, _ in pairs if not w.doc] if integrity.referrers else []
        lists = [self.referrer_lists(w.type, w.id, tenant) for w in deleted]
        if deleted and self._referred([h for each in lists for h in each]):
            for w, each in zip(deleted, lists, strict=True):
                found = self._referred(each)
                if found:
                    raise StillReferenced(f"{w.type}/{w.id}", found.split(" "))

    def _referred(self, lists: list[int]) -> str | None:
        found: str | None = self.query("SELECT hearth_referrers($1, '{}', 10)", (lists,))[0][0]
        return found

    def _remember(self, tenant: int, entries: Iterable[DictionaryEntry]) -> None:
        """Dictionary rows are committed at once, apart from the write: they show nothing by themselves, and a long
        transaction must not hold up everybody who meets the same code."""
        new = self._store.unseen(tenant, entries)
        if not new:
            return
        rows = dictionary_rows(self._store.hasher, tenant, new)
        session = self._store.aside() if self.in_transaction else self
        session.query(DICTIONARY, [list(column) for column in zip(*rows, strict=True)])
        self._store.saw(tenant, new)

    def lock(self, keys: Iterable[int] = (), shared: Iterable[int] = ()) -> None:
        ordered, alone = criteria_locks(keys, shared)
        self.query(LOCK, (ordered, [int(a) for a in alone]))

    def try_lock(self, keys: Collection[int] = (), shared: Collection[int] = ()) -> bool:
        ordered, alone = criteria_locks(keys, shared)
        if ordered == [CRITERIA_GATE]:  # more than can be held one by one
            return False
        had: bool = self.query(TRY_LOCK, (ordered, [int(a) for a in alone]))[0][0]
        return had

    def mark(self, marks: Sequence[Mark]) -> None:
        for mark in marks:
            self._store.run_mark(self.query, mark)

    def append_audit(self, rows: Sequence[AuditRow]) -> None:
        if rows:
            self.query(AUDIT, [list(column) for column in zip(*rows, strict=True)])


def _column(values: tuple[int | str, ...]) -> "Bigints | list[int | str]":
    return Bigints(cast("tuple[int, ...]", values)) if isinstance(values[0], int) else list(values)


def _seq_of(answer: str, write: Write) -> int:
    """The seq, or the exception that hearth_write's answer stands for."""
    word, _, rest = answer.partition(" ")
    if word == "old":
        raise OldRegistry([(write.type, write.id)])
    if word == "lost":
        raise LostRace([(write.type, write.id)])
    if word == "missing":
        raise MissingTargets(rest.split(" "))
    if word == "referred":
        raise StillReferenced(f"{write.type}/{write.id}", rest.split(" "))
    return int(word)


def _tenant(pairs: list[tuple[Write, Changes]]) -> int:
    return pairs[0][0].tenant if pairs else 0


def _split(references: Iterable[str]) -> tuple[list[str], list[str]]:
    parts = [reference.split("/") for reference in references]
    return [p[0] for p in parts], [p[1] for p in parts]


def _numbers(values: list[int]) -> bytes | None:
    return ("{" + str(values)[1:-1] + "}").encode() if values else None


def _flat(rows: Sequence[tuple[int, int, int]]) -> bytes | None:
    return _numbers([n for row in rows for n in row]) if rows else None


def _strings(rows: Sequence[tuple[int, str]]) -> tuple[bytes | None, bytes | None]:
    return (_numbers([h for h, _ in rows]), texts([norm for _, norm in rows])) if rows else (None, None)


def _texts(values: Sequence[str]) -> bytes | None:
    return texts(values) if values else None


def _hexes(values: Sequence[bytes]) -> bytes | None:
    return texts(["\\x" + value.hex() for value in values]) if values else None


def _audit(rows: Sequence[AuditRow]) -> bytes | None:
    """The hash, the last column, in hexadecimal without the backslash of bytea's own notation, which needs escaping."""
    if not rows:
        return None
    return texts([text for row in rows for text in (*map(str, row[:-1]), row[-1].hex())])
