"""References to a resource and to what it is part of, or to its parts: the hierarchy is walked when the search runs.

FHIR R4 Search, hierarchical references (https://hl7.org/fhir/R4/search.html#recursive). Each step is a search as the
caller: a resource that they may not see leads them nowhere.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING

from fhir_server.search.link import references
from fhir_server.search.parameters import branches
from fhir_server.store.search_sets import Set
from resources.errors import TooCostly
from resources.search_param.hierarchy import HIERARCHIES
from resources.search_param.terms import Column, Key, Or, Post, Within

if TYPE_CHECKING:
    from fhir_server.search.resolve import Resolver

MOST, DEPTH = 5_000, 100
"""Resources of one hierarchy that are followed, and steps between them."""
Step = Callable[["Resolver", str, set[str]], set[str]]


def within(resolver: "Resolver", term: Within) -> Set:
    """The members of ``term``. Raises TooCostly."""
    ids = _reached(resolver, term, _STEPS[term.how])
    fresh, tenant = resolver.store.hasher.fresh, resolver.tenant
    hashes = (fresh(tenant, Key(term.type, term.branch, "ref", f"{term.target}/{id}")) for id in sorted(ids))
    return resolver.lists(tuple(hashes), "ref")


def _reached(resolver: "Resolver", term: Within, step: Step) -> set[str]:
    met, frontier = {term.id}, {term.id}
    for _ in range(DEPTH):
        frontier = step(resolver, term.target, frontier) - met
        met |= frontier
        if not frontier:
            return met
        if len(met) > MOST:
            break
    raise TooCostly(f"The hierarchy of {term.target}/{term.id} is too large to be followed; name the parts you mean.")


def _parts(resolver: "Resolver", type: str, ids: set[str]) -> set[str]:
    ways = branches(type, HIERARCHIES[type])
    posts = tuple(Post(Key(type, way, "ref", f"{type}/{id}")) for id in sorted(ids) for way in ways)
    near, far = resolver.typed(type, Or(posts))
    return {id for _, id in resolver.executor.names(type, near, far, MOST)}


def _wholes(resolver: "Resolver", type: str, ids: set[str]) -> set[str]:
    near, far = resolver.typed(type, Or(tuple(Column("id", "eq", id) for id in sorted(ids))))
    ways = branches(type, HIERARCHIES[type])
    rows = resolver.executor.rows(type, near, far, MOST)
    return {id for row in rows for kind, id in references(row.type, ways, row.doc) if kind == type}


_STEPS: dict[str, Step] = {"below": _parts, "above": _wholes}
