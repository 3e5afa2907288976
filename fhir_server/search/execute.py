"""Runs sets: chooses what to walk by list lengths, leaps over dense lists, and stays within a budget.

FHIR R4 Search (https://hl7.org/fhir/R4/search.html). The rule was measured: a short list is walked and the others
probed; long lists leap over each other in blocks; what is then still open is probed or, on PostgreSQL, merged.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence

from msgspec.structs import replace

from fhir_server.search.lasting import beside, lasting, stretches
from fhir_server.search.members import Far, TooMany
from fhir_server.search.sizes import Sizes, every
from fhir_server.store import Session, Stored
from fhir_server.store.reading import OF_ROW
from fhir_server.store.search_leap import leap_postgresql, leap_sqlite, merge_sql
from fhir_server.store.search_sets import (
    UNKNOWN_SIZE,
    Both,
    Changed,
    Chosen,
    Dated,
    Either,
    Except,
    Interval,
    Lists,
    Patients,
    Set,
    Span,
    Text,
    both,
    size,
    walkable,
)
from fhir_server.store.search_sql import MANY_LISTS, SearchSql, SqliteSearchSql, in_order, shortest

SHORT = 300
"""Members of a list that is walked without leaping."""
COUNTED = 2_000
"""How far sets of unknown size are counted; longer ones are probed, not walked."""
COLLECTED = 700
"""Intervals of few lists that are rather collected than walked by place."""
FEW = 200
"""Resources that are rather asked whether they last into a time than found by their ends."""
WINDOWS = (200, 1_000, 5_000, 20_000)
"""Rows whose numbers are read at a time."""
BATCHES = (100, 400, 1_000)
"""Rows that a test beyond SQL is given at a time."""
WALK_BUDGET = 50_000
"""Rows that tests beyond SQL may look at in one search."""


class Executor:
    """Runs sets for one tenant in one session."""

    def __init__(self, session: Session, tenant: int, sizes: Sizes | None = None) -> None:
        self.session, self.tenant = session, tenant
        self.sizes = sizes or Sizes(COUNTED)
        self.postgresql = session.dialect == "postgresql"

    def sql(self, descending: bool = True) -> SearchSql:
        """A new statement of this database's kind."""
        return (SearchSql if self.postgresql else SqliteSearchSql)(self.tenant, descending)

    # --- pages ------------------------------------------------------------------------------------------------------

    def orders(self, near: Set, span: Span, limit: int, descending: bool = True) -> list[int]:
        """The first ``limit`` members of a measured set inside ``span``, in order, each once."""
        if (wide := _wide(near)) is not None:
            return self._by_windows(near, wide, span, limit, descending)
        if self._leaps(near):
            return self._leap(near, span, limit, descending)
        found: list[int] = []
        for part, stretch in self._stretches(near, span, descending):
            sql = self.sql(descending)
            text = sql.stream(part, stretch, limit - len(found))
            found += (o for (o,) in self.session.query(text, sql.params))
            if len(found) >= limit:
                break
        return found

    def _stretches(self, near: Set, span: Span, descending: bool) -> Iterator[tuple[Set, Span]]:
        """What is walked one after the other."""
        dated = lasting(near)
        if dated is None:
            yield near, span
            return
        for part, stretch in stretches(near, dated, span, descending):
            behind = part is not near and len(self.orders(beside(near, dated), stretch, FEW)) == FEW
            yield (part if behind else near), stretch

    def _by_windows(self, near: Set, wide: Interval | Either, span: Span, limit: int, descending: bool) -> list[int]:
        """Numbers under many codes and units: to ask each row for all of them costs as much as to ask some hundred rows
        at once, so what lies within some stretch of the order is read of every list."""
        assert isinstance(near, Both)
        rest = both(*(p for p in near.parts if p is not wide))
        found: list[int] = []
        for n in range(WALK_BUDGET):
            block = max(WINDOWS[min(n, len(WINDOWS) - 1)], limit)
            orders = self.orders(rest, span, block, descending)
            if orders:
                there = self._there(wide, Span(min(orders), max(orders) + 1))
                found += [o for o in orders if o in there]
            if len(found) >= limit or len(orders) < block:
                break
            span = span.meet(span.lo, orders[-1]) if descending else span.meet(orders[-1] + 1, span.hi)
        return found[:limit]

    def _there(self, wide: Interval | Either, span: Span) -> set[int]:
        there: set[int] = set()
        for some in _of_same_lists(wide):
            sql = self.sql()
            text = sql.in_window(some, span)
            there.update(o for (o,) in self.session.query(text, sql.params))
        return there

    @staticmethod
    def _leaps(near: Set) -> bool:
        if not isinstance(near, Both) or any(isinstance(p, Dated) for p in near.parts):
            return False
        lists = [p for p in near.parts if _single(p)]
        return len(lists) > 1 and size(near) > SHORT and shortest(near.parts) in lists

    def _leap(self, near: Set, span: Span, limit: int, descending: bool) -> list[int]:
        assert isinstance(near, Both)
        leap = leap_postgresql if self.postgresql else leap_sqlite
        sql = self.sql(descending)
        found, open_at = leap(sql, self.session.query, near, span, limit)
        if open_at is None or len(found) >= limit:
            return found[:limit]
        rest = span.meet(span.lo, open_at + 1) if descending else span.meet(open_at, span.hi)
        return found + self._finish(near, rest, limit - len(found), descending)

    def _finish(self, near: Both, span: Span, limit: int, descending: bool) -> list[int]:
        sql = self.sql(descending)
        sizes = sorted(size(p) for p in near.parts if _single(p))
        if self.postgresql and 15 * sizes[0] * (len(sizes) - 1) >= sum(sizes):
            text = merge_sql(sql, near, span, limit)
            return [o for (o,) in self.session.query(text, sql.params, merge=True)]
        text = sql.stream(near, span, limit)
        return [o for (o,) in self.session.query(text, sql.params)]

    def first(self, near: Set, far: Sequence[Far], span: Span, limit: int, descending: bool = True) -> list[Stored]:
        """The first ``limit`` rows with their documents: mostly one statement."""
        if far or self._leaps(near) or _wide(near) is not None:
            return self.session.read_places(self.page(near, far, span, limit, descending), self.tenant)
        found: list[Stored] = []
        for part, stretch in self._stretches(near, span, descending):
            sql = self.sql(descending)
            text = sql.rows_of(sql.stream(part, stretch, limit - len(found)), OF_ROW)
            found += (row for row in self.session.select(text, sql.params) if row.doc)  # no document: deleted
            if len(found) >= limit:
                break
        return found

    def page(self, near: Set, far: Sequence[Far], span: Span, limit: int, descending: bool = True) -> list[int]:
        """Like ``orders``, with tests beyond SQL."""
        if not far:
            return self.orders(near, span, limit, descending)
        found: list[int] = []
        for rows in self._batches(near, far, span, descending):
            found.extend(rows)
            if len(found) >= limit:
                break
        return found[:limit]

    def _batches(self, near: Set, far: Sequence[Far], span: Span, descending: bool) -> Iterator[list[int]]:
        seen = 0
        for n in range(WALK_BUDGET):
            batch = BATCHES[min(n, len(BATCHES) - 1)]
            orders = self.orders(near, span, batch, descending)
            rows = self.session.read_places(orders, self.tenant)
            for test in far:
                kept = test.keep(rows) if rows else set()
                rows = [row for row in rows if row.o in kept]
            yield [row.o for row in rows]
            if len(orders) < batch:
                return
            seen += batch
            if seen > WALK_BUDGET:
                raise _too_many()
            span = span.meet(span.lo, orders[-1]) if descending else span.meet(orders[-1] + 1, span.hi)

    # --- whole sets -------------------------------------------------------------------------------------------------

    def all_orders(self, near: Set, far: Sequence[Far], limit: int) -> list[int]:
        """All members. Raises TooMany when they are more than ``limit``."""
        found = self.page(near, far, Span(), limit + 1)
        if len(found) > limit:
            raise _too_many()
        return found

    def names(self, type: str, near: Set, far: Sequence[Far], limit: int) -> list[tuple[int, str]]:
        """(o, id) of all members, in any order."""
        near = self.measured(near, None)
        if far:
            return [(row.o, row.id) for row in self.rows(type, near, far, limit)]
        sql = self.sql()
        text = sql.rows_of(sql.stream(near, Span(), limit + 1), "r.o, r.id, r.type, r.deleted, r.tenant")
        rows = self.session.query(text, sql.params)
        if len(rows) > limit:
            raise _too_many()
        return [
            (o, id) for o, id, kind, deleted, tenant in rows if kind == type and tenant == self.tenant and not deleted
        ]

    def rows(self, type: str, near: Set, far: Sequence[Far], limit: int) -> list[Stored]:
        """All members, in any order. Raises TooMany when they are more than ``limit``."""
        found = self.first(self.measured(near, None), far, Span(), limit + 1)
        if len(found) > limit:
            raise _too_many()
        return [row for row in found if row.type == type]

    def places(self, type: str, ids: Iterable[str]) -> dict[str, int]:
        """``o`` of those ids that exist and are not deleted."""
        wanted = [(type, id) for id in ids]
        return {id: row.o for (_, id), row in self.session.read_many(wanted, self.tenant).items() if not row.deleted}

    def rids(self, near: Set, limit: int) -> list[int]:
        """The row numbers of all members, in any order. Raises TooMany when they are more than ``limit``."""
        sql = self.sql()
        text = sql.rows_of(sql.stream(near, Span(), limit + 1), "r.o, r.rid")
        rows = self.session.query(text, sql.params)
        if len(rows) > limit:
            raise _too_many()
        return [rid for _, rid in rows]

    def references(self, near: Set, limit: int) -> list[str]:
        """``Type/id`` of all members, in any order. Raises TooMany when they are more than ``limit``."""
        sql = self.sql()
        text = sql.rows_of(sql.stream(near, Span(), limit + 1), "r.o, r.type, r.id, r.deleted")
        rows = self.session.query(text, sql.params)
        if len(rows) > limit:
            raise _too_many()
        return [f"{type}/{id}" for _, type, id, deleted in rows if not deleted]

    def versions(self, near: Set, limit: int = 10_000) -> list[tuple[str, str, int]]:
        """(type, id, version) of all members, in any order. Raises TooMany when they are more than ``limit``."""
        sql = self.sql()
        text = sql.rows_of(sql.stream(near, Span(), limit + 1), "r.type, r.id, r.version, r.deleted")
        rows = self.session.query(text, sql.params)
        if len(rows) > limit:
            raise _too_many()
        return [(type, id, version) for type, id, version, deleted in rows if not deleted]

    def any(self, near: Set, far: Sequence[Far]) -> bool:
        """Whether there are members."""
        return bool(self.page(self.measured(near, None), far, Span(), 1))

    def any_on(self, hashes: Sequence[int], near: Set) -> set[int]:
        """Those lists that hold a member of ``near``."""
        sql = self.sql()
        return {h for (h,) in self.session.query(sql.any_on(hashes, near), sql.params)}

    def count(self, near: Set, cap: int | None = None) -> int:
        """The number of members, counted no further than ``cap``."""
        sql = self.sql()
        ((n,),) = self.session.query(f"SELECT count(*) FROM ({sql.stream(near, Span(), cap)}) n", sql.params)
        return int(n)

    def length(self, part: Lists) -> int:
        """The rows of all its lists together, counted no further than COUNTED."""
        return self._counts([part])[part]

    # --- sizes ------------------------------------------------------------------------------------------------------

    def measured(self, near: Set, everything: Callable[[], Set] | None) -> Set:
        """``near`` with sizes that were unknown counted, where they decide what to walk.

        When all is long and only ranges and strings could be walked, the list ``everything`` is added to be walked.
        """
        if not isinstance(near, Both | Either | Interval | Text | Changed):
            return near
        if everything is None and not isinstance(near, Both | Either):  # walked in any case
            return near
        near = _split(near)
        unknown = self._unknown(near)
        if not unknown:
            return near
        near = _resized(
            near, {part: n if n < _most(part) else _long(part) for part, n in self._counts(unknown).items()}
        )
        if everything is None or size(near) < UNKNOWN_SIZE or _ordered(near):
            return near
        return both(near, everything())

    def _counts(self, parts: Sequence[Set]) -> dict[Set, int]:
        """The lengths of ``parts``, or what they cannot exceed, up to COUNTED."""
        counts = {part: self.sizes.known(self.tenant, part) for part in parts}
        asked = [part for part, count in counts.items() if count is None]
        if asked:
            asked += dict.fromkeys(every(p) for p in asked if isinstance(p, Interval) and len(p.hashes) <= MANY_LISTS)
            sql = self.sql()
            ((*found,),) = self.session.query(sql.capped_counts(asked, COUNTED), sql.params)
            for part, count in zip(asked, found, strict=True):
                self.sizes.learn(self.tenant, part, count)
                counts[part] = count
        return {part: count for part in parts if (count := counts[part]) is not None}

    def _unknown(self, near: Set) -> list[Set]:
        if isinstance(near, Both):
            listed = [p for p in near.parts if not isinstance(p, Except)]
            if len(listed) == 1 and isinstance(listed[0], Lists):  # nothing else could be walked
                return []
            known = [size(p) for p in near.parts if isinstance(p, Lists | Patients | Chosen)] + [
                1 for p in near.parts if walkable(p) and size(p) <= 1
            ]
            short = min(known, default=UNKNOWN_SIZE) <= self._short(near)
            return [] if short else [u for p in near.parts for u in self._leaves(p, len(near.parts) > 1)]
        return self._leaves(near, False)

    def _short(self, near: Both) -> int:
        """Members that are rather walked than something else is counted; few resources have the beginning of a name."""
        if not self.postgresql:
            return SHORT // 10
        return SHORT if any(isinstance(p, Text) for p in near.parts) else COUNTED

    def _leaves(self, part: Set, beside: bool) -> list[Set]:
        match part:
            case Interval() | Text() | Changed():
                return [part] if part.size == UNKNOWN_SIZE else []
            case Lists():  # SQLite keeps no statistics of list lengths
                return [part] if beside and not self.postgresql else []
            case Dated():
                return self._leaves(part.other, beside)
            case Either() | Both():
                return [u for p in part.parts for u in self._leaves(p, beside)]
        return []


