"""Whether a visit is encrypted from end to end, as an extension of its Appointment and Encounter.

Ours: FHIR has no element for it. docs/adr/video-e2ee.md.
"""

from typing import Any

Json = dict[str, Any]

EXTENSION = "urn:x-hearth:visit-encrypted"


def is_encrypted(resource: Json | None) -> bool:
    found = (resource or {}).get("extension", ())
    return any(one.get("url") == EXTENSION and one.get("valueBoolean") is True for one in found)


def encrypted(resource: Json) -> Json:
    """``resource`` saying that it is; once said it stays so."""
    others = [one for one in resource.get("extension", ()) if one.get("url") != EXTENSION]
    return {**resource, "extension": [*others, {"url": EXTENSION, "valueBoolean": True}]}
