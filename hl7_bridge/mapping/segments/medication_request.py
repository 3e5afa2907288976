"""RXO, RXE and RXG to MedicationRequest: the original order, what the pharmacy made of it, and each planned give.

HL7 v2.5.1 sections 4.14.1 (RXO), 4.14.4 (RXE), 4.14.6 (RXG); official map RXO[MedicationRequest]; RXE, RXG and the
links between the three are ours.
"""

from typing import Any, Final

from hl7_bridge.er7 import Segment, Value
from hl7_bridge.mapping.datatypes.identifiers import Identifier
from hl7_bridge.mapping.datatypes.numbers import number
from hl7_bridge.mapping.datatypes.texts import clean
from hl7_bridge.mapping.datatypes.times import date_time
from hl7_bridge.mapping.draft import Draft
from hl7_bridge.mapping.mentions.organizations import described
from hl7_bridge.mapping.mentions.practitioners import practitioner
from hl7_bridge.mapping.model import Entry, Key, Policy, Resource
from hl7_bridge.mapping.prescriptions import Part, Prescription
from hl7_bridge.mapping.rows import apply
from hl7_bridge.mapping.segments.dosage import amount, dosages, dose_and_rate, instructions, most_per_day, route
from hl7_bridge.mapping.segments.medication import medication
from hl7_bridge.mapping.segments.medication_request_rows import KINDS, Kind
from hl7_bridge.mapping.segments.medication_timing import Times, from_tq, from_tq1
from hl7_bridge.mapping.segments.notes import annotations
from hl7_bridge.mapping.segments.pharmacy_order import (
    ORC,
    Numbers,
    asked,
    group,
    parent,
    said_at,
    status,
    waits_for,
)
from hl7_bridge.mapping.systems import system

ENDS: Final = frozenset({"completed", "cancelled", "stopped", "entered-in-error"})
"""Statuses after which an order does not come back by an older message."""


def medication_request(found: Prescription, part: Part, numbered: Numbers, policy: Policy, draft: Draft) -> Entry:
    """The original (RXO) or the encoded order (RXE)."""
    is_original = part.name == "RXO"
    own = numbered.original if is_original else numbered.encoded
    resource = _begun(found, own, draft)
    _identify(resource, part, numbered, own, draft)
    drug = _stated(found, part, resource, own, policy, draft)
    resource["status"] = status(found.order.orc, draft)
    resource["intent"] = "original-order" if is_original else "filler-order"
    before = parent(found.order.orc, draft)
    if before:
        resource["priorPrescription"] = before
    return _added(found, part, resource, own, policy, draft, drug)


def planned_give(found: Prescription, part: Part, own: Key, draft: Draft) -> Entry:
    """RXG as one instance of the order."""
    resource = _begun(found, own, draft)
    resource["identifier"] = [{"system": own.system, "value": own.value}]
    drug = _stated(found, part, resource, own, Policy.ORDER, draft)
    resource["status"] = status(found.order.orc, draft)
    resource["intent"] = "instance-order"
    return _added(found, part, resource, own, Policy.ORDER, draft, drug)


def _begun(found: Prescription, own: Key, draft: Draft) -> Resource:
    resource: Resource = {"resourceType": "MedicationRequest"}
    if found.order.orc is not None:
        apply(ORC, found.order.orc, resource, draft)
    resource["subject"] = draft.subject
    if draft.encounter is not None:
        resource["encounter"] = draft.encounter.reference
    return resource


def _identify(resource: Resource, part: Part, numbered: Numbers, own: Key, draft: Draft) -> None:
    """The placer's number is the original's alone, so that it means one order; the pharmacy's is on both."""
    found: list[Identifier] = []
    if part.name == "RXO" and numbered.placer and own == (numbered.placer.get("system"), numbered.placer["value"]):
        found.append(numbered.placer)
    else:
        found.append({"system": own.system, "value": own.value})
    if numbered.filler:
        found.append(numbered.filler)
    written = part.segment.text(15).strip() if part.name == "RXE" else ""
    if written:
        found.append({"system": draft.own("prescription"), "value": written})
    resource["identifier"] = found


def _stated(
    found: Prescription, part: Part, resource: Resource, own: Key, policy: Policy, draft: Draft
) -> Entry | None:
    """Everything the segment and what follows it say."""
    kind, segment, orc = KINDS[part.name], part.segment, found.order.orc
    apply(kind.rows, segment, resource, draft)
    chosen, drug = medication(part, kind.drug, own, policy, draft)
    resource.update(chosen)
    requester = asked(orc, draft) or (_person(segment, kind.asked, draft) if kind.asked else None)
    if requester:
        resource["requester"] = requester
    together = group(orc, draft)
    if together:
        resource["groupIdentifier"] = together
    _dispense(segment, kind, resource, draft)
    _dosed(found, part, kind, resource, draft)
    _noted(found, part, kind, resource, draft)
    return drug


def _person(segment: Segment, field: int, draft: Draft) -> Resource | None:
    return practitioner(segment.first(field), draft) if segment.first(field) else None


def _dispense(segment: Segment, kind: Kind, resource: Resource, draft: Draft) -> None:
    asked_for: Resource = {}
    if kind.quantity and segment.has(kind.quantity):
        supply = amount(segment.text(kind.quantity), segment.first(kind.units), draft)
        if supply:
            asked_for["quantity"] = supply
    repeats = number(segment.text(kind.repeats)) if kind.repeats and segment.has(kind.repeats) else None
    if repeats is not None and 0 <= repeats < 2**31 and repeats == int(repeats):
        asked_for["numberOfRepeatsAllowed"] = int(repeats)
    days = number(segment.text(kind.interval)) if kind.interval and segment.has(kind.interval) else None
    if days is not None and days >= 0:
        unit = {"unit": "d", "system": "http://unitsofmeasure.org", "code": "d"}
        asked_for["dispenseInterval"] = {"value": days, **unit}
    pharmacy = _pharmacy(segment, kind, draft)
    if pharmacy:
        asked_for["performer"] = pharmacy
    if asked_for:
        resource["dispenseRequest"] = asked_for