def _long(part: Set) -> int:
    """The size of what was not counted to its end."""
    return max(part.size, COUNTED) if isinstance(part, Lists) else UNKNOWN_SIZE


def _resized(part: Set, sizes: dict[Set, int]) -> Set:
    match part:
        case Lists() | Interval() | Text() | Changed() if part in sizes:
            return replace(part, size=sizes[part])
        case Dated():
            return replace(part, other=_resized(part.other, sizes))
        case Both() | Either():
            return replace(part, parts=tuple(_resized(p, sizes) for p in part.parts))
    return part


def _wide(near: Set) -> Interval | Either | None:
    """The intervals of many lists that are rather tested than walked."""
    if not isinstance(near, Both) or any(isinstance(p, Dated) for p in near.parts):
        return None
    walked = shortest(near.parts)
    return next((p for p in near.parts if p is not walked and _is_wide(p)), None)  # type: ignore[return-value]


def _is_wide(part: Set) -> bool:
    if isinstance(part, Either):
        return all(isinstance(p, Interval) for p in part.parts) and any(_is_wide(p) for p in part.parts)
    return isinstance(part, Interval) and len(part.hashes) > MANY_LISTS and size(part) >= UNKNOWN_SIZE


def _of_same_lists(wide: Interval | Either) -> Iterable[list[Interval]]:
    """Numbers that are precise and those that are not are asked differently of the same lists: once, together."""
    found: dict[tuple[int, ...], list[Interval]] = {}
    for part in (wide,) if isinstance(wide, Interval) else wide.parts:
        assert isinstance(part, Interval)
        found.setdefault(part.hashes, []).append(part)
    return found.values()


def _most(part: Set) -> int:
    return COLLECTED if isinstance(part, Interval) and len(part.hashes) <= MANY_LISTS else COUNTED


def _split(near: Set) -> Set:
    """Alone, intervals of few lists are asked of each list: of one much may fit and of another nothing."""
    if isinstance(near, Interval) and 1 < len(near.hashes) <= MANY_LISTS:
        return Either(tuple(replace(near, hashes=(h,)) for h in near.hashes))
    if isinstance(near, Either) and all(isinstance(p, Interval) for p in near.parts):
        parts = [_split(p) for p in near.parts]
        return Either(tuple(one for p in parts for one in (p.parts if isinstance(p, Either) else (p,))))
    return near


def _ordered(part: Set) -> bool:
    """Whether all of it can be read by place though it is long."""
    if isinstance(part, Either):
        return all(isinstance(p, Interval) and (in_order(p) or p.size < UNKNOWN_SIZE) for p in part.parts)
    return in_order(part)


def _single(part: Set) -> bool:
    return isinstance(part, Lists) and len(part.hashes) == 1


def _too_many() -> TooMany:
    return TooMany(
        "this search would look at too many resources; name the patient, narrow the dates or the codes, "
        "or search for the linked resources first and then by their ids"
    )
