"""The order of a search: the clinical order, an order the database makes, or one made from the documents.

FHIR R4 Search, _sort (https://hl7.org/fhir/R4/search.html#sort). Of several values of one resource the least counts
when ascending, the greatest when descending; resources without a value come last; the clinical order breaks ties.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cmp_to_key
from typing import Any

from fhir_server.search.cursor import Position
from fhir_server.search.execute import Executor
from fhir_server.search.members import Far, TooMany
from fhir_server.search.query import Query, SortKey
from fhir_server.search.resolve import Resolver
from fhir_server.store import Stored
from fhir_server.store.order import SHIFT
from fhir_server.store.search_sets import Both, Chosen, Lists, Set, Span, size
from fhir_server.store.search_sort import Ranked, ranked_sql, updated_walk_sql
from resources import search_param
from resources.json_codec import decode_stored
from resources.search_param import clinical
from resources.search_param.missing import Anything
from resources.search_param.terms import Family, Key

COUNTED = 2_000
"""Members that are rather put in order than found by walking everything in that order."""
FAR_LONGER = 10_000
"""Lists known to be so long are not counted."""
READ_TO_SORT = 5_000
"""Resources whose documents are read when the database has no value to sort by."""
ALL_TO_SORT = 50_000
PROBES = 2_000_000
"""Lists or units that are looked at for all resources together when the database sorts by them."""

Value = int | str | None
Row = tuple[int, tuple[Value, ...]]
"""An order key and the sort values."""


def native(query: Query) -> bool | None:
    """Whether the clinical order descending (True) or ascending (False) is asked for; None: another order."""
    if not query.sort:
        return True
    return query.sort[0].descending if len(query.sort) == 1 and _is_led_by_date(query) else None


def first_descends(query: Query) -> bool:
    """Whether the greatest come first; of equal ones that with the greatest order key."""
    return query.sort[0].descending if query.sort else True


def _is_led_by_date(query: Query) -> bool:
    return all(clinical(type) == query.sort[0].name for type in query.types)


@dataclass(frozen=True, slots=True)
class Page:
    """One page in another than the clinical order: ``limit`` rows behind (or before) ``position``."""

    executor: Executor
    resolver: Resolver
    query: Query
    limit: int
    position: Position | None

    def rows(self, near: Set, far: Sequence[Far]) -> list[Row]:
        """(o, sort values), in the order asked for also when the page lies before the position."""
        if _is_led_by_date(self.query):
            near = Chosen(tuple(self._around(near, far)))
        elif far:
            near = Chosen(tuple(self.executor.all_orders(near, far, ALL_TO_SORT)))
        ranks = [self._ranked(key) for key in self.query.sort]
        known = [rank for rank in ranks if rank]
        found = self._in_database(near, known) if len(known) == len(ranks) else self._from_documents(near)
        return found if self._forward else found[::-1]

    def _around(self, near: Set, far: Sequence[Far]) -> set[int]:
        """What the page can hold when the clinical date comes first: so many in that order, and all that have the date
        of the position or of the last of them."""
        down, found = self.query.sort[0].descending == self._forward, set[int]()
        span = Span()
        if self.position is not None:
            tick = int(self.position.values[0] or 0)
            found.update(self._of_tick(near, far, tick))
            span = Span(hi=tick << SHIFT) if down else Span(lo=(tick + 1) << SHIFT)
        following = self.executor.page(near, far, span, self.limit, down)
        if len(following) == self.limit:
            found.update(self._of_tick(near, far, following[-1] >> SHIFT))
        return found.union(following)

    def _of_tick(self, near: Set, far: Sequence[Far], tick: int) -> list[int]:
        span = Span(tick << SHIFT, (tick + 1) << SHIFT)
        found = self.executor.page(near, far, span, ALL_TO_SORT + 1, descending=True)
        if len(found) > ALL_TO_SORT:
            raise self._too_many(ALL_TO_SORT)
        return found

    @property
    def _forward(self) -> bool:
        return self.position is None or self.position.forward

    def _ranked(self, key: SortKey) -> Ranked | None:
        """How the database finds the value of ``key``; None when only the documents hold it."""
        keys = [search_param.sort_key(type, key.name) for type in self.query.types]
        kinds = {SOURCES.get(found.by) for found in keys}
        source = kinds.pop() if len(kinds) == 1 else None
        if source is None:
            return None
        hasher, tenant = self.resolver.store.hasher, self.resolver.tenant
        lists = [k for found in keys for k in (self._units(found) if found.by == "units" else found.keys)]
        if source == "list":
            lists.sort(key=lambda each: each.value)
        hashes = tuple(hasher.h(tenant, each) for each in lists)
        texts = sorted({each.value for each in lists}) if source == "list" else []
        return Ranked(source, hashes, key.descending, tuple(texts.index(each.value) for each in lists if texts))

    def _units(self, found: search_param.SortKey) -> list[Key]:
        """The keys of quantities in all units that are in use."""
        families = (Family(key.type, key.branch, key.form, Anything()) for key in found.keys)
        return [key for family in families for key in self.resolver.range_keys(family)]

    def _in_database(self, near: Set, ranks: list[Ranked]) -> list[Row]:
        self._check_probes(near, ranks)
        sql = self.executor.sql()
        if self._walks(near):
            text = updated_walk_sql(sql, self.query.types[0], near, ranks[0].descending, self.position, self.limit)
        else:
            text = ranked_sql(sql, near, ranks, self.position, self.limit)
        return [(row[0], tuple(row[1:])) for row in self.executor.session.query(text, sql.params)]

    def _check_probes(self, near: Set, ranks: list[Ranked]) -> None:
        each = sum(len(rank.hashes) for rank in ranks if rank.source in ("list", "rng") and len(rank.hashes) > 1)
        if each and self.executor.count(near, PROBES // each + 1) > PROBES // each:
            raise self._too_many(PROBES // each)

    def _walks(self, near: Set) -> bool:
        """By time of update over many resources: the index in that order is walked."""
        if len(self.query.types) > 1 or [key.name for key in self.query.sort] != ["_lastUpdated"]:
            return False
        if not isinstance(near, Lists | Both) or size(near) <= COUNTED:
            return False
        guessed = isinstance(near, Lists) and size(near) < FAR_LONGER
        return not guessed or self.executor.count(near, COUNTED + 1) > COUNTED

    def _from_documents(self, near: Set) -> list[Row]:
        executor = self.executor
        orders = self._few(near)
        stored = executor.session.read_places(orders, executor.tenant)
        rows = sorted((self._valued(row) for row in stored), key=cmp_to_key(self._compare))
        return self._cut(rows)

    def _few(self, near: Set) -> list[int]:
        try:
            return self.executor.all_orders(near, (), READ_TO_SORT)
        except TooMany:
            raise self._too_many(READ_TO_SORT) from None

    def _too_many(self, most: int) -> TooMany:
        names = ",".join(key.name for key in self.query.sort)
        return TooMany(
            f"_sort={names}: at most {most} resources are put into this order; narrow the search, or sort by a date, a "
            "string, _id or _lastUpdated."
        )

    def _valued(self, row: Stored) -> Row:
        resource = decode_stored(row.doc)
        return row.o, tuple(_value(row, resource, key) for key in self.query.sort)

    def _compare(self, a: Row, b: Row) -> int:
        for one, other, key in zip(a[1], b[1], self.query.sort, strict=True):
            found = _compared(one, other, key.descending)
            if found:
                return found
        return _compared(a[0], b[0], self.query.sort[0].descending)

    def _cut(self, rows: list[Row]) -> list[Row]:
        if self.position is None:
            return rows[: self.limit]
        mark: Row = (self.position.o, self.position.values)
        if self.position.forward:
            return [row for row in rows if self._compare(row, mark) > 0][: self.limit]
        return [row for row in rows if self._compare(row, mark) < 0][-self.limit :][::-1]


SOURCES = {
    "order": "o",
    "updated": "updated",
    "id": "id",
    "string": "str",
    "range": "rng",
    "units": "rng",
    "list": "list",
}
"""What a parameter sorts by to where the database holds it."""


def _compared(one: Any, other: Any, descending: bool) -> int:
    if one == other:
        return 0
    if one is None or other is None:
        return 1 if one is None else -1
    return 1 if (one > other) != descending else -1


def _value(row: Stored, resource: dict[str, Any], key: SortKey) -> Value:
    """The sort value of one resource; of several the least, or the greatest when descending."""
    by = search_param.sort_key(row.type, key.name).by
    if by in ROW_VALUES:
        return ROW_VALUES[by](row)
    values = search_param.sort_values(resource, key.name)
    return (values[-1] if key.descending else values[0]) if values else None


ROW_VALUES: dict[str, Callable[[Stored], Value]] = {
    "order": lambda row: row.o >> SHIFT,
    "updated": lambda row: row.updated,
    "id": lambda row: row.id,
}
