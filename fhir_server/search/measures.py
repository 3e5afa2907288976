"""A number asked for, in every code and unit that the dictionary has: the intervals of those lists.

FHIR R4 Search, quantity and composite (https://hl7.org/fhir/R4/search.html#quantity). They are remembered: a search is
asked again, and its next pages come, on the same dictionary.
"""

from functools import lru_cache

from fhir_server.store.hashing import Hasher
from fhir_server.store.search_sets import Interval, Set, either
from resources import search_param
from resources.search_param.terms import Family, Or, Range

Rows = tuple[tuple[str, str, str], ...]
"""(system, code, unit) of dictionary entries."""
REMEMBERED = 500
"""Rows of which intervals are remembered."""


def intervals(hasher: Hasher, tenant: int, term: Family, rows: Rows) -> Set | None:
    """What ``term`` stands for by these ``rows`` of the dictionary; None when that is more than ranges."""
    return (_known if len(rows) <= REMEMBERED else _made)(hasher, tenant, term, rows)


def _made(hasher: Hasher, tenant: int, term: Family, rows: Rows) -> Set | None:
    found = search_param.expand(term, rows)
    ranges = found.terms if isinstance(found, Or) else (found,)
    if not all(isinstance(each, Range) for each in ranges):
        return None
    return either(*(interval(hasher, tenant, each) for each in ranges if isinstance(each, Range)))


_known = lru_cache(64)(_made)


def interval(hasher: Hasher, tenant: int, term: Range) -> Interval:
    """One range as a set."""
    return Interval((hasher.h(tenant, term.key),), term.lo_from, term.lo_to, term.hi_from, term.hi_to)
