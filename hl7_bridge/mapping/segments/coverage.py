"""IN1 (with IN2) to Coverage, and GT1 to the RelatedPerson who answers for the bill.

HL7 v2.5.1 sections 6.5.6 (IN1), 6.5.7 (IN2), 6.5.5 (GT1); official map IN1[Coverage]; GT1 is ours.
"""

from typing import Final

from hl7_bridge.er7 import Segment, Value
from hl7_bridge.mapping.datatypes.addresses import address, contact_for
from hl7_bridge.mapping.datatypes.coded import code_of, coded, concept
from hl7_bridge.mapping.datatypes.identifiers import identifier, keys, social_security
from hl7_bridge.mapping.datatypes.names import display, human_name
from hl7_bridge.mapping.datatypes.texts import clean
from hl7_bridge.mapping.datatypes.times import between, date
from hl7_bridge.mapping.draft import Draft
from hl7_bridge.mapping.mentions.organizations import described, organization
from hl7_bridge.mapping.model import Entry, Key, Policy, Resource
from hl7_bridge.mapping.rows import OWN, SET_ID, Row, SegmentMap, apply, extension

_SUBSCRIBER: Final = "http://hl7.org/fhir/5.0/StructureDefinition/extension-Coverage.subscriberId"


def _class(code: str) -> Resource:
    return {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/coverage-class", "code": code}]}


def _group(value: Value, draft: Draft) -> Resource | None:
    text = clean(value.text(1))
    return {"type": _class("group"), "value": text} if text else None


def _plan(value: Value, draft: Draft) -> Resource | None:
    code, text = clean(value.text(1)), clean(value.text(2))
    if not (code or text):
        return None
    return {"type": _class("plan"), "value": code or text, **({"name": text} if text else {})}


IN1 = SegmentMap(
    "IN1",
    "Coverage",
    (
        SET_ID,
        Row(2, "class[]", _plan, OWN),
        Row(3, "payor.identifier"),
        Row(4, "payor"),
        Row(5, "payor.address"),
        Row(7, "payor.telecom", origin=OWN),
        Row(8, "class[]", _group, OWN),
        Row(10, "policyHolder.identifier"),
        Row(11, "policyHolder", organization),
        Row(12, "period.start"),
        Row(13, "period.end"),
        Row(15, "type", concept),
        Row(16, "subscriber"),
        Row(17, "relationship", coded("Relationship")),
        Row(18, "subscriber.birthDate", origin=OWN),
        Row(19, "subscriber.address", origin=OWN),
        Row(36, "identifier", origin=OWN),
        Row(43, "subscriber.gender", origin=OWN),
        Row(49, "extension[]", extension(_SUBSCRIBER, "valueIdentifier", identifier)),
    ),
    official="IN1[Coverage]",
)

GT1 = SegmentMap(
    "GT1",
    "RelatedPerson",
    (
        SET_ID,
        Row(2, "identifier[]", identifier, OWN),
        Row(3, "name[]", human_name, OWN),
        Row(5, "address[]", address, OWN),
        Row(6, "telecom[]", contact_for("home"), OWN),
        Row(7, "telecom[]", contact_for("work"), OWN),
        Row(8, "birthDate", date, OWN),
        Row(9, "gender", code_of("AdministrativeSex"), OWN),
        Row(11, "relationship[]", coded("Relationship"), OWN),
        Row(12, "identifier[]", social_security, OWN),
    ),
)

_GUARANTOR: Final = {
    "coding": [{"system": "http://terminology.hl7.org/CodeSystem/v3-RoleClass", "code": "GUAR", "display": "guarantor"}]
}


def coverage(in1: Segment, policy: Policy, draft: Draft) -> Entry:
    """The Coverage of ``in1`` for the patient at hand."""
    resource: Resource = {"resourceType": "Coverage", "status": "active"}
    apply(IN1, in1, resource, draft)
    number = clean(in1.text(36))
    if number:
        resource["identifier"] = [{"system": draft.own("policy"), "value": number}]
    lasting = between(in1.text(12), in1.text(13), draft) if in1.has(12) or in1.has(13) else None
    if lasting:
        resource["period"] = lasting
    resource["beneficiary"] = draft.subject
    subscriber = _subscriber(in1, policy, draft)
    if subscriber:
        resource["subscriber"] = subscriber
    resource["payor"] = [_payor(in1, draft) or draft.subject]
    _holder(in1, resource, draft)
    entry = draft.add(resource, policy, _keys(in1, resource, draft), in1)
    entry.defaults = frozenset({"status"})
    return entry


def _payor(in1: Segment, draft: Draft) -> Resource | None:
    """IN1-4 with the number, address and telephone of the company."""
    named = described(in1.first(4), in1.first(5), in1.all(7), draft) if in1.has(4) else None
    number = identifier(in1.first(3), draft) if in1.has(3) else None
    if number is None:
        return named
    number.setdefault("system", draft.own("insurance-company"))
    if named is None:
        found: Resource = {"resourceType": "Organization", "identifier": [number]}
        return draft.mention(found, keys([number]))
    company = draft.entry(named)
    if company is not None and number not in company.resource.get("identifier", []):
        company.resource.setdefault("identifier", []).append(number)
        company.keys = (*company.keys, *keys([number]))
    return named


def _holder(in1: Segment, resource: Resource, draft: Draft) -> None:
    number = identifier(in1.first(10), draft) if in1.has(10) else None
    if number is None:
        return
    number.setdefault("system", draft.own("group-member"))
    if "policyHolder" not in resource:
        found: Resource = {"resourceType": "Organization", "identifier": [number]}
        resource["policyHolder"] = draft.mention(found, keys([number]))


def _is_self(in1: Segment) -> bool:
    return in1.text(17).upper() in ("SEL", "18", "SELF", "S", "01")


def _subscriber(in1: Segment, policy: Policy, draft: Draft) -> Resource | None:
    """The patient, or a RelatedPerson named in IN1-16."""
    if _is_self(in1):
        return draft.subject
    name = human_name(in1.first(16), draft) if in1.has(16) else None
    if name is None:
        return None
    resource: Resource = {"resourceType": "RelatedPerson", "patient": draft.subject, "name": [name]}
    born = date(in1.first(18), draft) if in1.has(18) else None
    home = address(in1.first(19), draft) if in1.has(19) else None
    gender = code_of("AdministrativeSex")(in1.first(43), draft) if in1.has(43) else None
    for element, value in (("birthDate", born), ("address", [home] if home else None), ("gender", gender)):
        if value:
            resource[element] = value
    known = _person_keys("insured", resource, draft)
    return draft.add(resource, Policy.MENTION, known, in1).reference


def _person_keys(role: str, resource: Resource, draft: Draft) -> tuple[Key, ...]:
    return draft.derived("https://hearth.health/v2/related-person", resource, role, display(resource["name"][0]))


def _keys(in1: Segment, resource: Resource, draft: Draft) -> tuple[Key, ...]:
    """The patient, the plan, the company and the number of the policy; none of them alone says which coverage it is."""
    plan = (in1.text(2), in1.text(3) or in1.text(4), in1.text(36) or in1.text(49))
    return draft.derived("https://hearth.health/v2/coverage", resource, *plan)


def guarantor(gt1: Segment, policy: Policy, draft: Draft) -> Entry | None:
    """The RelatedPerson of ``gt1``; None without a name."""
    resource: Resource = {"resourceType": "RelatedPerson"}
    apply(GT1, gt1, resource, draft)
    if "name" not in resource:
        return None
    for each in resource.get("identifier", ()):
        each.setdefault("system", draft.own("guarantor"))
    resource["patient"] = draft.subject
    resource.setdefault("relationship", []).append(_GUARANTOR)
    known = keys([each for each in resource.get("identifier", ()) if each["system"] == draft.own("guarantor")])
    return draft.add(resource, policy, known or _person_keys("guarantor", resource, draft), gt1)
