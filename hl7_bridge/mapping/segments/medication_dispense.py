"""RXD to MedicationDispense.

HL7 v2.5.1 section 4.14.5 (RXD), tables 0167 and 0484; no official map exists, this one is ours.
"""

from typing import Final

from hl7_bridge.er7 import Segment, Value
from hl7_bridge.mapping.code_tables.tables import v2_system
from hl7_bridge.mapping.datatypes.coded import coded, coding_from, concept
from hl7_bridge.mapping.datatypes.texts import clean
from hl7_bridge.mapping.datatypes.times import date_time, millis
from hl7_bridge.mapping.draft import Draft
from hl7_bridge.mapping.mentions.locations import place
from hl7_bridge.mapping.mentions.organizations import described
from hl7_bridge.mapping.mentions.practitioners import practitioner
from hl7_bridge.mapping.model import Entry, Key, Policy, Resource
from hl7_bridge.mapping.prescriptions import Part, Prescription
from hl7_bridge.mapping.rows import OWN, Row, SegmentMap, apply, ignored
from hl7_bridge.mapping.segments.dosage import amount, dosages, route
from hl7_bridge.mapping.segments.medication import Fields, medication
from hl7_bridge.mapping.segments.medication_timing import from_tq1
from hl7_bridge.mapping.segments.notes import annotations
from hl7_bridge.mapping.segments.pharmacy_order import ORC_DISPENSE, Numbers, status, waits_for

SYSTEM: Final = "https://hearth.health/v2/dispense"

RANKS: Final = {"unknown": 0, "in-progress": 0, "on-hold": 0, "completed": 1, "cancelled": 2, "stopped": 2}

_DISPENSE_TYPE = coded("DispenseType")

RXD: Final = SegmentMap(
    "RXD",
    "MedicationDispense",
    (
        Row(1, "identifier", origin=OWN),
        Row(2, "medication[x]", origin=OWN),
        Row(3, "whenHandedOver", date_time, OWN),
        Row(4, "quantity", origin=OWN),
        Row(5, "quantity", origin=OWN),
        Row(6, "Medication.form", origin=OWN),
        Row(7, "identifier", origin=OWN),
        Row(9, "note.text", origin=OWN),
        Row(10, "performer", origin=OWN),
        Row(11, "substitution", origin=OWN),
        Row(13, "destination", origin=OWN),
        ignored(14, "A request to the pharmacist to look at the order; the dispense is what came of it."),
        Row(15, "note.text", origin=OWN),
        Row(16, "Medication.ingredient.strength.numerator", origin=OWN),
        Row(17, "Medication.ingredient.strength.numerator", origin=OWN),
        Row(18, "Medication.batch.lotNumber", origin=OWN),
        Row(19, "Medication.batch.expirationDate", origin=OWN),
        Row(20, "Medication.manufacturer", origin=OWN),
        Row(25, "category", origin=OWN),
        Row(28, "Medication.ingredient.strength.denominator", origin=OWN),
        Row(29, "Medication.ingredient.strength.denominator", origin=OWN),
        Row(30, "performer", origin=OWN),
        Row(31, "Organization.address", origin=OWN),
        Row(33, "type", _DISPENSE_TYPE, OWN),
        Row(34, "Organization.telecom", origin=OWN),
    ),
)

_DRUG: Final = Fields(2, 6, 16, 17, 28, 29, 18, 19, 20)
_SUBSTITUTES: Final = frozenset({"G", "T"})
"""Codes of table 0167 by which another drug was dispensed; the others say why it was not."""


def medication_dispense(found: Prescription, part: Part, numbered: Numbers, draft: Draft) -> Entry:
    """One dispense: known by its order, its number within it and, where that counts nothing, its time."""
    orc, rxd = found.order.orc, part.segment
    own = identity(numbered, rxd)
    resource: Resource = {"resourceType": "MedicationDispense"}
    if orc is not None:
        apply(ORC_DISPENSE, orc, resource, draft)
    apply(RXD, rxd, resource, draft)
    resource["identifier"] = [{"system": own.system, "value": own.value}]
    written = rxd.text(7).strip()
    if written:
        resource["identifier"].append({"system": draft.own("prescription"), "value": written})
    resource["status"] = _status(orc, draft)
    drug, made = medication(part, _DRUG, own, Policy.RESULT, draft)
    resource.update(drug)
    resource["subject"] = draft.subject
    if draft.encounter is not None:
        resource["context"] = draft.encounter.reference
    _supplied(rxd, resource, draft)
    _said(found, part, resource, draft)
    entry = _added(found, part, resource, own, draft)
    if made is not None:
        made.as_of = entry.as_of
    return entry


