"""Sets run by the database against a plain evaluation of the same sets over the same rows."""

import random
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from fhir_server.search import execute
from fhir_server.search.execute import Executor
from fhir_server.store import Session, Store, search_leap
from fhir_server.store.order import IMPRECISE
from fhir_server.store.search_sets import (
    UNKNOWN_SIZE,
    Both,
    Changed,
    Chosen,
    Dated,
    Either,
    Except,
    Imprecise,
    Instance,
    Interval,
    Lists,
    Set,
    Span,
    Subjects,
    Text,
    Window,
    both,
    either,
    walkable,
)

ROWS = 400
EVERYTHING = 1
DENSITY = {EVERYTHING: 1.0, 2: 0.5, 3: 0.5, 4: 0.1, 5: 0.02, 6: 0.9, 7: 0.0}
LIES = (1, 50, 5_000, UNKNOWN_SIZE // 2)
"""Sizes given to lists: whatever the statistics say, the answer must be the same."""


class Row:
    """One resource of the plain evaluation."""

    def __init__(self, n: int, dice: random.Random) -> None:
        self.n, self.vague = n, dice.random() < 0.3
        self.tick = dice.randrange(ROWS) * 8
        self.o = self.tick << 26 | (IMPRECISE if self.vague else 0) | n
        self.id, self.updated, self.subject = f"r{n}", dice.randrange(50), dice.randrange(8)
        self.lists = {h for h, density in DENSITY.items() if dice.random() < density}
        start = -1000 if dice.random() < 0.2 else self.tick  # no start: it stands where it ends
        self.ranges = [(8, start, self.tick + dice.randrange(1, 100))] if self.vague else []
        self.ranges += [(9, lo, lo + 1) for lo in dice.sample(range(40), dice.randrange(3))]
        self.texts = [dice.choice("abc") + dice.choice(["nn", "nb", ""]) for _ in range(dice.randrange(3))]


def holds(part: Set, row: Row) -> bool:
    """The plain evaluation."""
    match part:
        case Lists():
            return bool(row.lists & set(part.hashes))
        case Window():
            return part.lo <= row.o < part.hi and not row.vague
        case Dated():
            return holds(part.precise, row) or (row.vague and holds(part.other, row))
        case Imprecise():
            return row.vague
        case Interval():
            return any(
                h in part.hashes and part.lo_from <= lo < part.lo_to and part.hi_from <= hi < part.hi_to
                for h, lo, hi in row.ranges
            )
        case Text():
            fits = {"exact": str.__eq__, "prefix": str.startswith, "contains": str.__contains__}[part.how]
            return 10 in part.hashes and any(fits(text, part.norm) for text in row.texts)
        case Instance():
            return row.id in part.ids
        case Changed():
            return row.updated >= part.instant if part.op == "ge" else row.updated < part.instant
        case Subjects():
            return row.subject in part.hashes
        case Chosen():
            return row.o in part.orders
        case Except():
            return not holds(part.part, row)
        case Both():
            return all(holds(p, row) for p in part.parts)
        case Either():
            return any(holds(p, row) for p in part.parts)


@pytest.fixture
def rows(store: Store) -> Iterator[list[Row]]:
    dice = random.Random(20)
    made = [Row(n, dice) for n in range(ROWS)]
    session = store.session()
    with session.transaction():
        for row in made:
            insert(session, row)
    yield made


def insert(session: Session, row: Row) -> None:
    no = "false" if session.dialect == "postgresql" else "0"
    values = [row.n, row.o, row.id, row.n, row.updated, row.subject, b"\0{}"]
    session.query(
        "INSERT INTO resource (rid, o, tenant, type, id, version, seq, updated, deleted, op, subj, doc)"
        f" VALUES ($1, $2, 0, 'Basic', $3, 1, $4, $5, {no}, 'PUT', $6, $7)",
        values,
    )
    for h in row.lists:
        session.query("INSERT INTO post VALUES ($1, $2)", [h, row.o])
    for h, lo, hi in set(row.ranges):
        session.query("INSERT INTO rng (h, lo, hi, o) VALUES ($1, $2, $3, $4)", [h, lo, hi, row.o])
    for text in set(row.texts):
        session.query("INSERT INTO str (h, norm, o) VALUES ($1, $2, $3)", [10, text, row.o])


place = st.integers(-10, ROWS * 8 + 10)
bound = st.integers(-2, 120)
lists = st.builds(
    Lists,
    st.lists(st.sampled_from(sorted(DENSITY)), min_size=1, max_size=3, unique=True).map(tuple),
    st.sampled_from(LIES),
)
single = st.builds(Lists, st.sampled_from(sorted(DENSITY)).map(lambda h: (h,)), st.sampled_from(LIES))
windows = st.builds(Window, place.map(lambda t: t << 26), place.map(lambda t: t << 26))
vague = st.builds(Interval, st.just((8,)), st.one_of(place, st.just(-1000)), place, place, place.map(lambda t: t + 100))


def bounded(window: Window, other: Interval) -> Dated:
    """What the resolver says of members that have a start and of those that have none."""
    return Dated(window, other, max(other.lo_to, 0) << 26, replace(other, lo_to=min(other.lo_to, -999), size=0))


intervals = st.builds(
    Interval, st.sampled_from([(9,), (8, 9), (7, 9)]), bound, bound, bound, bound, st.sampled_from(LIES)
)
texts = st.builds(
    Text,
    st.sampled_from([(10,), (9, 10)]),
    st.sampled_from(["a", "an", "n", "", "bnb"]),
    st.sampled_from(["prefix", "exact", "contains"]),
)
leaves = st.one_of(
    lists,
    single,
    single,
    st.builds(Dated, st.one_of(windows, st.builds(lambda a, b: either(a, b), windows, windows)), vague),
    st.builds(bounded, windows, vague),
    intervals,
    texts,
    st.builds(
        Instance,
        st.just("Basic"),
        st.lists(st.integers(0, ROWS).map(lambda n: f"r{n}"), min_size=1, max_size=3).map(tuple),
    ),
    st.builds(Changed, st.just("Basic"), st.sampled_from(["ge", "lt"]), st.integers(-1, 51)),
    st.builds(Subjects, st.lists(st.integers(0, 9), max_size=3).map(tuple)),
)
sets: st.SearchStrategy[Set] = st.recursive(
    leaves,
    lambda inner: st.one_of(
        st.lists(inner, min_size=1, max_size=3).map(lambda parts: both(*parts)),
        st.lists(inner, min_size=1, max_size=3).map(lambda parts: either(*parts)),
        inner.map(Except),
    ),
    max_leaves=5,
)
easy = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)


