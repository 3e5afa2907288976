"""What the server puts into a resource: id, meta.versionId, meta.lastUpdated.

FHIR R4 resource.html#Meta and http.html#create: all else stays as it was sent.
"""

import os
import time
from typing import Any

from resources import json_codec
from resources.instant import instant

_HEAD = ("resourceType", "id", "meta")
_MASK_12, _MASK_62 = (1 << 12) - 1, (1 << 62) - 1


def new_id() -> str:
    """A fresh logical id: a UUID version 7 (RFC 9562), so that ids made together lie together in the index."""
    random = int.from_bytes(os.urandom(10), "big")
    value = time.time_ns() // 1_000_000 << 80 | 7 << 76 | (random >> 62 & _MASK_12) << 64 | 2 << 62 | random & _MASK_62
    text = f"{value:032x}"
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


def now_ms() -> int:
    """The time as ``meta.lastUpdated`` counts it: milliseconds since 1970 UTC."""
    return time.time_ns() // 1_000_000


def stamped(resource: dict[str, Any], id: str, version: int, updated: int) -> dict[str, Any]:
    """A copy of ``resource`` that carries its identity, in the order FHIR prints it; ``updated`` in milliseconds."""
    meta = {**(resource.get("meta") or {}), "versionId": str(version), "lastUpdated": instant(updated)}
    head = {"resourceType": resource["resourceType"], "id": id, "meta": meta}
    return head | {name: value for name, value in resource.items() if name not in _HEAD}


def document(resource: dict[str, Any]) -> bytes:
    """The bytes that are stored and answered."""
    return json_codec.encode(resource)
