"""NK1 to RelatedPerson and Patient.contact; PID-21 to the mother.

HL7 v2.5.1 section 3.4.5 (NK1); official maps NK1[RelatedPerson], NK1[Patient], CX[RelatedPerson-Mother].
"""

from typing import Final

from hl7_bridge.er7 import Segment
from hl7_bridge.mapping.datatypes.addresses import address, contact_for, contact_point
from hl7_bridge.mapping.datatypes.coded import code_of, coded, concept
from hl7_bridge.mapping.datatypes.identifiers import identifier, keys, social_security
from hl7_bridge.mapping.datatypes.names import display, human_name
from hl7_bridge.mapping.datatypes.times import between, date
from hl7_bridge.mapping.draft import Draft
from hl7_bridge.mapping.mentions.organizations import organization
from hl7_bridge.mapping.model import Entry, Key, Policy, Resource
from hl7_bridge.mapping.rows import SET_ID, Row, SegmentMap, apply

NK1 = SegmentMap(
    "NK1",
    "RelatedPerson",
    (
        SET_ID,
        Row(2, "name[]", human_name),
        Row(3, "relationship[]", coded("Relationship")),
        Row(4, "address[]", address),
        Row(5, "telecom[]", contact_point),
        Row(6, "telecom[]", contact_for("work")),
        Row(7, "relationship[]", coded("ContactRole")),
        Row(8, "period.start"),
        Row(9, "period.end"),
        Row(12, "identifier[]", identifier),
        Row(13, "Patient.contact.organization"),
        Row(15, "gender", code_of("AdministrativeSex")),
        Row(16, "birthDate", date),
        Row(20, "communication[]", lambda value, draft: (found := concept(value, draft)) and {"language": found}),
        Row(30, "name[]", human_name),
        Row(31, "telecom[]", contact_point),
        Row(32, "address[]", address),
        Row(33, "identifier[]", identifier),
        Row(37, "identifier[]", social_security),
        Row(40, "telecom[]", contact_point),
        Row(41, "telecom[]", contact_point),
    ),
    official="NK1[RelatedPerson]",
)

_CONTACT: Final = ("relationship", "telecom", "gender", "period")
_MOTHER: Final = {
    "coding": [{"system": "http://terminology.hl7.org/CodeSystem/v3-RoleCode", "code": "MTH", "display": "mother"}]
}


def related_person(nk1: Segment, policy: Policy, draft: Draft) -> Entry | None:
    """The RelatedPerson of ``nk1``, who is also a contact of the patient; None when nothing is said of a person."""
    resource: Resource = {"resourceType": "RelatedPerson"}
    apply(NK1, nk1, resource, draft)
    lasting = between(nk1.text(8), nk1.text(9), draft) if nk1.has(8) or nk1.has(9) else None
    if lasting:
        resource["period"] = lasting
    employer = _employer(nk1, draft)
    if len(resource) == 1 and employer is None:
        return None
    _contact(resource, employer, draft)
    resource["patient"] = draft.subject
    return draft.add(resource, policy, _keys(resource, draft), nk1)


def _employer(nk1: Segment, draft: Draft) -> Resource | None:
    """NK1-13, with its contact person of NK1-30 to 32."""
    found = organization(nk1.first(13), draft) if nk1.has(13) else None
    entry = draft.entry(found)
    if entry is None:
        return None
    name = human_name(nk1.first(30), draft) if nk1.has(30) else None
    where = address(nk1.first(32), draft) if nk1.has(32) else None
    points = [point for value in nk1.all(31) if (point := contact_point(value, draft))]
    person = {key: value for key, value in (("name", name), ("telecom", points), ("address", where)) if value}
    if person:
        entry.resource.setdefault("contact", [person])
    return found


def _keys(resource: Resource, draft: Draft) -> tuple[Key, ...]:
    """Their own identifiers, else who they are to this patient: relationship and name."""
    found = keys(resource.get("identifier", []))
    relation = [code for each in resource.get("relationship", ())[:1] for code in _codes(each)]
    names = [display(each) for each in resource.get("name", ())[:1]]
    if found or not (relation or names):
        return found
    return draft.derived("https://hearth.health/v2/related-person", resource, *relation, *names)


def _codes(each: Resource) -> list[str]:
    return [coding.get("code", "") for coding in each.get("coding", ())[:1]] or [each.get("text", "")]


def _contact(resource: Resource, employer: Resource | None, draft: Draft) -> None:
    found: Resource = {name: resource[name] for name in _CONTACT if name in resource}
    for one, many in (("name", "name"), ("address", "address")):
        if many in resource:
            found[one] = resource[many][0]
    if employer:
        found["organization"] = employer
    # A contact needs at least one of name, telecom, address and organization (pat-1).
    if draft.patient is not None and found.keys() & {"name", "telecom", "address", "organization"}:
        draft.patient.resource.setdefault("contact", []).append(found)


def mothers(pid: Segment, policy: Policy, draft: Draft) -> None:
    """PID-21: whom the patient was born to, by identifier."""
    for value in pid.all(21):
        known = identifier(value, draft)
        if known:
            resource: Resource = {
                "resourceType": "RelatedPerson",
                "identifier": [known],
                "patient": draft.subject,
                "relationship": [_MOTHER],
            }
            draft.add(resource, policy, keys([known]), pid)