def whole(part: Set) -> Set:
    everything = Lists((EVERYTHING,), ROWS)
    return part if walkable(part) else both(part, everything)


def expected(part: Set, rows: list[Row], span: Span, descending: bool) -> list[int]:
    return sorted((r.o for r in rows if span.lo <= r.o < span.hi and holds(part, r)), reverse=descending)


@given(sets, st.booleans(), st.integers(1, 60), place, place, st.booleans())
@easy
def test_orders_are_those_of_the_plain_evaluation(
    store: Store, rows: list[Row], part: Set, descending: bool, limit: int, lo: int, hi: int, bounded: bool
) -> None:
    executor = Executor(store.session(), 0)
    span = Span(min(lo, hi) << 26, max(lo, hi) << 26) if bounded else Span()
    near = executor.measured(whole(part), lambda: Lists((EVERYTHING,), ROWS))
    assert executor.orders(near, span, limit, descending) == expected(part, rows, span, descending)[:limit]


@given(windows, vague, st.booleans(), st.booleans(), st.sampled_from([1, 30, 500]), st.sampled_from([2, ROWS]), place)
@easy
def test_periods_that_last_into_a_time_are_found_by_their_ends(
    store: Store,
    rows: list[Row],
    window: Window,
    other: Interval,
    whole: bool,
    descending: bool,
    limit: int,
    few: int,
    last: int,
) -> None:
    executor = Executor(store.session(), 0)
    near = Both((bounded(window, other) if whole else Dated(window, other), Lists((2,), 5_000)))
    span = Span(hi=last << 26) if descending else Span(lo=last << 26)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(execute, "FEW", few)
        want = expected(near, rows, span, descending)[:limit]
        assert executor.orders(near, span, limit, descending) == want


@given(
    st.lists(single, min_size=2, max_size=4, unique_by=lambda p: p.hashes), st.one_of(st.none(), sets), st.booleans()
)
@easy
def test_leaping_finds_what_walking_finds(
    store: Store, rows: list[Row], parts: list[Lists], extra: Set | None, descending: bool
) -> None:
    executor = Executor(store.session(), 0)
    long = [Lists(p.hashes, 5_000 + n) for n, p in enumerate(parts)]
    near = Both((*long, *([Except(extra)] if extra else [])))
    want = expected(near, rows, Span(), descending)
    for limit in (1, 7, 1000):
        assert executor.orders(near, Span(), limit, descending) == want[:limit]


@given(
    st.lists(single, min_size=2, max_size=3, unique_by=lambda p: p.hashes), st.booleans(), st.sampled_from([1, 30, 500])
)
@easy
def test_what_a_leap_leaves_open_is_finished(
    store: Store, rows: list[Row], parts: list[Lists], descending: bool, limit: int
) -> None:
    executor = Executor(store.session(), 0)
    with pytest.MonkeyPatch.context() as patch:
        for name, budget in {"BLOCK": 4, "BLOCKS": 3, "SEEKS": 9}.items():
            patch.setattr(search_leap, name, budget)
        for long in (400, 4_000):  # the second makes the rest a merge join on PostgreSQL
            near = Both(tuple(Lists(p.hashes, 400 + n * long) for n, p in enumerate(parts)))
            assert executor.orders(near, Span(), limit, descending) == expected(near, rows, Span(), descending)[:limit]


@given(sets)
@easy
def test_pages_are_a_partition_and_the_count_their_sum(store: Store, rows: list[Row], part: Set) -> None:
    executor = Executor(store.session(), 0)
    near = executor.measured(whole(part), lambda: Lists((EVERYTHING,), ROWS))
    seen, span = [], Span()
    while page := executor.orders(near, span, 37):
        seen += page
        span = Span(span.lo, page[-1])
    assert seen == expected(part, rows, Span(), True)
    assert executor.count(near) == len(seen)
    assert executor.count(near, len(seen) // 2) == len(seen) // 2


@given(sets, st.lists(st.sampled_from(sorted(DENSITY)), max_size=4, unique=True))
@easy
def test_lists_that_hold_a_member(store: Store, rows: list[Row], part: Set, hashes: list[int]) -> None:
    executor = Executor(store.session(), 0)
    want = {h for h in hashes if any(h in row.lists and holds(part, row) for row in rows)}
    assert executor.any_on(hashes, part) == want
