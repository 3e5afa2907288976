"""What a search parameter is looked up by: index entries on the way in, terms on the way out.

FHIR R4 Search (https://hl7.org/fhir/R4/search.html). Extraction (index) and compilation (query) of one parameter type
stand in one file and meet in the keys below, so that what is asked is what was written. The store turns a Key into a
keyed 64-bit hash; nothing here knows tables.
"""

from dataclasses import dataclass
from typing import NamedTuple


class Key(NamedTuple):
    """One list of resources: resource type, expression branch (stable text), form of the value, the value itself."""

    type: str
    branch: str
    form: str
    value: str


class StringEntry(NamedTuple):
    """A normalised string (folded case, accents, width) under ``key`` (whose value is empty), for prefix search."""

    key: Key
    norm: str


class RangeEntry(NamedTuple):
    """A closed-open interval [lo, hi) under ``key``: microseconds for dates, scaled integers for numbers and quantities."""

    key: Key
    lo: int
    hi: int


class DictionaryEntry(NamedTuple):
    """A code met under a branch; stored once per (key), so that ``code``, ``system|`` and displays expand to lists."""

    key: Key
    system: str
    code: str
    unit: str
    display: str


class Entries(NamedTuple):
    """All index entries of one resource.

    ``clinical`` is the instant that orders it (microseconds since 1970 UTC, None: time of creation);
    ``precise`` True when that date is exactly one whole second, so that the order key alone answers date searches on
    the clinical parameter and no RangeEntry was written for it; ``subject`` is the main patient reference or ''.
    ``references`` lists every literal reference as (FHIRPath of the element, reference text).
    """

    posts: frozenset[Key]
    strings: frozenset[StringEntry]
    ranges: frozenset[RangeEntry]
    dictionary: frozenset[DictionaryEntry]
    clinical: int | None
    precise: bool
    subject: str
    references: tuple[tuple[str, str], ...]


# --- Terms of a query ---------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Post:
    """Resources on the list of ``key``."""

    key: Key


@dataclass(frozen=True, slots=True)
class Clinical:
    """Resources whose precise clinical date starts in [lo, hi) microseconds; ``type`` names the resource type."""

    type: str
    lo: int
    hi: int


@dataclass(frozen=True, slots=True)
class Range:
    """Resources with an interval under ``key`` whose lo is in [lo_from, lo_to) and hi in [hi_from, hi_to)."""

    key: Key
    lo_from: int
    lo_to: int
    hi_from: int
    hi_to: int


@dataclass(frozen=True, slots=True)
class Str:
    """Resources with a string under ``key``: ``how`` is prefix, exact (norm equal; recheck on the document) or contains."""

    key: Key
    norm: str
    how: str


@dataclass(frozen=True, slots=True)
class Lookup:
    """Resources on any list of this branch whose dictionary row fits: empty fields fit all (``None`` too)."""

    type: str
    branch: str
    form: str
    system: str | None = None
    code: str | None = None
    unit: str | None = None
    display: str | None = None


@dataclass(frozen=True, slots=True)
class Refers:
    """Resources whose reference under one of ``branches`` points to a ``target`` that matches ``term`` (a chain)."""

    type: str
    branches: tuple[str, ...]
    target: str
    term: "Term"


@dataclass(frozen=True, slots=True)
class Referred:
    """Resources of ``type`` to which a ``source`` resource that matches ``term`` refers by one of ``branches`` (_has)."""

    type: str
    source: str
    branches: tuple[str, ...]
    term: "Term"


@dataclass(frozen=True, slots=True)
class Column:
    """A predicate on the resource row: ``name`` is id (op eq) or updated (op ge, lt; microseconds)."""

    name: str
    op: str
    value: str | int


@dataclass(frozen=True, slots=True)
class All:
    """Every resource of ``type``."""

    type: str


@dataclass(frozen=True, slots=True)
class And:
    terms: tuple["Term", ...]


@dataclass(frozen=True, slots=True)
class Or:
    terms: tuple["Term", ...]


@dataclass(frozen=True, slots=True)
class Not:
    """Resources of ``type`` that do not match ``term``."""

    type: str
    term: "Term"


Term = Post | Clinical | Range | Str | Lookup | Refers | Referred | Column | All | And | Or | Not