def identity(numbered: Numbers, rxd: Segment) -> Key:
    """RXD-1 counts the dispenses of an order; where it never gets past one, RXD-3 tells them apart."""
    counted = rxd.text(1).strip()
    parts = [numbered.encoded.value, counted or "1"]
    if counted in ("", "0", "1"):
        parts.append(rxd.text(3))
    return Key(SYSTEM, "|".join(parts))


def _status(orc: Segment | None, draft: Draft) -> str:
    """A dispense has happened unless the order control says that it does not, or no longer."""
    of_order = status(orc, draft) if orc is not None else "unknown"
    return of_order if of_order in ("cancelled", "stopped", "on-hold", "entered-in-error") else "completed"


def _supplied(rxd: Segment, resource: Resource, draft: Draft) -> None:
    supply = amount(rxd.text(4), rxd.first(5), draft)
    if supply:
        resource["quantity"] = supply
    who = [each for value in rxd.all(10) if (each := practitioner(value, draft))]
    shop = described(rxd.first(30), rxd.first(31), rxd.all(34), draft) if rxd.first(30) else None
    acting = [*who, *([shop] if shop else [])]
    if acting:
        resource["performer"] = [{"actor": each} for each in acting]
    to = _destination(rxd.first(13), draft) if rxd.first(13) else None
    if to:
        resource["destination"] = to
    substitution = rxd.text(11).strip()
    if substitution:
        kind = {"coding": [coding_from(v2_system("0167"), substitution)]}
        resource["substitution"] = {"wasSubstituted": substitution.upper() in _SUBSTITUTES, "type": kind}
    category = concept(rxd.first(25), draft) if rxd.has(25) else None
    if category:
        resource["category"] = category


def _destination(value: Value, draft: Draft) -> Resource | None:
    """LA2: the place, in the order of PL's parts."""
    return place(tuple(value.part(n) for n in (1, 2, 3, 4, 7, 8)), draft)


def _said(found: Prescription, part: Part, resource: Resource, draft: Draft) -> None:
    rxd = part.segment
    words = [clean(value.text(9) or value.text(2) or value.text(1)) for n in (9, 15) for value in rxd.all(n)]
    notes = [{"text": each} for each in words if each]
    before = found.notes if part is found.parts[0] else []
    notes += annotations([*before, *part.notes], draft)
    if notes:
        resource["note"] = notes
    ways = [route(rxr, "MedicationDispense", draft) for rxr in part.routes]
    times = [from_tq1(tq1, "MedicationDispense", draft) for tq1 in part.timings]
    made = dosages({}, times, ways, draft) if ways or times else []
    if made:
        resource["dosageInstruction"] = made


def _added(found: Prescription, part: Part, resource: Resource, own: Key, draft: Draft) -> Entry:
    orc, rxd = found.order.orc, part.segment
    rank = RANKS.get(resource["status"], 3)
    # A correction is said later than what it corrects, so when it was said decides, not when the drug was given out.
    time = draft.time or millis(rxd.text(3), draft)
    segments = [*([orc] if orc is not None else []), *part.segments]
    return draft.add(resource, Policy.RESULT, (own,), *segments, rank=rank, time=time)


def authorizing(numbered: Numbers, encoded: Entry | None, original: Entry | None) -> list[Resource]:
    """The orders behind a dispense: of this message, else by identity; both of them, since either may never come."""
    found = [each.reference for each in (encoded, original) if each is not None]
    if encoded is None and (numbered.filler or numbered.placer):
        found.insert(0, waits_for("MedicationRequest", numbered.encoded))
    if original is None and numbered.placer:
        found.append(waits_for("MedicationRequest", numbered.original))
    return found
