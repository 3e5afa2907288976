"""RXA to MedicationAdministration.

HL7 v2.5.1 section 4.14.7 (RXA), tables 0322 and 0323; the official map is under construction but for ORC, this is ours.
"""

import re
from typing import Final

from hl7_bridge.er7 import Segment, Value
from hl7_bridge.mapping.code_tables.tables import table, v2_system
from hl7_bridge.mapping.datatypes.coded import coding_from, concept
from hl7_bridge.mapping.datatypes.identifiers import Identifier
from hl7_bridge.mapping.datatypes.texts import clean
from hl7_bridge.mapping.datatypes.times import between, millis
from hl7_bridge.mapping.draft import Draft
from hl7_bridge.mapping.mentions.practitioners import practitioner
from hl7_bridge.mapping.model import Entry, Key, Policy, Resource
from hl7_bridge.mapping.prescriptions import Part, Prescription
from hl7_bridge.mapping.rows import OWN, Row, SegmentMap, apply, ignored
from hl7_bridge.mapping.segments.dosage import Dose, amount, dose_and_rate, route
from hl7_bridge.mapping.segments.medication import Fields, medication
from hl7_bridge.mapping.segments.notes import annotations
from hl7_bridge.mapping.segments.pharmacy_order import ORC_ADMINISTRATION, Numbers, waits_for

SYSTEM: Final = "https://hearth.health/v2/administration"

RXA: Final = SegmentMap(
    "RXA",
    "MedicationAdministration",
    (
        Row(1, "identifier", origin=OWN),
        Row(2, "identifier", origin=OWN),
        Row(3, "effective[x]", origin=OWN),
        Row(4, "effective[x]", origin=OWN),
        Row(5, "medication[x]", origin=OWN),
        Row(6, "dosage.dose", origin=OWN),
        Row(7, "dosage.dose", origin=OWN),
        Row(8, "Medication.form", origin=OWN),
        Row(9, "note.text", origin=OWN),
        Row(10, "performer", origin=OWN),
        Row(12, "dosage.rateRatio.denominator", origin=OWN),
        Row(13, "Medication.ingredient.strength.numerator", origin=OWN),
        Row(14, "Medication.ingredient.strength.numerator", origin=OWN),
        Row(15, "Medication.batch.lotNumber", origin=OWN),
        Row(16, "Medication.batch.expirationDate", origin=OWN),
        Row(17, "Medication.manufacturer", origin=OWN),
        Row(18, "statusReason[]", concept, OWN),
        Row(19, "reasonCode[]", concept, OWN),
        Row(20, "status", origin=OWN),
        Row(21, "status", origin=OWN),
        ignored(22, "When it was typed in; the Provenance says when the message was made."),
        Row(23, "Medication.ingredient.strength.denominator", origin=OWN),
        Row(24, "Medication.ingredient.strength.denominator", origin=OWN),
    ),
)

_DRUG: Final = Fields(5, 8, 13, 14, 23, 24, 15, 16, 17)
_ROLES: Final = v2_system("0443")
RANKS: Final = {"unknown": 0, "in-progress": 0, "completed": 1, "not-done": 1, "stopped": 1, "entered-in-error": 2}


def medication_administration(found: Prescription, part: Part, numbered: Numbers, draft: Draft) -> Entry:
    """One administration, or that there was none."""
    orc, rxa = found.order.orc, part.segment
    own = identity(numbered, rxa)
    resource: Resource = {"resourceType": "MedicationAdministration"}
    if orc is not None:
        apply(ORC_ADMINISTRATION, orc, resource, draft)
    apply(RXA, rxa, resource, draft)
    resource["identifier"] = [{"system": own.system, "value": own.value}, *_numbers(numbered)]
    _status(rxa, resource, draft)
    drug, made = medication(part, _DRUG, own, Policy.RESULT, draft)
    resource.update(drug)
    resource["subject"] = draft.subject
    if draft.encounter is not None:
        resource["context"] = draft.encounter.reference
    _when(rxa, resource, draft)
    _who(orc, rxa, resource, draft)
    _dosage(part, resource, draft)
    _said(found, part, resource, draft)
    segments = [*([orc] if orc is not None else []), *part.segments]
    rank = RANKS.get(resource["status"], 0)
    time = draft.time or millis(rxa.text(3), draft)
    entry = draft.add(resource, Policy.RESULT, (own,), *segments, rank=rank, time=time)
    if made is not None:
        made.as_of = entry.as_of
    return entry


