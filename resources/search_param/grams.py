"""Sequences of three characters: what ``:contains`` finds strings by, so that it need not look at all of them.

FHIR R4 Search, modifier contains (https://hl7.org/fhir/R4/search.html#modifiers). A resource stands on one list for
each sequence of all its strings; those with a text longer than names and addresses stand on one list together.
"""

from collections.abc import Iterable
from functools import lru_cache

from resources.search_param.normal_form import AS_WRITTEN, OVERLAP
from resources.search_param.sink import Sink
from resources.search_param.terms import And, Key, Or, Post, Str, Term

FORM = "gram"
LONG = ""
"""Value of the key of long texts."""
SIZE = 3
LONGEST = OVERLAP
"""Characters of a text that each sequence is listed for."""
MOST = 5
"""Sequences of what is asked that are looked for; the string itself is compared after them."""

UNLISTED = frozenset({"Observation"})
"""Types whose strings are answers: many, repeated, and seldom asked for by what they contain. Sequences would add half
to their index; those with a string are walked instead, the newest first."""


@lru_cache(maxsize=8192)
def _values(stored: str) -> frozenset[str]:
    """The values of the keys that the row of a text is listed under."""
    norm = stored.partition(AS_WRITTEN)[0]
    return frozenset({LONG} if len(norm) > LONGEST else _all(norm))


def index(type: str, stored: Iterable[str], out: Sink) -> None:
    """Put the sequences of the strings of a resource, as their rows have them, into a sink."""
    if type not in UNLISTED:
        out.posts += [key(type, value) for value in frozenset().union(*map(_values, stored))]


def _all(norm: str) -> list[str]:
    return [norm[n : n + SIZE] for n in range(len(norm) - SIZE + 1)]


def key(type: str, value: str) -> Key:
    """The list of the resources of ``type`` that have a sequence in any of their strings."""
    return Key(type, "", FORM, value)


def narrowed(type: str, norm: str, found: tuple[Str, ...]) -> Term:
    """``found``, strings that contain ``norm``, looked for only where its sequences are; by themselves when it is
    shorter than one or none are listed."""
    every = list(dict.fromkeys(_all(norm)))
    if not every or type in UNLISTED:
        return Or(found)
    lists = tuple(Post(key(type, value)) for value in every[:: -(-len(every) // MOST)])
    return And((Or((And(lists), Post(key(type, LONG)))), Or(tuple(_held(term) for term in found))))


def _held(term: Str) -> Str:
    return Str(term.key, term.norm, "holds")
