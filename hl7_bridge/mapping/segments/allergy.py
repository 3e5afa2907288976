"""AL1 and IAM to AllergyIntolerance.

HL7 v2.5.1 sections 3.4.6 (AL1), 3.4.7 (IAM); official maps AL1[AllergyIntolerance], IAM[AllergyIntolerance].
"""

from typing import Final

from hl7_bridge.er7 import Segment, Value
from hl7_bridge.mapping.code_tables.tables import table
from hl7_bridge.mapping.datatypes.coded import code_of, concept, text_concept
from hl7_bridge.mapping.datatypes.identifiers import entity, keys
from hl7_bridge.mapping.datatypes.texts import string
from hl7_bridge.mapping.datatypes.times import date_time
from hl7_bridge.mapping.draft import Draft
from hl7_bridge.mapping.mentions.practitioners import Reference
from hl7_bridge.mapping.model import Entry, Key, Policy, Resource
from hl7_bridge.mapping.rows import OWN, SET_ID, Row, SegmentMap, apply, listed

_CLINICAL: Final = "http://terminology.hl7.org/CodeSystem/allergyintolerance-clinical"
_VERIFICATION: Final = "http://terminology.hl7.org/CodeSystem/allergyintolerance-verification"
_SEVERITY: Final = "AllergySeverity[AllergyIntolerance.reaction.severity]"
_CRITICALITY: Final = "AllergySeverity[AllergyIntolerance.criticality]"

AL1 = SegmentMap(
    "AL1",
    "AllergyIntolerance",
    (
        SET_ID,
        Row(2, "category", listed(code_of("AllergenType[AllergyIntoleranceCategory]"))),
        Row(3, "code", concept),
        Row(4, "reaction.severity"),
        Row(5, "reaction.manifestation"),
        Row(6, "onsetDateTime", date_time),
    ),
    official="AL1[AllergyIntolerance]",
)


def _identifier(value: Value, draft: Draft) -> Resource | None:
    return entity(value, draft, own="allergy")


IAM = SegmentMap(
    "IAM",
    "AllergyIntolerance",
    (
        SET_ID,
        Row(2, "category", listed(code_of("AllergenType[AllergyIntoleranceCategory]"))),
        Row(3, "code", concept),
        Row(4, "reaction.severity"),
        Row(5, "reaction.manifestation"),
        Row(6, "verificationStatus", origin=OWN),
        Row(7, "identifier[]", _identifier),
        Row(11, "onsetDateTime", date_time),
        Row(12, "onsetString"),
        Row(13, "recordedDate", date_time),
        Row(14, "recorder.display", origin=OWN),
        Row(17, "verificationStatus"),
        Row(27, "code"),
    ),
    official="IAM[AllergyIntolerance]",
)


def allergy(segment: Segment, policy: Policy, draft: Draft) -> Entry | None:
    """The AllergyIntolerance of an AL1 or IAM; None when it names no allergen."""
    resource: Resource = {"resourceType": "AllergyIntolerance"}
    rows = IAM if segment.name == "IAM" else AL1
    apply(rows, segment, resource, draft)
    if rows is IAM:
        _more(segment, resource, draft)
    if "code" not in resource:
        return None
    if segment.has(2) and segment.text(2) in table("AllergyType").codes:
        resource["type"] = "allergy"
    _reaction(segment, resource, draft)
    _statuses(resource)
    resource["patient"] = draft.subject
    return draft.add(resource, policy, _keys(resource, draft), segment)


def _reaction(segment: Segment, resource: Resource, draft: Draft) -> None:
    """Severity is of a reaction when there is one, else it can only be how critical the allergy is."""
    read = concept if segment.name == "IAM" else text_concept
    shown = [found for value in segment.all(5) if (found := read(value, draft))]
    severity = segment.first(4)
    if shown:
        reaction: Resource = {"manifestation": shown}
        grade = code_of(_SEVERITY)(severity, draft) if severity else None
        if grade:
            reaction["severity"] = grade
        resource["reaction"] = [reaction]
    elif severity:
        critical = table(_CRITICALITY).codes.get(severity.text(1))
        if critical is not None:
            resource["criticality"] = critical.code


def _more(iam: Segment, resource: Resource, draft: Draft) -> None:
    if iam.has(27) and "code" not in resource:
        better = concept(iam.first(27), draft)
        if better:
            resource["code"] = better
    if iam.has(12) and "onsetDateTime" not in resource:
        text = string(iam.first(12), draft)
        if text:
            resource["onsetString"] = text
    reporter = _reporter(iam)
    if reporter:
        resource["recorder"] = reporter
    status = "entered-in-error" if iam.text(6) == "D" else None
    known = table("AllergyClinicalStatus").codes.get(iam.text(17))
    code = status or (known.code if known is not None else None)
    if code:
        resource["verificationStatus"] = {"coding": [{"system": _VERIFICATION, "code": code}]}


def _reporter(iam: Segment) -> Reference | None:
    parts = [iam.text(14, n) for n in (2, 1)]
    shown = " ".join(part for part in parts if part)
    return {"display": shown} if shown else None


def _statuses(resource: Resource) -> None:
    """Clinical status is there unless the entry was an error (ait-1, ait-2)."""
    verification = resource.get("verificationStatus", {}).get("coding", [{}])[0].get("code")
    if verification != "entered-in-error":
        resource["clinicalStatus"] = {"coding": [{"system": _CLINICAL, "code": "active"}]}


def _keys(resource: Resource, draft: Draft) -> tuple[Key, ...]:
    """Its own number, else the patient and the allergen."""
    known = keys(resource.get("identifier", []))
    if known:
        return known
    code = resource["code"]
    allergen = code["coding"][0].get("code") or code["coding"][0].get("display") if code.get("coding") else code["text"]
    return draft.derived("https://hearth.health/v2/allergy", resource, str(allergen))
