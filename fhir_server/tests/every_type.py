"""A minimal valid instance of every resource type with a patient compartment, made from the definitions.

FHIR R4 CompartmentDefinition patient: all parameters that make a member refer to the given patient.
"""

import re
from typing import Any

from resources import definitions
from resources.definitions import ElementDef

PATIENT = definitions.compartment("Patient")
TYPES = sorted(type for type, params in PATIENT.items() if params and type != "AuditEvent")

_PRIMITIVES: dict[str, Any] = {
    "boolean": True, "integer": 1, "positiveInt": 1, "unsignedInt": 1, "decimal": 1, "date": "2020-01-01",
    "dateTime": "2020-01-01T00:00:00Z", "instant": "2020-01-01T00:00:00Z", "time": "10:00:00", "string": "text",
    "markdown": "text", "uri": "urn:x:1", "url": "http://example.org/x", "canonical": "http://example.org/q",
    "id": "a1", "oid": "urn:oid:1.2.3", "base64Binary": "YQ==", "code": "en",
}  # fmt: skip
_COMPLEX: dict[str, Any] = {
    "Reference": {"display": "somebody"}, "CodeableConcept": {"text": "thing"}, "Coding": {"code": "x"},
    "Identifier": {"value": "1"}, "Period": {"start": "2020-01-01"}, "Quantity": {"value": 1}, "Money": {"value": 1},
    "Annotation": {"text": "note"}, "Attachment": {"url": "http://example.org/a"}, "HumanName": {"text": "Name"},
}  # fmt: skip
_ACTIVE = {
    "coding": [{"system": "http://terminology.hl7.org/CodeSystem/allergyintolerance-clinical", "code": "active"}]
}
_ALSO: dict[str, tuple[str, str, Any]] = {
    "AllergyIntolerance": ("", "clinicalStatus", _ACTIVE),
    "Appointment": ("", "status", "proposed"),
    "Consent": ("", "policyRule", {"text": "rule"}),
    "ImmunizationRecommendation": ("recommendation", "vaccineCode", [{"text": "vaccine"}]),
    "RequestGroup": ("action", "resource", {"display": "something"}),
}
"""What invariants ask for: the backbone element ('': the resource itself), the element in it, its value."""
_STEP = re.compile(r"\.where\([^)]*\(?\)?[^)]*\)| as Reference|\(|\)")


def instance(type: str, patient: str, **more: Any) -> dict[str, Any]:
    """A ``type`` of ``patient`` (``Patient/1``) with ``more`` elements."""
    made: dict[str, Any] = {"resourceType": type, **_required(type)}
    for code in PATIENT[type]:
        for path in _paths(type, code):
            _put(made, type, path, patient)
    if type in _ALSO:
        place, name, value = _ALSO[type]
        (made[place][0] if place else made)[name] = value
    return {**made, **more}


def _required(owner: str) -> dict[str, Any]:
    chosen: set[str] = set()
    made: dict[str, Any] = {}
    for name, element in definitions.type_def(owner).elements.items():
        if element.min and element.choice not in chosen:
            made[name] = _listed(element, _value(element))
            chosen.add(element.choice or name)
    return made


def _value(element: ElementDef) -> Any:
    if element.type == "code" and element.binding:
        codes = definitions.plain_codes(element.binding)
        return sorted(codes)[0] if codes else "en"
    if element.type in _PRIMITIVES:
        return _PRIMITIVES[element.type]
    return _COMPLEX[element.type] if element.type in _COMPLEX else _required(element.type)


def _listed(element: ElementDef, value: Any) -> Any:
    return [value] if element.max is None else value


def _paths(type: str, code: str) -> list[list[str]]:
    expression = definitions.search_params(type)[code].expression
    parts = [_STEP.sub("", part.strip()) for part in expression.split("|")]
    return [part.split(".")[1:] for part in parts if part.startswith(f"{type}.")]


def _put(node: dict[str, Any], owner: str, path: list[str], patient: str) -> None:
    elements = definitions.type_def(owner).elements
    name = path[0] if path[0] in elements else f"{path[0]}Reference"
    element = elements[name]
    if len(path) == 1:
        if element.type == "Reference" and _takes(element):
            node[name] = _listed(element, {"reference": patient})
        return
    inner = node.get(name) or _listed(element, _required(element.type))
    node[name] = inner
    _put(inner[0] if isinstance(inner, list) else inner, element.type, path[1:], patient)


def _takes(element: ElementDef) -> bool:
    return not element.targets or "Patient" in element.targets or "Resource" in element.targets
