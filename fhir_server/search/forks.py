"""Chains among alternatives (``subject.name`` of patients or groups) and chains that must not match.

FHIR R4 Search (https://hl7.org/fhir/R4/search.html#chaining) and _filter (search_filter.html). Where their other ends
can be named they are sets as any other; where not, the rest of the search is found first and its rows are tested.
"""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from fhir_server.search.chain import chained, tested
from fhir_server.search.members import Far
from fhir_server.store import Stored
from fhir_server.store.search_sets import NOTHING, Chosen, Except, Set, both, either
from resources.search_param.terms import Not, Or, Referred, Refers, Term

if TYPE_CHECKING:
    from fhir_server.search.resolve import Resolver


def is_fork(term: Term) -> bool:
    """Whether ``term`` is an alternative with a chain, or not a chain, or none of such an alternative."""
    if isinstance(term, Not):
        return isinstance(term.term, Refers | Referred) or is_fork(term.term)
    return isinstance(term, Or) and any(isinstance(part, Refers | Referred) for part in _flat(term))


def forked(resolver: "Resolver", type: str, term: Term) -> tuple[Set, Far | None]:
    """The members of ``term``, which ``is_fork`` or a chain: as a set, or as everything and a test of its rows."""
    if isinstance(term, Not):
        near, far = forked(resolver, type, term.term)
        return (resolver.everything(type), FarNot(far)) if far else (Except(near), None)
    if isinstance(term, Refers | Referred):
        found = chained(resolver, term)
        return (resolver.everything(type), tested(resolver, term)) if found is None else (found, None)
    return _alternatives(resolver, type, term)


def _alternatives(resolver: "Resolver", type: str, term: Term) -> tuple[Set, Far | None]:
    parts = list(_flat(term))
    chains = [part for part in parts if isinstance(part, Refers | Referred)]
    others = tuple(part for part in parts if part not in chains)
    named = [(part, chained(resolver, part)) for part in chains]
    sets = [found for _, found in named if found is not None]
    if others:
        sets.append(resolver.as_set(type, Or(others)))
    late = [tested(resolver, part) for part, found in named if found is None]
    near = either(*sets) if sets else NOTHING
    return (resolver.everything(type), FarAny(resolver, near, late)) if late else (near, None)


def _flat(term: Term) -> Iterable[Term]:
    if isinstance(term, Or):
        for part in term.terms:
            yield from _flat(part)
    else:
        yield term


class FarAny:
    """Which rows are in a set or pass one of several tests."""

    def __init__(self, resolver: "Resolver", near: Set, tests: Sequence[Far]) -> None:
        self.resolver, self.near, self.tests = resolver, near, tests

    def keep(self, rows: Sequence[Stored]) -> set[int]:
        kept: set[int] = set()
        if self.near != NOTHING:
            among = both(Chosen(tuple(row.o for row in rows)), self.near)
            kept.update(self.resolver.executor.all_orders(among, (), len(rows)))
        for test in self.tests:
            rest = [row for row in rows if row.o not in kept]
            if rest:
                kept |= test.keep(rest)
        return kept


class FarNot:
    """Which rows fail a test."""

    def __init__(self, test: Far) -> None:
        self.test = test

    def keep(self, rows: Sequence[Stored]) -> set[int]:
        return {row.o for row in rows} - self.test.keep(rows)
