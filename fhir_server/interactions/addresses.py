"""Paths below the base: their shape, and the checks of type and id.

FHIR R4 (https://hl7.org/fhir/R4/http.html#general, datatypes.html#id).
"""

import difflib

from resources.definitions import RESOURCE_TYPES
from resources.errors import Invalid, NotFound
from resources.literal_reference import is_id

_OPEN_PLACES = ("{type}", "{id}", "{other}", "{vid}")
_WORDS = frozenset({"metadata", "*"})
_SIGNS = frozenset({"$", "_"})


def shape(segments: tuple[str, ...]) -> str:
    """The template a path fits: ``{type}/{id}/_history/{vid}``, ``{type}/$``; any operation is ``$``."""
    if len(segments) > 4:
        return "?"
    return "/".join(
        [
            _fixed(segment) if segment[:1] in _SIGNS or segment in _WORDS else place
            for place, segment in zip(_OPEN_PLACES, segments, strict=False)
        ]
    )


def _fixed(segment: str) -> str:
    return "$" if segment[0] == "$" else segment


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
