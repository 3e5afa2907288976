"""Bars of search on a large record: each shape at 100 k and 1 M resources, its first page and one half way.

``make bars ONLY="search: scale" KEEP=FOLDER`` with a folder that ``python -m bench.scaled`` filled; ``python -m
bench.search_scale --keep FOLDER`` prints the table. Milliseconds are CPU of the database's process for the statements
of one search, which other programs disturb less than the clock; list lengths are counted anew each time.
"""

import argparse
import os
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import psycopg

from bench.bar import Bar, Figure, Profile, Skipped
from bench.plans import unbounded_postgresql
from bench.scaled import Record, kept, record
from bench.search_shapes import CALLER, Shape, everything, known, run
from fhir_server import wiring
from fhir_server.search.cursor import Position
from fhir_server.search.engine import SearchEngine
from fhir_server.search.execute import COUNTED
from fhir_server.search.query import parse
from fhir_server.search.sizes import Sizes
from fhir_server.store import Session
from fhir_server.store.search_sets import Span

SMALL, LARGE = 100_000, 1_000_000
MOST = 3.0
"""Milliseconds of a page."""
GROWTH = 2.0
EXACT = 5_000
"""Matches of which the middle is looked for."""
NOISE = 0.5
"""Milliseconds that do not count as growth."""
TIMES = 5
COUNT_MOST = 100.0
DEEP = ("W3", "W5")


@dataclass(frozen=True, slots=True)
class Cost:
    """Milliseconds of database CPU, statements and matches of a page."""

    shape: Shape
    milliseconds: float
    statements: int
    found: int


class Measured:
    """A record with an engine on it."""

    def __init__(self, process: wiring.Process) -> None:
        self.process, self.engine = process, process.engine
        self.session: Session = process.store.session()
        process.store.refresh_statistics()
        self.known = known(self.engine, self.session)
        (self._pid,) = self.session.query("SELECT pg_backend_pid()")[0]

    def cpu(self) -> float:
        """Milliseconds that the session's process of the database has run."""
        return int(Path(f"/proc/{self._pid}/schedstat").read_text().split()[0]) / 1e6

    def cost(self, shape: Shape) -> Cost:
        """The least of some runs."""
        costs, statements, found = [], 0, 0
        for _ in range(TIMES):
            self.engine.sizes = Sizes(COUNTED)
            before = self.cpu()
            with self.session.watched() as asked:
                found = len(run(self.engine, self.session, shape).hits)
            costs.append(self.cpu() - before)
            statements = len(asked)
        return Cost(shape, min(costs), statements, found)

    def half_way(self, shape: Shape) -> Shape:
        """The page of ``shape`` behind the middle of its matches, or of the first of them when they are very many."""
        token = _middle(self.engine, self.session, shape)
        return Shape(shape.family, shape.name, f"{shape.query}&_cursor={token}") if token else shape


