"""The virtual service of a visit on Appointment, Encounter and Location, as R5 has it and R4 may carry it.

FHIR R5 VirtualServiceDetail (https://hl7.org/fhir/R5/metadatatypes.html#VirtualServiceDetail) by the cross-version
extensions of hl7.fhir.uv.xver-r5.r4 0.1.0; each names its data type in a part of its own, which is demanded.
"""

from typing import Any

import msgspec

Json = dict[str, Any]

TYPES = frozenset({"Appointment", "Encounter", "Location"})
_URL = "http://hl7.org/fhir/5.0/StructureDefinition/extension-{}.virtualService"
_DATATYPE = "http://hl7.org/fhir/StructureDefinition/_datatype"
CHANNELS = "urn:x-hearth:virtual-service"
"""Code system of channelType: HL7's own has but the names of vendors."""
CHANNEL = {"system": CHANNELS, "code": "hearth-visit", "display": "Visit in the browser"}


class VirtualService(msgspec.Struct, frozen=True):
    """Where a visit takes place. ``address`` opens nothing by itself: who may join gets a ticket of their own, so
    there is no session key that everybody who reads the resource would know."""

    address: str
    additional: tuple[str, ...] = ()
    most: int = 0


def extension(type: str, service: VirtualService) -> Json:
    """``service`` as the extension of a resource of ``type``, one of TYPES."""
    parts: list[Json] = [
        {"url": _DATATYPE, "valueString": "VirtualServiceDetail"},
        {"url": "channelType", "valueCoding": CHANNEL},
        {"url": "address", "valueUrl": service.address},
        *({"url": "additionalInfo", "valueUrl": address} for address in service.additional),
    ]
    if service.most:
        parts.append({"url": "maxParticipants", "valuePositiveInt": service.most})
    return {"extension": parts, "url": _URL.format(type)}


def with_service(resource: Json, service: VirtualService) -> Json:
    """``resource`` with ``service``: in the place of one of ours, beside those of other channels."""
    url = _URL.format(resource["resourceType"])
    others = [found for found in resource.get("extension", ()) if found.get("url") != url or not _is_ours(found)]
    return {**resource, "extension": [*others, extension(resource["resourceType"], service)]}


def services(resource: Json) -> list[VirtualService]:
    """Those of ours that ``resource`` carries."""
    url = _URL.format(resource.get("resourceType", ""))
    carried = [found for found in resource.get("extension", ()) if found.get("url") == url]
    return [_read(found) for found in carried if _is_ours(found)]


def _parts(found: Json, url: str) -> list[Any]:
    return [
        value
        for part in found.get("extension", ())
        if part.get("url") == url
        for name, value in part.items()
        if name.startswith("value")
    ]


def _is_ours(found: Json) -> bool:
    return any(isinstance(coding, dict) and coding.get("system") == CHANNELS for coding in _parts(found, "channelType"))


def _read(found: Json) -> VirtualService:
    address, most = _parts(found, "address"), _parts(found, "maxParticipants")
    return VirtualService(
        str(address[0]) if address else "", tuple(_parts(found, "additionalInfo")), int(most[0]) if most else 0
    )
