"""The order of a search: the clinical order, an order the database makes, or one made from the documents.

FHIR R4 Search, _sort (https://hl7.org/fhir/R4/search.html#sort). Of several values of one resource the least counts
when ascending, the greatest when descending; resources without a value come last; the clinical order breaks ties.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cmp_to_key
from typing import Any

from fhir_server.search.cursor import Position
from fhir_server.search.execute import COUNTED, Executor
from fhir_server.search.members import Far
from fhir_server.search.query import Query, SortKey
from fhir_server.search.resolve import Resolver
from fhir_server.store import Stored
from fhir_server.store.search_sets import Both, Chosen, Lists, Set, size
from fhir_server.store.search_sort import Ranked, ranked_sql, updated_walk_sql
from resources import search_param
from resources.json_codec import decode_stored
from resources.search_param import clinical

READ_TO_SORT = 5_000
"""Resources whose documents are read when the database has no value to sort by."""
ALL_TO_SORT = 50_000

Value = int | str | None
Row = tuple[int, tuple[Value, ...]]
"""An order key and the sort values."""


def native(query: Query) -> bool | None:
    """Whether the clinical order descending (True) or ascending (False) is asked for; None: another order."""
    if not query.sort:
        return True
    first = query.sort[0]
    return first.descending if all(clinical(type) == first.name for type in query.types) else None


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
        if far:
            near = Chosen(tuple(self.executor.all_orders(near, far, ALL_TO_SORT)))
        ranks = [self._ranked(key) for key in self.query.sort]
        known = [rank for rank in ranks if rank]
        found = self._in_database(near, known) if len(known) == len(ranks) else self._from_documents(near)
        return found if self._forward else found[::-1]

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
        return Ranked(source, tuple(hasher.h(tenant, k) for found in keys for k in found.keys), key.descending)

    def _in_database(self, near: Set, ranks: list[Ranked]) -> list[Row]:
        sql = self.executor.sql()
        if self._walks(near):
            text = updated_walk_sql(sql, self.query.types[0], near, ranks[0].descending, self.position, self.limit)
        else:
            text = ranked_sql(sql, near, ranks, self.position, self.limit)
        return [(row[0], tuple(row[1:])) for row in self.executor.session.query(text, sql.params)]

    def _walks(self, near: Set) -> bool:
        """By time of update over many resources: the index in that order is walked."""
        if len(self.query.types) > 1 or [key.name for key in self.query.sort] != ["_lastUpdated"]:
            return False
        return isinstance(near, Lists | Both) and size(near) > COUNTED

    def _from_documents(self, near: Set) -> list[Row]:
        executor = self.executor
        orders = executor.all_orders(near, (), READ_TO_SORT)  # beyond that, sorting by a code is too costly
        stored = executor.session.read_places(orders, executor.tenant)
        rows = sorted((self._valued(row) for row in stored), key=cmp_to_key(self._compare))
        return self._cut(rows)

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


SOURCES = {"order": "o", "updated": "updated", "id": "id", "string": "str", "range": "rng"}
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
    "order": lambda row: row.o,
    "updated": lambda row: row.updated,
    "id": lambda row: row.id,
}
