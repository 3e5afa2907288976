"""A term asked of one resource in memory instead of the index: its entries are what the index would hold of it.

FHIR R4 Search (https://hl7.org/fhir/R4/search.html). The same terms and the same entries as a search, so that both
give the same answer. Terms that lead to other resources are never met: they cannot be asked of one.
"""

from collections.abc import Callable, Mapping
from functools import cached_property
from types import MappingProxyType
from typing import Any

from resources.json_codec import decode_stored
from resources.search_param.compile import expand
from resources.search_param.extract import extract
from resources.search_param.normal_form import PIECE, is_cut
from resources.search_param.terms import (
    All,
    And,
    Checked,
    Clinical,
    Column,
    Entries,
    Family,
    Key,
    Lookup,
    Not,
    Or,
    Post,
    Range,
    Str,
    Term,
)


class Subject:
    """One resource to be asked; its document is decoded and its ``entries`` extracted when a term first needs them.

    ``updated`` is milliseconds since 1970 UTC.
    """

    def __init__(self, type: str, id: str, updated: int, doc: bytes, entries: Entries | None = None) -> None:
        self.type, self.id, self.updated, self.doc = type, id, updated, doc
        self._given = entries

    @cached_property
    def entries(self) -> Entries:
        return self._given or extract(self.resource, self.doc)

    @cached_property
    def resource(self) -> Mapping[str, Any]:
        found: Mapping[str, Any] = decode_stored(self.doc)
        return found

    @cached_property
    def posts(self) -> frozenset[Key]:
        return frozenset(self.entries.posts)


def fits(term: Term, subject: Subject) -> bool:
    """Whether ``subject`` meets ``term``."""
    test = _TESTS.get(type(term))
    return test is not None and test(term, subject)


def _range(term: Range, subject: Subject) -> bool:
    return any(
        key == term.key and term.lo_from <= lo < term.lo_to and term.hi_from <= hi < term.hi_to
        for key, lo, hi in subject.entries.ranges
    )


def _clinical(term: Clinical, subject: Subject) -> bool:
    entries = subject.entries
    return (
        term.type == subject.type
        and entries.precise
        and entries.clinical is not None
        and term.lo <= entries.clinical < term.hi
    )


def _string(term: Str, subject: Subject) -> bool:
    test = _STRINGS[term.how]
    return any(key == term.key and test(norm, term.norm) for key, norm in subject.entries.strings)


def _lookup(term: Lookup, subject: Subject) -> bool:
    asked = [("system", term.system), ("code", term.code), ("unit", term.unit)]
    return any(
        entry.key[:3] == (term.type, term.branch, term.form)
        and all(value is None or getattr(entry, name) == value for name, value in asked)
        and (term.display is None or entry.display.startswith(term.display))
        for entry in subject.entries.dictionary
    )


def _family(term: Family, subject: Subject) -> bool:
    rows = {
        (entry.system, entry.code, entry.unit)
        for entry in subject.entries.dictionary
        if entry.key[:3] == (term.type, term.branch, term.form)
        and term.system in (None, entry.system)
        and term.code in (None, entry.code)
    }
    return fits(expand(term, sorted(rows)), subject)


def _column(term: Column, subject: Subject) -> bool:
    if term.name == "id":
        return subject.id == term.value
    changed, asked = subject.updated * 1000, int(term.value)
    return changed >= asked if term.op == "ge" else changed < asked


_STRINGS: Mapping[str, Callable[[str, str], bool]] = MappingProxyType(
    {
        "prefix": str.startswith,
        "exact": str.__eq__,
        "contains": str.__contains__,
        "holds": str.__contains__,
        "below": str.__lt__,
        "from": str.__ge__,
        "ends": lambda norm, end: end in norm and not is_cut(norm),
        "tail": lambda norm, end: norm.endswith(end) and len(norm) < PIECE,
    }
)
_TESTS: Mapping[type, Callable[[Any, Subject], bool]] = MappingProxyType(
    {
        Post: lambda term, subject: term.key in subject.posts,
        Range: _range,
        Clinical: _clinical,
        Str: _string,
        Lookup: _lookup,
        Family: _family,
        Column: _column,
        All: lambda term, subject: term.type == subject.type,
        Checked: lambda term, subject: fits(term.term, subject) and term.test.fits(subject.resource),
        And: lambda term, subject: all(fits(part, subject) for part in term.terms),
        Or: lambda term, subject: any(fits(part, subject) for part in term.terms),
        Not: lambda term, subject: not fits(term.term, subject),
    }
)
