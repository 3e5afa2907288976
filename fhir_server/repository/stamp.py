"""What the server puts into a resource: id, meta.versionId, meta.lastUpdated.

FHIR R4 resource.html#Meta and http.html#create: all else stays as it was sent.
"""

import time
from typing import Any

from resources import json_codec
from resources.instant import instant


def now_ms() -> int:
    """The time as ``meta.lastUpdated`` counts it: milliseconds since 1970 UTC."""
    return time.time_ns() // 1_000_000


def stamped(resource: dict[str, Any], id: str, version: int, updated: int) -> dict[str, Any]:
    """A copy of ``resource`` that carries its identity, in the order FHIR prints it; ``updated`` in milliseconds."""
    meta = {**(resource.get("meta") or {}), "versionId": str(version), "lastUpdated": instant(updated)}
    own = {"id": id, "meta": meta}
    return {"resourceType": resource["resourceType"], **own, **resource, **own}


def document(resource: dict[str, Any]) -> bytes:
    """The bytes that are stored and answered."""
    return json_codec.encode(resource)