def identity(numbered: Numbers, rxa: Segment) -> Key:
    """RXA-1 and RXA-2 count gives and administrations; where neither gets past one, RXA-3 tells them apart."""
    give, counted = rxa.text(1).strip(), rxa.text(2).strip()
    parts = [numbered.encoded.value, give or "0", counted or "1", rxa.text(5) or rxa.text(5, 2)]
    if give in ("", "0", "1") and counted in ("", "0", "1"):
        parts.append(rxa.text(3))
    return Key(SYSTEM, "|".join(parts))


def _numbers(numbered: Numbers) -> list[Identifier]:
    return [each for each in (numbered.placer, numbered.filler) if each]


def _status(rxa: Segment, resource: Resource, draft: Draft) -> None:
    """RXA-21 D takes back what was said; RXA-20 says whether it was given, and if not, that it was refused or not."""
    completion = rxa.text(20).strip()
    draft.place = "RXA-20"
    found = draft.translate(table("CompletionStatus"), completion) if completion else None
    resource["status"] = found.code if found else "unknown" if completion else "completed"
    if completion in ("RE", "NA", "PA"):
        why = {"coding": [coding_from(v2_system("0322"), completion)]}
        resource["statusReason"] = [why, *resource.get("statusReason", [])]
    if rxa.text(21).strip() == "D":
        resource["status"] = "entered-in-error"


def _when(rxa: Segment, resource: Resource, draft: Draft) -> None:
    draft.place = "RXA-3"
    lasting = between(rxa.text(3), rxa.text(4), draft) if rxa.has(3) or rxa.has(4) else None
    if lasting and "start" in lasting and lasting.get("end", lasting["start"]) == lasting["start"]:
        resource["effectiveDateTime"] = lasting["start"]
    elif lasting:
        resource["effectivePeriod"] = lasting
    else:
        # R4 wants a time; a message without one says that nobody knows it.
        absent = {"url": "http://hl7.org/fhir/StructureDefinition/data-absent-reason", "valueCode": "unknown"}
        resource["_effectiveDateTime"] = {"extension": [absent]}


def _who(orc: Segment | None, rxa: Segment, resource: Resource, draft: Draft) -> None:
    fields = [(rxa, 10, "AP")] if orc is None else [(rxa, 10, "AP"), (orc, 12, "OP")]
    made = []
    for segment, number, role in fields:
        for value in segment.all(number):
            who = practitioner(value, draft)
            if who:
                made.append({"function": {"coding": [{"system": _ROLES, "code": role}]}, "actor": who})
    if made:
        resource["performer"] = made


_DOSE: Final = Dose(6, 0, 7)


def _dosage(part: Part, resource: Resource, draft: Draft) -> None:
    """Dose with route, site and method; FHIR has no place for a route without a dose (mad-1)."""
    rxa = part.segment
    given = (dose_and_rate(rxa, _DOSE, draft) or {}).get("doseQuantity") if rxa.has(6) else None
    if given is None:
        return
    dosage: Resource = {}
    for rxr in part.routes[:1]:
        dosage = {name: value for name, value in route(rxr, "MedicationAdministration", draft).items() if name in _WAYS}
    dosage["dose"] = given
    rate = _rate(rxa, draft)
    if rate:
        dosage["rateRatio"] = rate
    resource["dosage"] = dosage


_WAYS: Final = frozenset({"route", "site", "method"})
_WHOLE: Final = re.compile(r"0*[1-9][0-9]{0,8}")
_PER: Final = {"S": "s", "M": "min", "H": "h", "D": "d", "W": "wk", "L": "mo"}


def _rate(rxa: Segment, draft: Draft) -> Resource | None:
    """RXA-12: the amount is per that time."""
    per = rxa.text(12).strip().upper()
    unit = _PER.get(per[:1])
    if not unit or not _WHOLE.fullmatch(per[1:] or "1"):
        return None
    over = {"value": int(per[1:] or 1), "unit": unit, "system": "http://unitsofmeasure.org", "code": unit}
    numerator = amount(rxa.text(6), rxa.first(7), draft)
    return {"numerator": numerator, "denominator": over} if numerator else None


def _said(found: Prescription, part: Part, resource: Resource, draft: Draft) -> None:
    notes = [{"text": words} for value in part.segment.all(9) if (words := _words(value))]
    before = found.notes if part is found.parts[0] else []
    notes += annotations([*before, *part.notes], draft)
    if notes:
        resource["note"] = notes


def _words(value: Value) -> str | None:
    return clean(value.text(9) or value.text(2) or value.text(1))


def requested(numbered: Numbers, encoded: Entry | None, original: Entry | None) -> Resource | None:
    """The one order it was given on: what the pharmacy encoded where there is one, else the original."""
    for entry in (encoded, original):
        if entry is not None:
            return entry.reference
    if numbered.filler:
        return waits_for("MedicationRequest", numbered.encoded)
    return waits_for("MedicationRequest", numbered.original) if numbered.placer else None