def _middle(engine: SearchEngine, session: Session, shape: Shape) -> str:
    from fhir_server.search.engine import _Search

    query = parse(shape.request, engine.default_count, engine.max_count, engine.base)
    search = _Search(engine, session, CALLER, shape.request, query)
    near, far = search._set()
    if far or query.sort:
        return ""
    total = search.executor.count(near, EXACT)
    if total <= 2 * query.count:
        return ""
    whole = search.resolver.everything(shape.request.type)  # of very many those of the type are halved
    chosen, rows = (near, total) if total < EXACT else (whole, search.executor.count(whole))
    (o,) = search.executor.orders(chosen, Span(), rows // 2)[-1:]
    return engine.cursors.seal(CALLER, search.bound, Position(True, o, ()))


def costs(of: Record, deep: bool, chosen: Callable[[Shape], bool] = lambda shape: True) -> dict[str, Cost]:
    """By query: the first pages, or the ones half way."""
    with wiring.Process(of.settings) as process:
        measured = Measured(process)
        shapes = [_page(shape) for shape in everything(measured.known) if chosen(shape)]
        return {_key(n, s): measured.cost(measured.half_way(s) if deep else s) for n, s in enumerate(shapes)}


def _page(shape: Shape) -> Shape:
    """Without the total, which costs what is counted and has a bar of its own."""
    return Shape(shape.family, shape.name, shape.query.replace("&_total=accurate", ""))


def _key(number: int, shape: Shape) -> str:
    return f"{number} {shape.name}"


def _keep() -> Path | None:
    return Path(os.environ["KEEP"]) if os.environ.get("KEEP") else None


def _only_full(it: bool = True) -> None:
    if it:
        raise Skipped("at full size only")


def _published(shape: Shape) -> bool:
    return shape.family.startswith(DEEP)


def _pages(deep: bool) -> Callable[[Profile], Figure]:
    def measure(profile: Profile) -> Figure:
        if profile.scale < 1:
            _only_full(deep)
            with record(profile, 2_000) as small:
                found = costs(small, deep, _published)
            return _figure(found, {})
        if _keep() is None:
            raise Skipped("KEEP=FOLDER names no record of a million resources; python -m bench.scaled fills one")
        with record(profile, SMALL, _keep()) as small, record(profile, LARGE, _keep()) as large:
            return _figure(costs(large, deep, _published), costs(small, deep, _published))

    return measure


def _figure(found: dict[str, Cost], before: dict[str, Cost]) -> Figure:
    slow = [c for c in found.values() if c.milliseconds > MOST]
    grown = [(key, c, before[key]) for key, c in found.items() if key in before and _grew(c, before[key])]
    ordered = sorted(c.milliseconds for c in found.values())
    text = f"{len(found)} pages: median {ordered[len(ordered) // 2]:.2f} ms, worst {ordered[-1]:.1f} ms"
    notes = [f"{c.milliseconds:.1f} ms: {c.shape.query[:90]}" for c in slow]
    notes += [f"{small.milliseconds:.1f} -> {c.milliseconds:.1f} ms: {c.shape.query[:90]}" for _, c, small in grown]
    return Figure(f"{text}; {len(slow)} above {MOST:.0f} ms, {len(grown)} more than doubled", not notes, tuple(notes))


def _grew(cost: Cost, before: Cost) -> bool:
    return cost.milliseconds > GROWTH * before.milliseconds + NOISE


def _count(profile: Profile) -> Figure:
    """``_total=accurate`` of a list with most Observations, or of all, in the database."""
    _only_full(profile.scale < 1)
    size = LARGE if _keep() else SMALL
    with record(profile, size, _keep() if size == LARGE else None) as of, wiring.Process(of.settings) as process:
        measured = Measured(process)
        shapes = [
            Shape("", "", f"Observation?{q}_summary=count") for q in ("", "category=laboratory&", "status=final&")
        ]
        found = [measured.cost(shape) for shape in shapes]
    worst = max(cost.milliseconds for cost in found)
    return Figure(f"{size} resources: {worst:.0f} ms", worst <= COUNT_MOST)


def _space(profile: Profile) -> Figure:
    """Bytes of tables and indexes for each resource, and what loading them took."""
    _only_full(profile.scale < 1)
    size = LARGE if _keep() else SMALL
    with record(profile, size, _keep() if size == LARGE else None) as of, psycopg.connect(of.url) as connection:
        rows = connection.execute(
            "SELECT relname, pg_table_size(oid), pg_indexes_size(oid) FROM pg_class WHERE relkind = 'r' AND relname IN"
            " ('resource', 'post', 'rng', 'str', 'dic') ORDER BY relname"
        ).fetchall()
        seconds = of.seconds or float((of.folder / "loaded").read_text())
    each = sum(table + indexes for _, table, indexes in rows) / size
    parts = ", ".join(f"{name} {table / size:.0f} + {indexes / size:.0f}" for name, table, indexes in rows)
    text = f"{each:.0f} bytes for each of {size} resources; loaded at {size / max(seconds, 1):.0f} per second"
    return Figure(text, each <= 3_000, (f"rows + indexes: {parts}",))


def _plans(profile: Profile) -> Figure:
    """Generic plans of all statements of all shapes and of histories."""
    full = profile.scale == 1
    with record(profile, SMALL if full else 2_000, _keep() if full else None) as of:
        with wiring.Process(of.settings) as process:
            measured = Measured(process)
            session = measured.session
            with session.watched() as asked:
                for shape in everything(measured.known):
                    run(measured.engine, session, shape)
                session.history("Observation", count=20)
                session.history(count=20)
        faults = unbounded_postgresql(of.url, asked, small=not full)
    text = f"{len({each.sql for each in asked})} statements of {of.size} resources: {len(faults)} scans"
    return Figure(text, not faults, tuple(faults[:10]))


BARS: tuple[Bar, ...] = (
    Bar("search: scale, first pages", "1 M: each ≤ 3 ms and ≤ 2x of 100 k", _pages(False), timing=True),
    Bar("search: scale, pages half way", "1 M: each ≤ 3 ms and ≤ 2x of 100 k", _pages(True), timing=True),
    Bar("search: plans at 100 k", "no scan of a table, no index without a bound", _plans),
    Bar("search: scale, accurate count", "1 M: ≤ 100 ms", _count, timing=True),
    Bar("search: scale, space", "≤ 3 KB a resource, rows, documents and indexes", _space, timing=True),
)


def _table(found: dict[str, Cost], before: dict[str, Cost]) -> Iterable[str]:
    for key, cost in found.items():
        was = f"{before[key].milliseconds:9.2f}" if key in before else " " * 9
        told = f"{cost.statements:3} {cost.found:4} {cost.shape.family:14} {cost.shape.name[:34]:34}"
        yield f"{was}{cost.milliseconds:9.2f} {told} {cost.shape.query[:80]}"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--keep", type=Path, required=True)
    parser.add_argument("--sizes", default=f"{SMALL},{LARGE}")
    parser.add_argument("--deep", action="store_true")
    parser.add_argument("--only", default="")
    arguments = parser.parse_args()
    chosen: Callable[[Shape], bool] = lambda s: arguments.only in f"{s.family} {s.name} {s.query}"  # noqa: E731
    found = [costs(kept(arguments.keep, int(n)), arguments.deep, chosen) for n in arguments.sizes.split(",")]
    print("\n".join(_table(found[-1], found[0] if len(found) > 1 else {})))
    return 0


if __name__ == "__main__":
    sys.exit(main())
