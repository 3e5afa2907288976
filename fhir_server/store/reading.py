"""Reads of both databases: current rows, versions, history, referrers.

FHIR R4 RESTful API, read, vread and history (https://hl7.org/fhir/R4/http.html#history).
"""

from collections.abc import Callable, Collection, Iterator, Sequence
from itertools import islice, takewhile
from typing import Any

from fhir_server.store.model import Parameter, Row, Stored

COLUMNS = "type, id, version, updated, doc, op, rid, o, seq"
OF_ROW = ", ".join(f"r.{name}" for name in COLUMNS.split(", "))
"""The same of ``resource r``."""
PAST = "type, id, version, updated, doc, op, rid, 0, seq"
# Asked for by its order too, so that only resource_id will do: without statistics the planner of PostgreSQL takes any
# index that begins with the tenant and type to be as good, and reads all of that type for as long as the plan lives.
READ = f"SELECT {COLUMNS} FROM resource WHERE tenant = $1 AND type = $2 AND id >= $3 AND id <= $3 ORDER BY id"
VREAD = f"SELECT {PAST} FROM history WHERE rid = $1 AND version = $2"
CHANGED = f"""SELECT {COLUMNS} FROM resource WHERE tenant = $1 AND type = $2 AND seq > $3 AND seq <= $4
    ORDER BY seq LIMIT $5"""
TYPES = """WITH RECURSIVE t(type) AS (SELECT min(type) FROM resource WHERE tenant = $1 UNION ALL
        SELECT (SELECT min(r.type) FROM resource r WHERE r.tenant = $1 AND r.type > t.type) FROM t
         WHERE t.type IS NOT NULL)
    SELECT type FROM t WHERE type IS NOT NULL"""
LAST_LIVING = """SELECT h.type, h.id, h.version, h.updated, h.doc, h.op, h.rid, 0, h.seq FROM
      (SELECT rid, version, seq FROM resource WHERE tenant = $1 AND type = $2 AND deleted ORDER BY seq DESC LIMIT $3) r
      JOIN history h ON h.rid = r.rid AND h.version = r.version - 1 ORDER BY r.seq DESC"""
PAIRS = {
    "postgresql": "unnest($2::text[], $3::text[]) AS w(t, i)",
    "sqlite": "(SELECT value AS t, json_extract($3, '$[' || key || ']') AS i FROM json_each($2)) AS w",
}
PLACES = {
    "postgresql": "unnest($2::bigint[]) AS w(place)",
    "sqlite": "(SELECT value AS place FROM json_each($2)) AS w",
}
LISTED = {  # fenced, so that each list is probed for
    "postgresql": """(SELECT l.h, p.o AS place FROM unnest($2::bigint[]) AS l(h)
        CROSS JOIN LATERAL (SELECT o FROM post WHERE h = l.h OFFSET 0) p) AS w""",
    "sqlite": "(SELECT p.h, p.o AS place FROM json_each($2) AS l CROSS JOIN post p ON p.h = l.value) AS w",
}
_NAMED = {  # as in READ
    "postgresql": "q.type = w.t AND q.id >= w.i AND q.id <= w.i ORDER BY q.id",
    "sqlite": "q.type = w.t AND q.id = w.i",
}
LISTS = {"postgresql": "unnest($1::bigint[]) AS l(h)", "sqlite": "(SELECT value AS h FROM json_each($1)) AS l"}
BLOCK = 5000
"""Versions looked at in one statement for where ``_since`` begins."""
WINDOW_SLACK = 15 * 60 * 1000
"""Milliseconds by which ``updated`` may disagree with the order of seq: the longest a transaction may take."""


