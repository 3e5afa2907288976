"""DG1 to Condition, and to the diagnoses of the Encounter.

HL7 v2.5.1 section 6.5.2 (DG1); official maps DG1[Condition], DG1[Encounter].
"""

from typing import Any, Final

from hl7_bridge.er7 import Segment, Value
from hl7_bridge.mapping.datatypes.coded import coded, concept
from hl7_bridge.mapping.datatypes.identifiers import entity, keys
from hl7_bridge.mapping.datatypes.numbers import positive
from hl7_bridge.mapping.datatypes.texts import string
from hl7_bridge.mapping.datatypes.times import date_time
from hl7_bridge.mapping.draft import Draft
from hl7_bridge.mapping.mentions.practitioners import practitioner
from hl7_bridge.mapping.model import Entry, Key, Policy, Resource
from hl7_bridge.mapping.rows import SET_ID, Row, SegmentMap, apply, extension, ignored

_ASSERTED: Final = "http://hl7.org/fhir/StructureDefinition/condition-assertedDate"
_VERIFICATION: Final = "http://terminology.hl7.org/CodeSystem/condition-ver-status"
_CATEGORY: Final = {
    "coding": [
        {
            "system": "http://terminology.hl7.org/CodeSystem/condition-category",
            "code": "encounter-diagnosis",
            "display": "Encounter Diagnosis",
        }
    ]
}


def _identifier(value: Value, draft: Draft) -> Resource | None:
    return entity(value, draft, own="diagnosis")


DG1 = SegmentMap(
    "DG1",
    "Condition",
    (
        SET_ID,
        ignored(2, "The coding method is a withdrawn field; DG1-3 names its coding system."),
        Row(3, "code", concept),
        Row(4, "code.text"),
        Row(5, "onsetDateTime", date_time),
        Row(6, "Encounter.diagnosis.use"),
        Row(15, "Encounter.diagnosis.rank"),
        Row(16, "asserter", practitioner),
        Row(19, "extension[]", extension(_ASSERTED, "valueDateTime", date_time)),
        Row(20, "identifier[]", _identifier),
        Row(21, "verificationStatus"),
    ),
    official="DG1[Condition]",
)


def condition(dg1: Segment, policy: Policy, draft: Draft) -> Entry | None:
    """The Condition of ``dg1``; None when it names no diagnosis."""
    resource: Resource = {"resourceType": "Condition", "category": [_CATEGORY]}
    apply(DG1, dg1, resource, draft)
    text = string(dg1.first(4), draft) if dg1.has(4) else None
    if text:
        resource.setdefault("code", {}).setdefault("text", text)
    if "code" not in resource:
        return None
    asserted = date_time(dg1.first(19), draft) if dg1.has(19) else None
    if asserted:
        resource["recordedDate"] = asserted
    if dg1.text(21) == "D":
        resource["verificationStatus"] = {"coding": [{"system": _VERIFICATION, "code": "entered-in-error"}]}
    resource["subject"] = draft.subject
    if draft.encounter is not None:
        resource["encounter"] = draft.encounter.reference
    entry = draft.add(resource, policy, _keys(dg1, resource, draft), dg1)
    _diagnosis(dg1, entry, draft)
    return entry


def _diagnosis(dg1: Segment, entry: Entry, draft: Draft) -> None:
    if draft.encounter is None or dg1.text(21) == "D":
        return
    found: dict[str, Any] = {"condition": entry.reference}
    use = coded("DiagnosisType")(dg1.first(6), draft) if dg1.has(6) else None
    if use:
        found["use"] = use
    rank = positive(dg1.first(15), draft) if dg1.has(15) else None
    if rank:
        found["rank"] = rank
    draft.encounter.resource.setdefault("diagnosis", []).append(found)


def _keys(dg1: Segment, resource: Resource, draft: Draft) -> tuple[Key, ...]:
    """Its own number, else whose diagnosis of which visit and kind it is."""
    known = keys(resource.get("identifier", []))
    if known:
        return known
    code = resource["code"]
    said = code["coding"][0].get("code") or code["coding"][0].get("display") if code.get("coding") else code["text"]
    visit = draft.encounter.keys[0] if draft.encounter is not None and draft.encounter.keys else ()
    return draft.derived("https://hearth.health/v2/diagnosis", resource, *visit, dg1.text(6), str(said))
