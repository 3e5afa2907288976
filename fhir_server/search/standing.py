"""What of a restriction stays the same from search to search: its lists, hashed and sized once in a while.

FHIR R4 Search (https://hl7.org/fhir/R4/search.html). Only names of lists are kept, never what stands on them: each
search asks the index itself.
"""

from collections.abc import Sequence
from time import monotonic
from typing import TYPE_CHECKING, NamedTuple

from fhir_server.search.restriction import Restriction, granted, restriction, visible
from fhir_server.store.hashing import Hasher
from fhir_server.store.search_sets import Except, Set, either
from resources.search_param.terms import All, And, Column, Not, Or, Post, Term

if TYPE_CHECKING:
    from fhir_server.search.resolve import Resolver

LASTING = 60.0
"""Seconds for which the lengths are believed; they decide what to walk, never what is found."""


class Standing(NamedTuple):
    """A restriction of one tenant under one hash key: ``sets`` are met together, and so are ``terms``, which have to be
    looked up anew for each search."""

    hasher: Hasher
    tenant: int
    until: float
    sets: tuple[Set, ...]
    terms: tuple[Term, ...]


def restricted(resolver: "Resolver", type: str, term: Term, permission: str) -> tuple[Term, tuple[Set, ...]]:
    """``term`` narrowed to what the caller of ``resolver`` may see of ``type``, and sets that its members are in
    besides: the part of the restriction that is known."""
    known = _standing(resolver, type, permission)
    if known is None:
        return visible(resolver.caller, type, term, permission), ()
    asked = () if isinstance(term, All) else term.terms if isinstance(term, And) else (term,)
    return And((*known.terms, *asked)), known.sets


def _standing(resolver: "Resolver", type: str, permission: str) -> Standing | None:
    """None where all of ``type`` or nothing is open."""
    memo, hasher, tenant = resolver.caller.grants.memo, resolver.store.hasher, resolver.tenant
    known: Standing | None = memo.get(("standing", type, permission))
    if known is not None and known.until > monotonic() and known.hasher is hasher and known.tenant == tenant:
        return known
    if not granted(resolver.caller, type, permission):
        return None
    found = restriction(resolver.caller, type, permission)
    if found is None or not found.parts:
        return None
    known = memo["standing", type, permission] = _resolved(resolver, found)
    return known


def _resolved(resolver: "Resolver", found: Restriction) -> Standing:
    fixed = [term for term in found.parts if _stays(term)]
    sets = [
        Except(resolver.as_set(found.type, term.term)) if isinstance(term, Not) else resolver.as_set(found.type, term)
        for term in fixed
    ]
    rest = tuple(term for term in found.parts if term not in fixed)
    return Standing(resolver.store.hasher, resolver.tenant, monotonic() + LASTING, _joined(sets), rest)


def _joined(sets: Sequence[Set]) -> tuple[Set, ...]:
    """What is on none of several lists is not on their union."""
    without = [part.part for part in sets if isinstance(part, Except)]
    others = tuple(part for part in sets if not isinstance(part, Except))
    return (*others, Except(either(*without))) if without else others


def _stays(term: Term) -> bool:
    """Whether ``term`` names its lists itself: no dictionary, chain or link decides which they are."""
    match term:
        case Post() | All() | Column(name="id"):
            return True
        case And() | Or():
            return all(_stays(part) for part in term.terms)
        case Not():
            return _stays(term.term)
    return False
