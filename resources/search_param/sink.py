"""Where the indexers of one resource put what they find.

FHIR R4 Search (https://hl7.org/fhir/R4/search.html). One Sink is filled per resource and becomes its Entries.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

from resources.search_param.terms import DictionaryEntry, Key, RangeEntry, StringEntry


class Dated(NamedTuple):
    """A value of the clinical date: its interval and whether it is exactly one whole second."""

    entry: RangeEntry
    precise: bool


class Sink:
    """Lists that grow while a resource is read. ``dates`` are those of the clinical parameter."""

    __slots__ = ("dates", "dictionary", "posts", "ranges", "strings")

    def __init__(self) -> None:
        self.posts: list[Key] = []
        self.strings: list[StringEntry] = []
        self.ranges: list[RangeEntry] = []
        self.dictionary: list[DictionaryEntry] = []
        self.dates: list[Dated] = []


Indexer = Callable[[Any, Sink], Any]
"""Puts one value into a sink; that of a reference returns the type referred to, of a contact its system."""

Factory = Callable[[str, str], Indexer]
"""Makes the indexer of (resource type, branch text)."""