class Reading:
    """The reading half of a session; the other half gives ``query``, ``horizon`` and the equipment."""

    dialect: str
    query: Callable[..., list[Row]]
    horizon: Callable[[], int]
    _store: Any

    @property
    def in_transaction(self) -> bool:
        raise NotImplementedError

    def read(self, type: str, id: str, tenant: int = 0) -> Stored | None:
        rows = self.query(READ, (tenant, type, id))
        return self._stored(rows[0]) if rows else None

    def vread(self, type: str, id: str, version: int, tenant: int = 0) -> Stored | None:
        current = self.query(READ, (tenant, type, id))
        if not current or current[0][2] == version:
            return self._stored(current[0]) if current else None
        if not 0 < version < current[0][2]:
            return None
        rows = self.query(VREAD, (current[0][6], version))
        return self._stored(rows[0]) if rows else None

    def read_many(self, refs: Sequence[tuple[str, str]], tenant: int = 0) -> dict[tuple[str, str], Stored]:
        rows = self._pairs(f"SELECT {OF_ROW}", "", refs, tenant)
        return {(row.type, row.id): row for row in self._all_stored(rows)}

    def exists_many(self, refs: Sequence[tuple[str, str]], tenant: int = 0) -> set[tuple[str, str]]:
        return {(row[0], row[1]) for row in self._pairs("SELECT r.type, r.id", "AND NOT r.deleted", refs, tenant)}

    def _pairs(self, select: str, extra: str, refs: Sequence[tuple[str, str]], tenant: int) -> list[Row]:
        if not refs:
            return []
        sql = f"{select} FROM {PAIRS[self.dialect]} {self._probe(_NAMED[self.dialect])} {extra}"
        return self.query(sql, (tenant, [t for t, _ in refs], [i for _, i in refs]))

    def _probe(self, condition: str) -> str:
        """Join each row at hand with its resource of tenant $1 through the index, fenced from the planner."""
        if self.dialect == "sqlite":
            return f"CROSS JOIN resource r ON r.tenant = $1 AND {condition.replace('q.', 'r.')}"
        where = f"q.tenant = $1 AND {condition}"
        return f"CROSS JOIN LATERAL (SELECT * FROM resource q WHERE {where} OFFSET 0) r WHERE true"

    def read_places(self, places: Sequence[int], tenant: int = 0) -> list[Stored]:
        if not places:
            return []
        sql = f"SELECT {OF_ROW} FROM {PLACES[self.dialect]} {self._probe('q.o = w.place')} AND NOT r.deleted"
        found = {row.o: row for row in self._all_stored(self.query(sql, (tenant, list(places))))}
        return [found[o] for o in places if o in found]

    def read_listed(self, lists: Collection[int], tenant: int = 0) -> list[tuple[int, Stored]]:
        if not lists:
            return []
        sql = f"SELECT {OF_ROW}, w.h FROM {LISTED[self.dialect]} {self._probe('q.o = w.place')} AND NOT r.deleted"
        rows = self.query(sql, (tenant, list(lists)))
        return [(row[9], self._stored(row)) for row in sorted(rows, key=lambda row: row[7])]

    def select(self, sql: str, params: Sequence[Parameter] = ()) -> list[Stored]:
        return self._all_stored(self.query(sql, params))

    def referrers(self, type: str, id: str, limit: int = 10, tenant: int = 0) -> list[str]:
        sql = f"""SELECT DISTINCT r.type || '/' || r.id FROM {LISTS[self.dialect]} JOIN post p ON p.h = l.h
            JOIN resource r ON r.o = p.o LIMIT $2"""
        rows = self.query(sql, (self.referrer_lists(type, id, tenant), limit + 1))
        return [row[0] for row in rows if row[0] != f"{type}/{id}"][:limit]

    def referrer_lists(self, type: str, id: str, tenant: int) -> list[int]:
        """Hashes of all lists that resources which refer to type/id stand on."""
        return [self._store.hasher.target(tenant, f"{type}/{id}")]

    # --- history

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
        top = (1 << 62) if before is None else before
        if not id and not self.in_transaction:  # versions of one resource come in order anyway
            top = min(top, self.horizon() + 1)
        if rids is None:
            sql, params = self._history_sql(type, id, tenant)
        else:
            sql, params = self._parts_sql(types, rids, tenant)
        lowest = 0 if since is None else self._lowest(sql, params, top, since)
        rows = takewhile(lambda row: row[8] >= lowest, self._walk(sql, params, top))
        high = at[1] if at else 1 << 62
        wanted = (row for row in rows if row[3] < high and _current_at(row[9], at))
        return [self._stored(row) for row in islice(wanted, count)]

    def _history_sql(self, type: str, id: str, tenant: int) -> tuple[str, tuple[Parameter, ...]]:
        """Current and superseded rows below seq $1 in one statement: a row that moves between the two is in either."""
        if id:
            where = "tenant = $3 AND type = $4 AND id = $5"
            sources = _both(where, f"rid = (SELECT rid FROM resource WHERE {where})")
            return _newest(sources), (tenant, type, id)
        types = [type] if type else [row[0] for row in self.query(TYPES, (tenant,))]
        wheres = [f"tenant = $3 AND type = ${n}" for n in range(4, 4 + len(types))] or ["tenant = $3"]
        return _newest([source for where in wheres for source in _both(where, where)]), (tenant, *types)

    def _parts_sql(self, types: Sequence[str], rids: Sequence[int], tenant: int) -> tuple[str, tuple[Parameter, ...]]:
        """The same of some types and some resources."""
        among = "= ANY($4::bigint[])" if self.dialect == "postgresql" else "IN (SELECT value FROM json_each($4))"
        present = {row[0] for row in self.query(TYPES, (tenant,))}
        types = [type for type in types if type in present]
        wheres = [f"tenant = $3 AND rid {among}"]
        wheres += [f"tenant = $3 AND type = ${n}" for n in range(5, 5 + len(types))]
        return _newest([source for where in wheres for source in _both(where, where)]), (tenant, list(rids), *types)

    def changed(self, types: Sequence[str], after: int, until: int, count: int, tenant: int = 0) -> list[Stored]:
        rows = [row for type in types for row in self.query(CHANGED, (tenant, type, after, until, count))]
        return self._all_stored(sorted(rows, key=lambda row: row[8])[:count])

    def last_living(self, types: Sequence[str], limit: int, tenant: int = 0) -> list[Stored]:
        found: list[Stored] = []
        for type in types:
            found += self._all_stored(self.query(LAST_LIVING, (tenant, type, limit)))
        return found

    def _lowest(self, sql: str, params: tuple[Parameter, ...], top: int, since: int) -> int:
        """The lowest seq below ``top`` of a version stamped at ``since`` (ms) or later.

        A version is stamped before it gets its place in the order. One that was stamped before ``since`` but came after
        a version stamped since then belongs to the answer: whoever polls from the newest instant seen would never see
        it. Looks on until all of a block is older by more than a transaction may take.
        """
        stamped = f"min(CASE WHEN updated >= ${len(params) + 3} THEN seq END)"
        block = f"SELECT {stamped}, max(updated), min(seq), count(*) FROM ({sql}) AS y"
        lowest = 1 << 62
        while True:
            found, newest, end, count = self.query(block, (top, BLOCK, *params, since))[0]
            lowest = lowest if found is None else found
            if count < BLOCK or newest < since - WINDOW_SLACK:
                return lowest
            top = end

    def _walk(self, sql: str, params: tuple[Parameter, ...], top: int) -> Iterator[Row]:
        """Rows newest first, in blocks that grow."""
        limit = 50
        while True:
            rows = self.query(sql, (top, limit, *params))
            yield from rows
            if len(rows) < limit:
                return
            top, limit = rows[-1][8], min(limit * 2, 1000)

    def history_count(self, type: str = "", id: str = "", tenant: int = 0) -> int:
        if id:
            rows = self.query(READ, (tenant, type, id))
            return rows[0][2] if rows else 0
        extra, params = ("AND type = $2", (tenant, type)) if type else ("", (tenant,))
        sql = f"""SELECT (SELECT count(*) FROM resource WHERE tenant = $1 {extra})
            + (SELECT count(*) FROM history WHERE tenant = $1 {extra})"""
        return int(self.query(sql, params)[0][0])

    def _all_stored(self, rows: list[Row]) -> list[Stored]:
        """The same of many rows with the columns COLUMNS and no others."""
        opened = self._store.sealer.open
        return [
            Stored(type, id, version, updated, opened(doc) if doc else doc, op, rid, o, seq)
            for type, id, version, updated, doc, op, rid, o, seq in rows
        ]

    def _stored(self, row: Row) -> Stored:
        type, id, version, updated, doc, op, rid, o, seq = row[:9]
        return Stored(type, id, version, updated, self._store.sealer.open(doc) if doc else doc, op, rid, o, seq)


def _current_at(until: int | None, at: tuple[int, int] | None) -> bool:
    """Whether a version that was superseded at ``until`` was still current when ``at`` began."""
    return at is None or until is None or until > at[0]


def _both(current: str, past: str) -> list[str]:
    return [
        f"SELECT {COLUMNS}, CAST(NULL AS bigint) AS until FROM resource WHERE {current} AND seq < $1",
        f"SELECT {PAST}, until FROM history WHERE {past} AND seq < $1",
    ]


def _newest(sources: list[str]) -> str:
    fenced = " UNION ALL ".join(f"SELECT * FROM ({source} ORDER BY seq DESC LIMIT $2) AS s" for source in sources)
    return f"SELECT * FROM ({fenced}) AS x ORDER BY seq DESC LIMIT $2"
