"""Paths below the base: their shape, and the checks of type and id.

FHIR R4 (https://hl7.org/fhir/R4/http.html#general, datatypes.html#id).
"""

import difflib

from resources.definitions import RESOURCE_TYPES
from resources.errors import Invalid, NotFound
from resources.literal_reference import is_id

_OPEN_PLACES = ("{type}", "{id}", "{other}", "{vid}")
_WORDS = frozenset({"metadata", "*"})


def shape(segments: tuple[str, ...]) -> str:
    """The template a path fits: ``{type}/{id}/_history/{vid}``, ``{type}/$``; any operation is ``$``."""
    if len(segments) > 4:
        return "?"
    return "/".join([_part(place, segment) for place, segment in enumerate(segments)])


def _part(place: int, segment: str) -> str:
    first = segment[:1]
    if first == "$":
        return "$"
    if first == "_" or segment in _WORDS:
        return segment
    return _OPEN_PLACES[place]


def checked_type(type: str) -> str:
    """``type`` when it is a resource type. Raises NotFound naming the nearest one."""
    if type in RESOURCE_TYPES:
        return type
    near = difflib.get_close_matches(type[:64], RESOURCE_TYPES, n=1, cutoff=0.6) or _same_but_case(type)
    hint = f" Did you mean {near[0]}?" if near else ""
    raise NotFound(f"{type[:64]!r} is no resource type of FHIR R4.{hint}")


def _same_but_case(type: str) -> list[str]:
    return [name for name in RESOURCE_TYPES if name.lower() == type.lower()]


def checked_id(id: str) -> str:
    """``id`` when it is a FHIR id. Raises Invalid."""
    if is_id(id):
        return id
    raise Invalid(f"{id[:80]!r} is no FHIR id: 1 to 64 letters, digits, '-' and '.'.")
