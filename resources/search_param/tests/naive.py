"""A reading of terms and of the specification that is slow and obvious, for the tests beside it.

``matches`` answers a term from the entries of one resource, as a store would from its tables.
"""

from collections.abc import Iterable
from typing import Any

from resources.search_param import compile_param, expand, extract
from resources.search_param.terms import (
    All,
    And,
    Checked,
    Clinical,
    Column,
    Entries,
    Family,
    Lookup,
    Not,
    Or,
    Post,
    Range,
    Refers,
    Str,
    Term,
)


def finds(resource: dict[str, Any], parameter: str, value: str) -> bool:
    """Whether ``parameter`` (``name`` or ``name:modifier``) with ``value`` finds the resource."""
    name, _, modifier = parameter.partition(":")
    term, entries = compile_param(resource["resourceType"], name, modifier, value), extract(resource)
    return matches(entries, term) and (not isinstance(term, Checked) or term.test.fits(resource))


def matches(entries: Entries, term: Term) -> bool:
    """Whether the resource with these entries satisfies the term (Column and chains are the store's)."""
    match term:
        case Post(key):
            return key in entries.posts
        case Clinical(_, lo, hi):
            return entries.precise and entries.clinical is not None and lo <= entries.clinical < hi
        case Range(key, lo_from, lo_to, hi_from, hi_to):
            found = [r for r in entries.ranges if r.key == key]
            return any(lo_from <= r.lo < lo_to and hi_from <= r.hi < hi_to for r in found)
        case Str(key, norm, how):
            return any(_HOW[how](s.norm, norm) for s in entries.strings if s.key == key)
        case Lookup():
            return any(row.key in entries.posts for row in _rows(entries, term))
        case Family():
            rows = [(d.system, d.code, d.unit) for d in _rows(entries, term)]
            return matches(entries, expand(term, rows))
        case Checked(_, inner, _):  # what finds it; ``finds`` asks the document too
            return matches(entries, inner)
        case All():
            return True
        case And(terms):
            return all(matches(entries, t) for t in terms)
        case Or(terms):
            return any(matches(entries, t) for t in terms)
        case Not(_, inner):
            return not matches(entries, inner)
        case Column() | Refers() | _:
            raise NotImplementedError(term)


_HOW = {"prefix": str.startswith, "exact": str.__eq__, "contains": str.__contains__, "holds": str.__contains__}


def _rows(entries: Entries, term: Lookup | Family) -> Iterable:  # type: ignore[type-arg]
    display = getattr(term, "display", None)
    for row in entries.dictionary:
        if (row.key.type, row.key.branch, row.key.form) != (term.type, term.branch, term.form):
            continue
        if term.system not in (None, row.system) or term.code not in (None, row.code):
            continue
        if getattr(term, "unit", None) in (None, row.unit) and (display is None or row.display.startswith(display)):
            yield row
