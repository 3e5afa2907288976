"""Statements for orders other than the clinical one: all members are ranked, or an index in that order is walked.

FHIR R4 Search, _sort (https://hl7.org/fhir/R4/search.html#sort).
"""

from collections.abc import Sequence
from typing import NamedTuple, Protocol

from fhir_server.store.order import SHIFT
from fhir_server.store.search_sets import HIGHEST, LOWEST, Set, Span
from fhir_server.store.search_sql import SearchSql


class Ranked(NamedTuple):
    """One sort key: ``source`` is o, updated, id (columns of resource), str or rng with the hashes of their keys, or
    list with the hashes of lists and for each its ``places`` in the order, least first."""

    source: str
    hashes: tuple[int, ...]
    descending: bool
    places: tuple[int, ...] = ()


class Place(Protocol):
    """The row a page starts behind, or before when it is not ``forward``."""

    @property
    def forward(self) -> bool: ...
    @property
    def o(self) -> int: ...
    @property
    def values(self) -> tuple[int | str | None, ...]: ...


def ranked_sql(sql: SearchSql, near: Set, ranks: Sequence[Ranked], place: Place | None, limit: int) -> str:
    """SELECT o, k0, k1, ...: the page in the order of ``ranks``, backwards when the place is not ``forward``."""
    members = sql.stream(near, Span(), None)
    values = ", ".join(f"{_value(sql, rank)} AS k{n}" for n, rank in enumerate(ranks))
    columns = "".join(f", t.k{n}" for n in range(len(ranks)))
    forward = place is None or place.forward
    where = f" WHERE {_beyond(sql, ranks, place)}" if place else ""
    return (
        f"SELECT t.o{columns} FROM (SELECT a.o, {values} FROM ({members}) a{sql.fence}) t{where}"
        f" ORDER BY {_order(ranks, forward)} LIMIT {sql.p(limit)}"
    )


def _value(sql: SearchSql, rank: Ranked) -> str:
    pick = "max" if rank.descending else "min"
    match rank.source:
        case "o":
            return f"(a.o >> {SHIFT})"  # equal dates are equal, so that the next key decides
        case "str":
            return f"(SELECT {pick}(q.norm) FROM str q WHERE {sql.among('q.h', rank.hashes)} AND q.o = a.o)"
        case "rng":
            return f"(SELECT {pick}(q.lo) FROM rng q WHERE {sql.among('q.h', rank.hashes)} AND q.o = a.o)"
        case "list":
            pairs = list(zip(rank.hashes, rank.places, strict=True))
            way = reversed(pairs) if rank.descending else pairs
            tests = (
                f"WHEN EXISTS (SELECT 1 FROM post q WHERE q.h = {sql.p(h)} AND q.o = a.o) THEN {place:d}"
                for h, place in way
            )
            return f"CASE {' '.join(tests)} END"
        case column:
            return f"(SELECT q.{column} FROM resource q WHERE q.o = a.o)"


def _order(ranks: Sequence[Ranked], forward: bool) -> str:
    """Resources without a value stand last (first, backwards); o breaks ties in the direction of the first key."""
    parts = []
    for n, rank in enumerate(ranks):
        nulls = "" if forward else " DESC"
        parts.append(f"(t.k{n} IS NULL){nulls}, t.k{n} {_way(rank.descending == forward)}")
    return ", ".join([*parts, f"t.o {_way(ranks[0].descending == forward)}"])


def _way(descending: bool) -> str:
    return "DESC" if descending else "ASC"


def _beyond(sql: SearchSql, ranks: Sequence[Ranked], place: Place) -> str:
    """Rows behind the place in the reading direction: equal in the first keys and beyond in the next one."""
    arms, equal = [], ""
    for n, (rank, value) in enumerate(zip(ranks, place.values, strict=True)):
        column = f"t.k{n}"
        beyond = _past(sql, column, value, rank.descending == place.forward, place.forward)
        if beyond:
            arms.append(f"({equal}{beyond})")
        equal += f"{column} IS NULL AND " if value is None else f"{column} = {sql.p(value)} AND "
    last = "<" if ranks[0].descending == place.forward else ">"
    arms.append(f"({equal}t.o {last} {sql.p(place.o)})")
    return "(" + " OR ".join(arms) + ")"


def _past(sql: SearchSql, column: str, value: int | str | None, descending: bool, forward: bool) -> str:
    if value is None:
        return "" if forward else f"{column} IS NOT NULL"
    compared = f"{column} {'<' if descending else '>'} {sql.p(value)}"
    return f"({compared} OR {column} IS NULL)" if forward else compared


def updated_walk_sql(sql: SearchSql, type: str, near: Set, descending: bool, place: Place | None, limit: int) -> str:
    """SELECT o, updated: the page by time of update, walking that index and probing ``near``."""
    down = descending == (place is None or place.forward)
    way, compare = ("DESC", "<") if down else ("ASC", ">")
    start = (place.values[0], place.o) if place else (HIGHEST, HIGHEST) if down else (LOWEST, LOWEST)
    walk = (
        f"SELECT q.o, q.updated FROM resource q WHERE q.tenant = {sql.p(sql.tenant)} AND q.type = {sql.p(type)}"
        f" AND (q.updated, q.o) {compare} ({sql.p(start[0])}, {sql.p(start[1])}) AND NOT q.deleted"
        f" ORDER BY q.updated {way}, q.o {way}{sql.fence}"
    )
    order = f"ORDER BY a.updated {way}, a.o {way} LIMIT {sql.p(limit)}"
    return f"SELECT a.o, a.updated FROM ({walk}) a WHERE {sql.probe(near, 'a.o')} {order}"
