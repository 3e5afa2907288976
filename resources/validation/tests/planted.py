# ruff: noqa: E501 - a table reads best with one row on one line
"""Errors planted in valid resources: category, the resource, and where the one issue must be found.

FHIR R4 validation (https://hl7.org/fhir/R4/validation.html#aspects). Every row breaks exactly one rule.
"""

from collections.abc import Callable
from copy import deepcopy
from decimal import Decimal
from typing import Any, NamedTuple

Node = dict[str, Any]

XHTML = "http://www.w3.org/1999/xhtml"
ACT = "http://terminology.hl7.org/CodeSystem/v3-ActCode"
CLINICAL = "http://terminology.hl7.org/CodeSystem/condition-clinical"

EXTENSION: Node = {"url": "http://example.org/e", "valueString": "x"}

VALID: dict[str, Node] = {
    "patient": {
        "resourceType": "Patient",
        "id": "p1",
        "text": {"status": "generated", "div": f'<div xmlns="{XHTML}"><p>Ann Lee</p></div>'},
        "identifier": [{"system": "urn:oid:1.2.3", "value": "12"}],
        "name": [{"family": "Lee", "given": ["Ann", "Mary"]}],
        "gender": "female",
        "birthDate": "1980-02-29",
        "contact": [{"name": {"family": "Bo"}, "gender": "male"}],
        "generalPractitioner": [{"reference": "Practitioner/7"}],
        "extension": [EXTENSION],
        "_gender": {"id": "g"},
        "_birthDate": {"extension": [dict(EXTENSION)]},
    },
    "observation": {
        "resourceType": "Observation",
        "status": "final",
        "code": {"coding": [{"system": "http://loinc.org", "code": "8302-2"}]},
        "subject": {"reference": "Patient/p1"},
        "effectiveDateTime": "2020-01-01T10:00:00+01:00",
        "valueQuantity": {"value": Decimal("170.0"), "unit": "cm", "system": "http://unitsofmeasure.org", "code": "cm"},
    },
    "encounter": {
        "resourceType": "Encounter",
        "status": "finished",
        "class": {"system": ACT, "code": "AMB"},
        "period": {"start": "2020-01-01T10:00:00Z", "end": "2020-01-01T11:00:00Z"},
    },
    "condition": {
        "resourceType": "Condition",
        "clinicalStatus": {"coding": [{"system": CLINICAL, "code": "active"}]},
        "subject": {"reference": "Patient/p1"},
    },
    "request": {
        "resourceType": "MedicationRequest",
        "status": "active",
        "intent": "order",
        "contained": [{"resourceType": "Medication", "id": "m", "code": {"text": "aspirin"}}],
        "medicationReference": {"reference": "#m"},
        "subject": {"reference": "Patient/p1"},
    },
    "appointment": {
        "resourceType": "Appointment",
        "status": "booked",
        "start": "2020-01-01T10:00:00Z",
        "end": "2020-01-01T10:30:00Z",
        "participant": [{"actor": {"reference": "Patient/p1"}, "status": "accepted"}],
    },
    "questionnaire": {
        "resourceType": "Questionnaire",
        "status": "active",
        "item": [
            {"linkId": "1", "type": "boolean", "text": "Well?"},
            {
                "linkId": "2",
                "type": "string",
                "enableWhen": [{"question": "1", "operator": "=", "answerBoolean": False}],
            },
        ],
    },
    "media": {
        "resourceType": "Media",
        "status": "completed",
        "content": {"contentType": "text/plain", "data": "aGVsbG8=", "size": 5},
    },
    "bundle": {
        "resourceType": "Bundle",
        "type": "transaction",
        "entry": [
            {
                "fullUrl": "urn:uuid:11111111-1111-4111-8111-111111111111",
                "resource": {"resourceType": "Organization", "name": "A"},
                "request": {"method": "POST", "url": "Organization"},
            },
            {
                "fullUrl": "urn:uuid:22222222-2222-4222-8222-222222222222",
                "resource": {"resourceType": "Practitioner", "active": True},
                "request": {"method": "PUT", "url": "Practitioner/2"},
            },
        ],
    },
    "parameters": {
        "resourceType": "Parameters",
        "parameter": [{"name": "a", "valueString": "x"}, {"name": "b", "part": [{"name": "c", "valueInteger": 1}]}],
    },
}


class Planted(NamedTuple):
    """``change`` breaks a copy of ``VALID[base]``; ``expression`` and ``code`` are those of the issue it must cause."""

    category: str
    base: str
    change: Callable[[Node], Any]
    expression: str
    code: str

    def resource(self) -> Node:
        broken = deepcopy(VALID[self.base])
        self.change(broken)
        return broken


