"""Valid resources to mutate: small ones of many shapes, and the published examples when they lie beside the checkout."""
# ruff: noqa: E501 rows of hostile values are kept one to a line

import json
from typing import Any

from bench.fuzz_values import PLANTED
from bench.samples import FOLDER

Resource = dict[str, Any]

EXAMPLES = FOLDER / "r4_examples"
_LARGEST = 20_000

_CODED = {"coding": [{"system": "http://loinc.org", "code": "8867-4", "display": "Heart rate"}], "text": PLANTED}
_STATUS = {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/condition-clinical", "code": "active"}]}
_ACT = "http://terminology.hl7.org/CodeSystem/v3-ActCode"
_SUBJECT = {"reference": "Patient/seed", "display": PLANTED}
_QUANTITY = {"value": 1.50, "unit": "mg", "system": "http://unitsofmeasure.org", "code": "mg", "comparator": "<"}
_PERIOD = {"start": "2020-01-01", "end": "2021-06-30T10:00:00.123+02:00"}
_DIV = f'<div xmlns="http://www.w3.org/1999/xhtml"><p>{PLANTED}</p></div>'

SEEDS: tuple[Resource, ...] = (
    {
        "resourceType": "Patient",
        "id": "seed",
        "meta": {"tag": [{"system": "http://x.org", "code": "t"}], "profile": ["http://hl7.org/fhir/StructureDefinition/Patient"]},
        "text": {"status": "generated", "div": _DIV},
        "extension": [{"url": "http://x.org/e", "valueDecimal": 1.00}, {"url": "http://x.org/f", "extension": [{"url": "g", "valueCode": "a"}]}],
        "identifier": [{"system": "http://x.org/mrn", "value": PLANTED, "period": _PERIOD}],
        "name": [{"family": PLANTED, "given": ["Ada", "B"], "_given": [None, {"id": "g2"}]}],
        "telecom": [{"system": "phone", "value": "+1 555 0100", "rank": 1}],
        "gender": "female",
        "birthDate": "1970-02",
        "_birthDate": {"extension": [{"url": "http://hl7.org/fhir/StructureDefinition/patient-birthTime", "valueDateTime": "1970-02-03T04:05:06Z"}]},
        "address": [{"line": [PLANTED], "city": "Bern", "postalCode": "3000"}],
        "multipleBirthInteger": 2,
        "contact": [{"name": {"family": PLANTED}}],
        "contained": [{"resourceType": "Organization", "id": "o", "name": PLANTED}],
        "managingOrganization": {"reference": "#o"},
    },
    {
        "resourceType": "Observation",
        "status": "final",
        "category": [{"coding": [{"system": "http://terminology.hl7.org/CodeSystem/observation-category", "code": "vital-signs"}]}],
        "code": _CODED,
        "subject": _SUBJECT,
        "effectiveDateTime": "2020-02-03T04:05:06+01:00",
        "valueQuantity": _QUANTITY,
        "component": [{"code": _CODED, "valueQuantity": _QUANTITY}, {"code": _CODED, "valueCodeableConcept": _CODED}],
        "referenceRange": [{"low": {"value": 1, "unit": "mg"}, "text": "x"}],
    },
    {"resourceType": "Observation", "status": "final", "code": _CODED, "subject": _SUBJECT, "effectivePeriod": _PERIOD, "valueRange": {"low": {"value": 1e-5}}},
    {"resourceType": "Observation", "status": "final", "code": _CODED, "effectiveTiming": {"event": ["2020-01-01"]}, "valueSampledData": {"origin": {"value": 0}, "period": 10, "dimensions": 1, "data": "1 2 E"}},
    {"resourceType": "Encounter", "status": "finished", "class": {"system": _ACT, "code": "AMB"}, "subject": _SUBJECT, "period": _PERIOD, "length": {"value": 3, "unit": "min", "system": "http://unitsofmeasure.org", "code": "min"}},
    {"resourceType": "Condition", "clinicalStatus": _STATUS, "code": _CODED, "subject": _SUBJECT, "onsetAge": {"value": 52, "unit": "years", "system": "http://unitsofmeasure.org", "code": "a"}},
    {"resourceType": "MedicationRequest", "status": "active", "intent": "order", "medicationCodeableConcept": _CODED, "subject": _SUBJECT, "authoredOn": "2020-05", "dosageInstruction": [{"timing": {"repeat": {"boundsPeriod": _PERIOD, "frequency": 1}}, "doseAndRate": [{"doseQuantity": _QUANTITY}]}]},
    {"resourceType": "DocumentReference", "status": "current", "subject": _SUBJECT, "content": [{"attachment": {"contentType": "text/plain", "url": "Binary/1", "data": "aGVsbG8=", "size": 5}}]},
    {"resourceType": "ValueSet", "url": "http://x.org/vs", "version": "1.0", "status": "active", "name": "Abc", "compose": {"include": [{"system": "http://loinc.org", "concept": [{"code": "1", "display": "x"}]}]}},
    {"resourceType": "Questionnaire", "status": "draft", "url": "http://x.org/q", "item": [{"linkId": "1", "type": "group", "item": [{"linkId": "1.1", "type": "choice", "answerOption": [{"valueInteger": 1}]}]}]},
    {"resourceType": "Binary", "contentType": "text/html", "data": "PGI+eDwvYj4=", "securityContext": _SUBJECT},
    {"resourceType": "Group", "type": "person", "actual": True, "member": [{"entity": _SUBJECT, "period": _PERIOD}], "characteristic": [{"code": _CODED, "valueBoolean": True, "exclude": False}]},
    {"resourceType": "Basic", "code": _CODED, "subject": _SUBJECT, "created": "2020-01-01"},
    {"resourceType": "Appointment", "status": "booked", "start": "2024-01-01T10:00:00Z", "end": "2024-01-01T10:30:00Z", "participant": [{"actor": _SUBJECT, "status": "accepted"}]},
    {"resourceType": "List", "status": "current", "mode": "working", "entry": [{"item": _SUBJECT}], "subject": _SUBJECT},
    {"resourceType": "Location", "name": "x", "position": {"longitude": -83.69, "latitude": 42.25}},
    {"resourceType": "Provenance", "target": [_SUBJECT], "recorded": "2020-01-01T00:00:00Z", "agent": [{"who": _SUBJECT}]},
    {"resourceType": "RiskAssessment", "status": "final", "subject": _SUBJECT, "prediction": [{"probabilityDecimal": 0.02}]},
    {"resourceType": "SearchParameter", "url": "http://x.org/sp", "name": "X", "status": "active", "description": "x", "code": "x", "base": ["Patient"], "type": "string", "expression": "Patient.name.family"},
    {"resourceType": "Bundle", "type": "collection", "entry": [{"fullUrl": "urn:uuid:1e9fbd32-6c3c-4d5f-9c62-3d3a2a8f4f01", "resource": {"resourceType": "Basic", "code": _CODED}}]},
    {"resourceType": "Parameters", "parameter": [{"name": "x", "valueString": PLANTED}, {"name": "y", "part": [{"name": "z", "valueBoolean": True}]}]},
    {"resourceType": "AuditEvent", "type": {"code": "rest"}, "recorded": "2020-01-01T00:00:00Z", "agent": [{"requestor": True}], "source": {"observer": _SUBJECT}},
    {"resourceType": "Subscription", "status": "requested", "reason": "x", "criteria": "Patient?name=x", "channel": {"type": "rest-hook", "endpoint": "http://127.0.0.1:1/"}},
)


def seeds() -> tuple[Resource, ...]:
    """The small seeds, and the examples of at most 20 kB when there."""
    found = []
    for path in sorted(EXAMPLES.glob("**/*.json")) if EXAMPLES.is_dir() else ():
        if path.stat().st_size <= _LARGEST:
            value = json.loads(path.read_bytes())
            found.append(value) if "resourceType" in value else None
    return SEEDS * 3 + tuple(found)
