"""Literal references: what type a reference names and whether it is well formed.

FHIR R4 references (https://hl7.org/fhir/R4/references.html#literal).
"""

import re

from resources.definitions import RESOURCE_TYPES
from resources.literal_reference import ID

_PLACE = rf"([A-Z][A-Za-z]{{2,}})/{ID}(?:/_history/{ID})?(?:#\S*)?"
_RELATIVE = re.compile(_PLACE)
_CONDITIONAL = re.compile(r"([A-Z][A-Za-z]{2,})\?[\s\S]+")
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.\-]*:\S*")
_REST_TAIL = re.compile(rf"/{_PLACE}\Z")
_LONGEST_TAIL = 4000


def named_type(reference: str) -> str | None:
    """The resource type a literal reference names, '' when it cannot be told, None when it is malformed.

    Contained references (``#id``) give ''; their type is known to the resource that holds them.
    """
    if reference.startswith("#"):
        return ""
    relative = _RELATIVE.fullmatch(reference) or _CONDITIONAL.fullmatch(reference)
    if relative:
        return relative[1] if relative[1] in RESOURCE_TYPES else None
    return _absolute_type(reference) if _SCHEME.fullmatch(reference) else None


def _absolute_type(reference: str) -> str:
    if not reference.startswith(("http://", "https://")):
        return ""
    tail = _REST_TAIL.search(reference[-_LONGEST_TAIL:])
    return tail[1] if tail and tail[1] in RESOURCE_TYPES else ""
