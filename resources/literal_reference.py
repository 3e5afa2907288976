"""Logical ids, and references that name a resource of the same server by type and id.

FHIR R4 id (https://hl7.org/fhir/R4/datatypes.html#id) and relative literal references
(https://hl7.org/fhir/R4/references.html#literal).
"""

import re
from functools import lru_cache
from typing import NamedTuple

from resources.definitions import RESOURCE_TYPES

ID = r"[A-Za-z0-9\-.]{1,64}"
"""The regular expression of a logical id."""

_ID = re.compile(ID)
_LOCAL = re.compile(rf"([A-Z][A-Za-z]+)/({ID})(?:/_history/{ID})?(?:#.*)?")


class Local(NamedTuple):
    """A reference to a resource of this server."""

    type: str
    id: str


def is_id(text: str) -> bool:
    """Whether ``text`` can be a logical id."""
    return _ID.fullmatch(text) is not None


@lru_cache(maxsize=16384)
def local(reference: str) -> Local | None:
    """``Patient/1``, ``Patient/1/_history/2`` and ``Patient/1#part`` as (type, id); None for all other references."""
    match = _LOCAL.fullmatch(reference)
    if match is None or match[1] not in RESOURCE_TYPES:
        return None
    return Local(match[1], match[2])
