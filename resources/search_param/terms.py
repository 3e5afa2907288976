"""What a search parameter is looked up by: index entries on the way in, terms on the way out.

FHIR R4 Search (https://hl7.org/fhir/R4/search.html). Extraction (index) and compilation (query) of one parameter type
stand in one file and meet in the keys below, so that what is asked is what was written. The store turns a Key into a
keyed 64-bit hash; nothing here knows tables.
"""

from collections.abc import Collection, Hashable, Mapping
from typing import Any, NamedTuple, Protocol

import msgspec


class Key(NamedTuple):
    """One list of resources: resource type, expression branch (stable text), form of the value, the value itself."""

    type: str
    branch: str
    form: str
    value: str


def type_key(type: str) -> Key:
    """The list that every resource of ``type`` is on."""
    return Key(type, "", "type", "")


class StringEntry(NamedTuple):
    """A string under ``key``, for prefix search: the normalised text (folded case, accents, width), then U+001F, then
    the text as written. A prefix search looks for the normalised text, an exact one for the whole ``norm``."""

    key: Key
    norm: str


class RangeEntry(NamedTuple):
    """A closed-open interval [lo, hi) under ``key``: microseconds for dates; for numbers and quantities an
    order-preserving integer of the value (a quantity as written, its unit being part of the key)."""

    key: Key
    lo: int
    hi: int


class DictionaryEntry(NamedTuple):
    """A code met under a branch; stored once per (key, display), so that ``code``, ``system|`` and displays expand to
    lists. ``display`` is normalised; ``code`` is as the key holds it (folded case where the system allows);
    ``unit`` is the unit of a quantity (system|code|text) or the second code of a composite."""

    key: Key
    system: str
    code: str
    unit: str
    display: str


class Entries(NamedTuple):
    """All index entries of one resource; one may stand there twice.

    ``clinical`` is the instant that orders it (microseconds since 1970 UTC, None: time of creation);
    ``precise`` True when that date is exactly one whole second, so that the order key alone answers date searches on
    the clinical parameter and no RangeEntry was written for it; ``subject`` is the main patient reference or ''.
    ``references`` lists the text of every literal reference, ``generation`` is that of the registry it was read with.
    """

    posts: Collection[Key]
    strings: Collection[StringEntry]
    ranges: Collection[RangeEntry]
    dictionary: Collection[DictionaryEntry]
    clinical: int | None
    precise: bool
    subject: str
    references: tuple[str, ...]
    generation: int = 0


# --- Terms of a query ---------------------------------------------------------------------------------------------
# A dozen are made for each search: structs cost a tenth of frozen dataclasses.


class Post(msgspec.Struct, frozen=True, gc=False):
    """Resources on the list of ``key``."""

    key: Key


class Clinical(msgspec.Struct, frozen=True, gc=False):
    """Resources whose precise clinical date starts in [lo, hi) microseconds; ``type`` names the resource type."""

    type: str
    lo: int
    hi: int


class Range(msgspec.Struct, frozen=True, gc=False):
    """Resources with an interval under ``key`` whose lo is in [lo_from, lo_to) and hi in [hi_from, hi_to)."""

    key: Key
    lo_from: int
    lo_to: int
    hi_from: int
    hi_to: int


class Str(msgspec.Struct, frozen=True, gc=False):
    """Resources with a string under ``key``: ``how`` is prefix (norm starts with), exact (norm equal, nothing to
    recheck), contains (norm contains), holds (the same, beside
    what it is found by), below or from (norm is less, or is not), ends (the normalised text ends so, the
    mark behind it being part of ``norm``) or tail (a further piece of a long text ends so)."""

    key: Key
    norm: str
    how: str


class Lookup(msgspec.Struct, frozen=True, gc=False):
    """Resources on any list of this branch and form whose dictionary row fits: ``None`` fits all, ``display`` is a
    prefix of the row's display, the others are equal."""

    type: str
    branch: str
    form: str
    system: str | None = None
    code: str | None = None
    unit: str | None = None
    display: str | None = None


class Coded(msgspec.Struct, frozen=True, gc=False):
    """Resources on any list of this branch and form whose code is in a set of codes.

    ``how`` is in (``of`` is the canonical of a ValueSet, or ``ValueSet/id``), above or below (``of`` is system|code).
    ``binding`` is the value set of a branch that holds plain codes, whose systems it tells, or ''.
    """

    type: str
    branch: str
    form: str
    how: str
    of: str
    binding: str = ""


class Family(msgspec.Struct, frozen=True, gc=False):
    """Resources under those keys of this branch and form that ``wanted`` chooses from the dictionary.

    Who holds the dictionary reads the rows of (type, branch, form) as (system, code, unit), narrowed to ``system`` and
    ``code`` where they are not None, and calls ``resources.search_param.expand(term, rows)``, which gives an Or of
    Range, Post and Str. ``wanted`` is opaque (what a quantity or the second part of a composite asks for).
    """

    type: str
    branch: str
    form: str
    wanted: Hashable
    system: str | None = None
    code: str | None = None


class Refers(msgspec.Struct, frozen=True, gc=False):
    """Resources whose reference under one of ``branches`` points to a ``target`` that matches ``term`` (a chain)."""

    type: str
    branches: tuple[str, ...]
    target: str
    term: "Term"


class Referred(msgspec.Struct, frozen=True, gc=False):
    """Resources of ``type`` to which a ``source`` that matches ``term`` refers by one of ``branches`` (_has)."""

    type: str
    source: str
    branches: tuple[str, ...]
    term: "Term"


class Linked(msgspec.Struct, frozen=True, gc=False):
    """Resources of ``type`` that belong to ``patient`` (``Patient/1``) by what they are linked to, as no list says."""

    type: str
    patient: str


class Within(msgspec.Struct, frozen=True, gc=False):
    """Resources whose reference under ``branch`` points to ``target``/``id``, or to what that is part of (``how`` is
    above) or to its parts (below)."""

    type: str
    branch: str
    target: str
    id: str
    how: str


class Test(Hashable, Protocol):
    """What only the document tells."""

    def possible(self, doc: bytes) -> bool:
        """False where the stored bytes already tell that it does not pass; quick."""
        ...

    def fits(self, resource: Mapping[str, Any]) -> bool:
        """Whether ``resource``, as JSON has it, passes."""
        ...


class Checked(msgspec.Struct, frozen=True, gc=False):
    """Resources of ``type`` that match ``term``, by which they are found, and whose document passes ``test``."""

    type: str
    term: "Term"
    test: Test


class Listed(msgspec.Struct, frozen=True, gc=False):
    """Resources of ``type`` that are current entries of the List ``id``."""

    type: str
    id: str


class Column(msgspec.Struct, frozen=True, gc=False):
    """A predicate on the resource row: ``name`` is id (op eq) or updated (op ge, lt; microseconds)."""

    name: str
    op: str
    value: str | int


class All(msgspec.Struct, frozen=True, gc=False):
    """Every resource of ``type``: the list of ``type_key(type)``, which every resource is on."""

    type: str


class And(msgspec.Struct, frozen=True, gc=False):
    terms: tuple["Term", ...]


class Or(msgspec.Struct, frozen=True, gc=False):
    terms: tuple["Term", ...]


class Not(msgspec.Struct, frozen=True, gc=False):
    """Resources of ``type`` that do not match ``term``."""

    type: str
    term: "Term"


Term = (
    Post
    | Clinical
    | Range
    | Str
    | Lookup
    | Coded
    | Family
    | Refers
    | Referred
    | Linked
    | Within
    | Checked
    | Listed
    | Column
    | All
    | And
    | Or
    | Not
)
