"""Intersections of long posting lists: block leaps and merge joins on PostgreSQL, single leaps on SQLite.

FHIR R4 Search (https://hl7.org/fhir/R4/search.html#combining). A leap walks the shortest list a little and then jumps
to where another list goes on: lists that are dense in different years cost a few seeks, not a walk through both.
"""

from collections.abc import Callable, Sequence
from typing import Any

from fhir_server.store.search_sets import HIGHEST, LOWEST, Both, Lists, Set, Span, Window, size
from fhir_server.store.search_sql import SearchSql, shortest

BLOCK = 32
"""Rows of the walked list that are probed between two jumps."""
BLOCKS = 40
"""Budget of one statement on PostgreSQL: at most 3 ms."""
SEEKS = 1_000
"""Budget of one statement on SQLite."""

Run = Callable[[str, Sequence[Any]], list[tuple[Any, ...]]]
Leapt = tuple[list[int], int | None]
"""Members found in order, and the first order key not yet looked at (None: all were)."""


def leap_postgresql(sql: SearchSql, run: Run, near: Both, span: Span, limit: int) -> Leapt:
    """Walk blocks of the shortest list, probe the rest, jump to where the other lists go on."""
    rows = run(*_block_statement(sql, near, span, limit))
    found: list[int] = [o for orders, *_ in rows for o in orders or ()]
    _, open_at, done = rows[-1]
    return found, None if open_at is None or done < BLOCKS else open_at


def _block_statement(sql: SearchSql, near: Both, span: Span, limit: int) -> tuple[str, list[Any]]:
    driver, lists, tests, span = _parts(near, span)
    down = sql.way == "DESC"
    begin = sql.p(span.hi - 1 if down else span.lo)
    bound = f"p.o <= z.nx AND p.o >= {sql.p(span.lo)}" if down else f"p.o >= z.nx AND p.o < {sql.p(span.hi)}"
    block = (
        f"SELECT p.o FROM post p WHERE p.h = {sql.p(driver.hashes[0])} AND {bound} ORDER BY p.o {sql.way} LIMIT {BLOCK}"
    )
    probes = " AND ".join(sql.probe(part, "a.o") for part in [*lists, *tests])
    text = (
        f"WITH RECURSIVE z(nx, os, k, i) AS (SELECT CAST({begin} AS bigint), NULL::bigint[], 0, 0 UNION ALL "
        f"SELECT y.nx, y.os, z.k + coalesce(array_length(y.os, 1), 0), z.i + 1 FROM z CROSS JOIN LATERAL ("
        f"SELECT {_jump(sql, lists, down)} AS nx, array_agg(a.o ORDER BY a.o {sql.way}) FILTER (WHERE b.k = 1) AS os "
        f"FROM ({block}) a LEFT JOIN LATERAL (SELECT 1 AS k WHERE {probes} OFFSET 0) b ON true) y "
        f"WHERE z.k < {sql.p(limit)} AND z.i < {BLOCKS} AND z.nx IS NOT NULL) SELECT os, nx, i FROM z ORDER BY i"
    )
    return text, sql.params


def _jump(sql: SearchSql, lists: Sequence[Lists], down: bool) -> str:
    """Where the furthest of the other lists goes on behind the block; NULL when one of them has ended."""
    pick, compare, last, end = ("LEAST", "<", "min", LOWEST) if down else ("GREATEST", ">", "max", HIGHEST)
    arms = (
        f"coalesce((SELECT p.o FROM post p WHERE p.h = {sql.p(part.hashes[0])} AND p.o {compare} {last}(a.o)"
        f" ORDER BY p.o {sql.way} LIMIT 1), {end})"
        for part in lists
    )
    return f"NULLIF({pick}({', '.join(arms)}), {end})"


def merge_sql(sql: SearchSql, near: Both, span: Span, limit: int) -> str:
    """A join of all single lists in their order; to be run with every other kind of join forbidden."""
    driver, lists, tests, span = _parts(near, span)
    joins = "".join(
        f" JOIN post j{n} ON j{n}.o = p.o AND j{n}.h = {sql.p(part.hashes[0])}" for n, part in enumerate(lists)
    )
    probes = "".join(" AND " + sql.probe(part, "p.o") for part in tests)
    bounds = f"p.h = {sql.p(driver.hashes[0])} AND p.o >= {sql.p(span.lo)} AND p.o < {sql.p(span.hi)}"
    return f"SELECT p.o FROM post p{joins} WHERE {bounds}{probes}{sql.top(limit, 'p')}"


def leap_sqlite(sql: SearchSql, run: Run, near: Both, span: Span, limit: int) -> Leapt:
    """One seek per step, the lists in turn; a member is where as many seeks as there are lists agree."""
    rows = run(*_seek_statement(sql, near, span))
    found = [o for o, hit, _ in rows if hit]
    open_at = next((o for o, _, step in rows if step == SEEKS), None)
    if found and open_at == found[-1]:
        found.pop()
    return found[:limit], open_at


def _seek_statement(sql: SearchSql, near: Both, span: Span) -> tuple[str, list[Any]]:
    driver, lists, tests, span = _parts(near, span)
    turn = [driver, *lists]
    n, down = len(turn), sql.way == "DESC"
    far, sign = ("max", "-") if down else ("min", "+")
    bounds = f"p.o >= {sql.p(span.lo)} AND p.o < {sql.p(span.hi)}"
    arms = " ".join(f"WHEN {i} THEN {sql.p(part.hashes[0])}" for i, part in enumerate(turn))
    run_length = "CASE WHEN z.v = z.p THEN z.run + 1 ELSE 1 END"
    compare = "<=" if down else ">="
    hit = f"z.v = z.p AND z.run + 1 >= {n}" + "".join(" AND " + sql.probe(part, "z.v") for part in tests)
    seek = f"SELECT {far}(p.o) FROM post p WHERE {bounds} AND p.h ="
    text = (
        f"WITH RECURSIVE z(v, p, run, i) AS (SELECT ({seek} {sql.p(driver.hashes[0])}), NULL, 0, 0 UNION ALL"
        f" SELECT ({seek} CASE (z.i + 1) % {n} {arms} END AND p.o {compare} z.v {sign} ({run_length} >= {n})),"
        f" z.v, {run_length}, z.i + 1 FROM z WHERE z.v IS NOT NULL AND z.i < {SEEKS})"
        f" SELECT z.v, ({hit}) AS hit, z.i FROM z WHERE z.v IS NOT NULL AND (({hit}) OR z.i = {SEEKS})"
    )
    return text, sql.params


def _parts(near: Both, span: Span) -> tuple[Lists, list[Lists], list[Set], Span]:
    """The list to walk, the other single lists, short ones first, the remaining tests, what windows leave of span."""
    driver = shortest(near.parts)
    assert isinstance(driver, Lists)
    others = [p for p in near.parts if p is not driver]
    lists = sorted((p for p in others if isinstance(p, Lists) and len(p.hashes) == 1), key=size)
    for window in (p for p in others if isinstance(p, Window)):
        span = span.meet(window.lo, window.hi)
    return driver, lists, [p for p in others if p not in lists], span