def _pharmacy(segment: Segment, kind: Kind, draft: Draft) -> Resource | None:
    """The pharmacy that dispenses: a CWE, so its code is the number and its text the name."""
    if not kind.pharmacy or not segment.first(kind.pharmacy):
        return None
    value = segment.first(kind.pharmacy)
    name, code = clean(value.text(2)), clean(value.text(1))
    if name and code:
        own = system(value.text(3), draft.scope) if value.text(3) else draft.own("pharmacy")
        key = Key(own, code)
        about: Resource = {"resourceType": "Organization", "identifier": [{"system": own, "value": code}], "name": name}
        return draft.mention(about, (key,))
    where = segment.first(kind.address) if segment.has(kind.address) else None
    told = Value(value.raw_part(1) or value.raw_part(2), value.delimiters, value.separators)
    return described(told, where, segment.all(kind.telecom), draft)


def _dosed(found: Prescription, part: Part, kind: Kind, resource: Resource, draft: Draft) -> None:
    segment = part.segment
    base: dict[str, Any] = {}
    if kind.words:
        instructions(segment.all(kind.words), base)
    dose = dose_and_rate(segment, kind.dose, draft)
    if dose and part.name == "RXO":
        dose = {"type": {"coding": [_ORDERED]}, **dose}
    if dose:
        base["doseAndRate"] = [dose]
    daily = most_per_day(segment, kind.dose.daily, draft) if kind.dose.daily and segment.has(kind.dose.daily) else None
    if daily:
        base["maxDosePerPeriod"] = daily
    times = timings(found, part, kind.timing, draft)
    ways = [route(rxr, "MedicationRequest", draft) for rxr in part.routes]
    made = dosages(base, times, ways, draft)
    if made:
        resource["dosageInstruction"] = made
    urgency = next((each.priority for each in times if each.priority), None)
    if urgency:
        resource["priority"] = urgency


_ORDERED: Final = {"system": "http://terminology.hl7.org/CodeSystem/dose-rate-type", "code": "ordered"}


def timings(found: Prescription, part: Part, field: int, draft: Draft) -> list[Times]:
    """TQ1 after the segment, else its own TQ, else TQ1 after ORC, else ORC-7."""
    following = part.timings or (found.timings if not (field and part.segment.first(field)) else [])
    if following:
        return [from_tq1(tq1, "MedicationRequest", draft) for tq1 in following]
    if field and part.segment.first(field):
        return [from_tq(value, draft) for value in part.segment.all(field)]
    orc = found.order.orc
    return [from_tq(value, draft) for value in orc.all(7)] if orc is not None else []


def _noted(found: Prescription, part: Part, kind: Kind, resource: Resource, draft: Draft) -> None:
    segment = part.segment
    said: list[Resource] = []
    for value in segment.all(kind.notes) if kind.notes else []:
        words = clean(value.text(9) or value.text(2) or value.text(1))
        if words:
            said.append({"text": words})
    # Notes before the first part are of the order, which is what its first part states.
    before = found.notes if part is found.parts[0] else []
    said += annotations([*before, *part.notes], draft)
    if said:
        resource["note"] = said


def _added(
    found: Prescription, part: Part, resource: Resource, own: Key, policy: Policy, draft: Draft, drug: Entry | None
) -> Entry:
    orc = found.order.orc
    defaults = _authored(orc, resource, draft)
    segments = [*([orc] if orc is not None else []), *found.timings, *part.segments]
    rank = 1 if resource["status"] in ENDS else 0
    time = said_at(orc, draft)
    entry = draft.add(resource, policy, (own,), *segments, rank=rank, time=time)
    if orc is None or not (orc.has(1) or orc.has(5)):
        defaults |= {"status"}
    entry.defaults = frozenset(defaults)
    entry.pending = pending(resource)
    if drug is not None:
        drug.as_of = entry.as_of
    return entry


def _authored(orc: Segment | None, resource: Resource, draft: Draft) -> set[str]:
    """ORC-9 of a new order is when it was written; of later messages only where nobody said so."""
    if "authoredOn" in resource or orc is None or not orc.has(9):
        return set()
    at = date_time(orc.first(9), draft)
    if at is None:
        return set()
    resource["authoredOn"] = at
    return set() if orc.text(1) in ("NW", "RO") else {"authoredOn"}


_LINKS: Final = ("basedOn", "priorPrescription", "authorizingPrescription", "request", "focus", "relatesTo")


def pending(resource: Resource) -> tuple[Key, ...]:
    """The identities that references of ``resource`` wait for."""
    stated = [resource.get(name, []) for name in _LINKS] + [resource.get("context", {}).get("related", [])]
    references = [each for links in stated for each in (links if isinstance(links, list) else [links])]
    found: list[Key] = []
    for each in references:
        target = each.get("target", each)
        identifier = target.get("identifier")
        if "reference" not in target and identifier and "system" in identifier:
            found.append(Key(identifier["system"], identifier["value"]))
    return tuple(dict.fromkeys(found))


def original_of(numbered: Numbers, original: Entry | None) -> Resource | None:
    """A reference to the original order: of this message, else by the placer's number."""
    if original is not None:
        return original.reference
    return waits_for("MedicationRequest", numbered.original) if numbered.placer else None