def put(*path: str | int, value: Any) -> Callable[[Node], None]:
    """A change that sets the member at ``path``."""

    def change(node: Any) -> None:
        for step in path[:-1]:
            node = node[step]
        node[path[-1]] = value

    return change


def drop(*path: str | int) -> Callable[[Node], None]:
    """A change that removes the member at ``path``."""

    def change(node: Any) -> None:
        for step in path[:-1]:
            node = node[step]
        del node[path[-1]]

    return change


def drop_all(*names: str) -> Callable[[Node], None]:
    """A change that removes top-level members."""

    def change(node: Node) -> None:
        for name in names:
            del node[name]

    return change


def narrative(inner: str) -> Callable[[Node], None]:
    return put("text", "div", value=f'<div xmlns="{XHTML}">{inner}</div>')


_QUANTITY = "Observation.value.ofType(Quantity)"

PLANTED = [
    Planted("wrong type", "patient", put("active", value="true"), "Patient.active", "value"),
    Planted("wrong type", "patient", put("multipleBirthInteger", value="2"), "Patient.multipleBirth.ofType(integer)", "value"),
    Planted("wrong type", "patient", put("contact", 0, "name", value="Bo"), "Patient.contact[0].name", "structure"),
    Planted("wrong type", "observation", put("valueQuantity", "value", value="170"), f"{_QUANTITY}.value", "value"),
    Planted("wrong type", "patient", put("multipleBirthInteger", value=Decimal("2.0")), "Patient.multipleBirth.ofType(integer)", "value"),
    Planted("wrong type", "media", put("height", value=0), "Media.height", "value"),
    Planted("unknown element", "patient", put("gendr", value="female"), "Patient.gendr", "structure"),
    Planted("unknown element", "patient", put("name", 0, "first", value="Ann"), "Patient.name[0].first", "structure"),
    Planted("unknown element", "observation", put("value", value="x"), "Observation.value", "structure"),
    Planted("unknown element", "patient", put("contact", 0, "_name", value={"id": "a"}), "Patient.contact[0]._name", "structure"),
    Planted("unknown element", "patient", put("extension", 0, "_url", value={"id": "a"}), "Patient.extension[0]._url", "structure"),
    Planted("unknown type", "bundle", put("entry", 0, "resource", "resourceType", value="Organisation"), "Bundle.entry[0].resource.resourceType", "structure"),
    Planted("unknown type", "bundle", drop("entry", 0, "resource", "resourceType"), "Bundle.entry[0].resource.resourceType", "required"),
    Planted("missing", "observation", drop("status"), "Observation.status", "required"),
    Planted("missing", "observation", drop("code"), "Observation.code", "required"),
    Planted("missing", "request", drop_all("contained", "medicationReference"), "MedicationRequest.medication", "required"),
    Planted("missing", "bundle", drop("entry", 1, "request", "url"), "Bundle.entry[1].request.url", "required"),
    Planted("missing", "appointment", drop("participant", 0, "status"), "Appointment.participant[0].status", "required"),
    Planted("cardinality", "patient", put("gender", value=["female"]), "Patient.gender", "structure"),
    Planted("cardinality", "patient", put("name", value={"family": "Lee"}), "Patient.name", "structure"),
    Planted("cardinality", "appointment", put("participant", value=[]), "Appointment.participant", "structure"),
    Planted("cardinality", "patient", put("name", 0, "given", value="Ann"), "Patient.name[0].given", "structure"),
    Planted("binding", "patient", put("gender", value="Female"), "Patient.gender", "code-invalid"),
    Planted("binding", "observation", put("status", value="done"), "Observation.status", "code-invalid"),
    Planted("binding", "condition", put("clinicalStatus", "coding", 0, "code", value="alive"), "Condition.clinicalStatus", "code-invalid"),
    Planted("binding", "condition", put("clinicalStatus", value={"text": "active"}), "Condition.clinicalStatus", "code-invalid"),
    Planted("binding", "patient", put("name", 0, "use", value="formal"), "Patient.name[0].use", "code-invalid"),
    Planted("date", "patient", put("birthDate", value="1981-02-29"), "Patient.birthDate", "value"),
    Planted("date", "patient", put("birthDate", value="29.02.1980"), "Patient.birthDate", "value"),
    Planted("date", "patient", put("birthDate", value="1980-13"), "Patient.birthDate", "value"),
    Planted("date", "observation", put("effectiveDateTime", value="2020-01-01T10:00:00"), "Observation.effective.ofType(dateTime)", "value"),
    Planted("date", "observation", put("effectiveDateTime", value="2020-04-31"), "Observation.effective.ofType(dateTime)", "value"),
    Planted("date", "observation", put("issued", value="2020-01-01"), "Observation.issued", "value"),
    Planted("date", "appointment", put("start", value="2020-01-01T24:00:00Z"), "Appointment.start", "value"),
    Planted("primitive format", "patient", put("id", value="p 1"), "Patient.id", "value"),
    Planted("primitive format", "patient", put("id", value="x" * 65), "Patient.id", "value"),
    Planted("primitive format", "patient", put("identifier", 0, "system", value="my system"), "Patient.identifier[0].system", "value"),
    Planted("primitive format", "media", put("content", value={"contentType": "text/plain", "data": "%%%"}), "Media.content.data", "value"),
    Planted("primitive format", "patient", put("name", 0, "family", value="a\u0001b"), "Patient.name[0].family", "value"),
    Planted("reference", "observation", put("subject", "reference", value="Practitioner/1"), "Observation.subject.reference", "value"),
    Planted("reference", "observation", put("subject", "reference", value="https://x.org/fhir/Encounter/1"), "Observation.subject.reference", "value"),
    Planted("reference", "observation", put("subject", "reference", value="Patient p1"), "Observation.subject.reference", "value"),
    Planted("reference", "observation", put("subject", value={"type": "Encounter", "display": "x"}), "Observation.subject.type", "value"),
    Planted("reference", "observation", put("subject", "type", value="Group"), "Observation.subject.reference", "value"),
    Planted("reference", "request", put("subject", "reference", value="#m"), "MedicationRequest.subject.reference", "value"),
    Planted("invariant", "observation", put("dataAbsentReason", value={"text": "unknown"}), "Observation", "invariant"),
    Planted("invariant", "observation", put("component", value=[{"code": VALID["observation"]["code"]}]), "Observation", "invariant"),
    Planted("invariant", "observation", put("referenceRange", value=[{"type": {"text": "x"}}]), "Observation.referenceRange[0]", "invariant"),
    Planted("invariant", "observation", drop("valueQuantity", "system"), _QUANTITY, "invariant"),
    Planted("invariant", "patient", put("contact", value=[{"gender": "male"}]), "Patient.contact[0]", "invariant"),
    Planted("invariant", "patient", put("telecom", value=[{"value": "555"}]), "Patient.telecom[0]", "invariant"),
    Planted("invariant", "encounter", put("period", "end", value="2019-01-01T10:00:00Z"), "Encounter.period", "invariant"),
    Planted("invariant", "encounter", put("period", "end", value="2020-01-01T10:30:00+01:00"), "Encounter.period", "invariant"),
    Planted("invariant", "appointment", drop_all("start", "end"), "Appointment", "invariant"),
    Planted("invariant", "questionnaire", lambda n: n["item"].append({"linkId": "1", "type": "string"}), "Questionnaire", "invariant"),
    Planted("invariant", "questionnaire", put("item", 0, "type", value="group"), "Questionnaire.item[0]", "invariant"),
    Planted("invariant", "media", drop("content", "contentType"), "Media.content", "invariant"),
    Planted("invariant", "media", put("content", "size", value=100), "Media.content", "invariant"),
    Planted("choice", "observation", put("valueString", value="x"), "Observation.value", "structure"),
    Planted("choice", "patient", lambda n: n.update(deceasedBoolean=True, deceasedDateTime="2020"), "Patient.deceased", "structure"),
    Planted("choice", "observation", put("valueDecimal", value=1), "Observation.valueDecimal", "structure"),
    Planted("choice", "parameters", put("parameter", 0, "valueCode", value="x"), "Parameters.parameter[0].value", "structure"),
    Planted("primitive extension", "patient", put("name", 0, "_given", value=[None]), "Patient.name[0].given", "structure"),
    Planted("primitive extension", "patient", put("_birthDate", value={}), "Patient.birthDate", "invariant"),
    Planted("primitive extension", "patient", put("_birthDate", value=[{"id": "a"}]), "Patient.birthDate", "structure"),
    Planted("primitive extension", "patient", put("_gender", value={"extension": [{"valueCode": "x"}]}), "Patient.gender.extension[0].url", "required"),
    Planted("primitive extension", "patient", lambda n: n["name"][0].update(given=["Ann", None], _given=[{"extension": [EXTENSION]}, None]), "Patient.name[0].given[1]", "structure"),
    Planted("extension", "patient", drop("extension", 0, "valueString"), "Patient.extension[0]", "invariant"),
    Planted("extension", "patient", put("extension", 0, "extension", value=[{"url": "a", "valueCode": "b"}]), "Patient.extension[0]", "invariant"),
    Planted("extension", "patient", put("extension", 0, "valueCode", value="x"), "Patient.extension[0].value", "structure"),
    Planted("extension", "patient", drop("extension", 0, "url"), "Patient.extension[0].url", "required"),
    Planted("empty", "patient", put("name", 0, "family", value=""), "Patient.name[0].family", "value"),
    Planted("empty", "patient", put("maritalStatus", value={}), "Patient.maritalStatus", "invariant"),
    Planted("empty", "patient", put("address", value=[]), "Patient.address", "structure"),
    Planted("empty", "patient", put("maritalStatus", value={"id": "a"}), "Patient.maritalStatus", "invariant"),
    Planted("null", "patient", put("gender", value=None), "Patient.gender", "value"),
    Planted("null", "patient", put("name", 0, "given", value=["Ann", None]), "Patient.name[0].given[1]", "value"),
    Planted("null", "patient", put("maritalStatus", value=None), "Patient.maritalStatus", "structure"),
    Planted("white space", "patient", put("name", 0, "family", value=" \n"), "Patient.name[0].family", "value"),
    Planted("white space", "patient", put("language", value=" en"), "Patient.language", "value"),
    Planted("white space", "observation", put("code", "coding", 0, "code", value="8302-2 "), "Observation.code.coding[0].code", "value"),
    Planted("bundle entry", "bundle", put("entry", 1, "fullUrl", value=VALID["bundle"]["entry"][0]["fullUrl"]), "Bundle.entry[1].fullUrl", "invariant"),
    Planted("bundle entry", "bundle", drop("entry", 0, "request"), "Bundle.entry[0].request", "invariant"),
    Planted("bundle entry", "bundle", put("entry", 1, "resource", "active", value="yes"), "Bundle.entry[1].resource.active", "value"),
    Planted("bundle entry", "bundle", put("total", value=2), "Bundle", "invariant"),
    Planted("bundle entry", "bundle", put("entry", 0, "search", value={"mode": "match"}), "Bundle", "invariant"),
    Planted("bundle entry", "bundle", put("entry", 0, "request", "method", value="FETCH"), "Bundle.entry[0].request.method", "code-invalid"),
    Planted("parameters", "parameters", drop("parameter", 0, "valueString"), "Parameters.parameter[0]", "invariant"),
    Planted("parameters", "parameters", put("parameter", 1, "part", 0, "resource", value={"resourceType": "Patient"}), "Parameters.parameter[1].part[0]", "invariant"),
    Planted("contained", "request", put("medicationReference", "reference", value="Medication/1"), "MedicationRequest.contained[0]", "invariant"),
    Planted("contained", "request", put("contained", 0, "meta", value={"versionId": "1"}), "MedicationRequest.contained[0].meta.versionId", "invariant"),
    Planted("contained", "request", put("contained", 0, "meta", value={"security": [{"code": "R"}]}), "MedicationRequest.contained[0].meta.security", "invariant"),
    Planted("contained", "request", put("contained", 0, "contained", value=[{"resourceType": "Basic", "id": "m", "code": {"text": "x"}}]), "MedicationRequest.contained[0].contained", "invariant"),
    Planted("contained", "request", put("contained", 0, "status", value="new"), "MedicationRequest.contained[0].status", "code-invalid"),
    Planted("contained", "observation", put("subject", "reference", value="#p"), "Observation.subject", "invariant"),
    Planted("narrative", "patient", narrative("<script>alert(1)</script>x"), "Patient.text.div", "invariant"),
    Planted("narrative", "patient", narrative('<p onclick="x()">x</p>'), "Patient.text.div", "invariant"),
    Planted("narrative", "patient", narrative('<a href="javascript:x()">x</a>'), "Patient.text.div", "invariant"),
    Planted("narrative", "patient", narrative('<p style="background:url(http://x.org/a.png)">x</p>'), "Patient.text.div", "invariant"),
    Planted("narrative", "patient", narrative("<p>open"), "Patient.text.div", "invariant"),
    Planted("narrative", "patient", narrative(" "), "Patient.text.div", "invariant"),
    Planted("narrative", "patient", put("text", "div", value="<div>x</div>"), "Patient.text.div", "invariant"),
    Planted("narrative", "patient", put("text", "div", value=f'<!DOCTYPE div><div xmlns="{XHTML}">x</div>'), "Patient.text.div", "invariant"),
]  # fmt: skip
