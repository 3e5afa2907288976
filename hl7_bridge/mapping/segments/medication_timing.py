"""TQ1, and the older TQ of ORC-7, RXE-1 and RXG-3, to the timing of a Dosage.

HL7 v2.5.1 sections 4.5.4 (TQ1), 2A.66 (RPT), 2A.81 (TQ), table 0335; official maps TQ1[MedicationRequest],
TQ[MedicationRequest], RPT[Timing]; rhythms of codes, PRN and words are ours.
"""

import re
from typing import Any, Final

from hl7_bridge.er7 import Segment, Value
from hl7_bridge.mapping.code_tables.tables import table
from hl7_bridge.mapping.datatypes.numbers import number
from hl7_bridge.mapping.datatypes.texts import clean
from hl7_bridge.mapping.datatypes.times import between, time
from hl7_bridge.mapping.draft import Draft
from hl7_bridge.mapping.model import Resource
from hl7_bridge.mapping.rows import OWN, SET_ID, Row, SegmentMap, ignored
from hl7_bridge.mapping.segments.medication_rhythm import MINUTES, UNITS, WITHOUT_OFFSET, Pattern


def _rows(resource: str, dosage: str) -> SegmentMap:
    timing = f"{dosage}.timing"
    return SegmentMap(
        "TQ1",
        resource,
        (
            SET_ID,
            Row(2, f"{dosage}.doseAndRate.doseQuantity"),
            Row(3, timing),
            Row(4, f"{timing}.repeat.timeOfDay", origin=OWN),
            Row(5, f"{timing}.repeat.offset"),
            Row(6, f"{timing}.repeat.boundsDuration"),
            Row(7, f"{timing}.repeat.boundsPeriod.start"),
            Row(8, f"{timing}.repeat.boundsPeriod.end"),
            Row(9, "priority"),
            Row(10, f"{dosage}.additionalInstruction.text"),
            Row(11, f"{dosage}.text"),
            ignored(12, "How the timings of one order go together is said by their order and their times."),
            Row(13, f"{timing}.repeat.duration"),
            Row(14, f"{timing}.repeat.count"),
        ),
        official="TQ1[MedicationRequest]",
    )


TQ1: Final = {
    "MedicationRequest": _rows("MedicationRequest", "dosageInstruction"),
    "MedicationDispense": _rows("MedicationDispense", "dosageInstruction"),
}
_DURATION: Final = re.compile(r"([SMHDWL])(\d+)")


class Times:
    """One timing of an order: ``timing`` for the Dosage and what else its segment says."""

    def __init__(self) -> None:
        self.timing: Resource | None = None
        self.as_needed: bool | Resource = False
        self.priority: str | None = None
        self.condition: str | None = None
        self.text: str | None = None
        self.amount: Value | None = None


def from_tq1(tq1: Segment, resource: str, draft: Draft) -> Times:
    """What one TQ1 says of ``resource`` (its type)."""
    if draft.trace is not None and resource in TQ1:
        draft.trace.uses(TQ1[resource], tq1)
    found = Times()
    rpt = Pattern()
    for value in tq1.all(3):
        rpt.take(value, draft)
    at = [each for value in tq1.all(4) if (each := time(value, draft))]
    if at:
        rpt.repeat["timeOfDay"] = at
    _offset(tq1, rpt.repeat)
    draft.place = "TQ1-7"
    _bounds(tq1, rpt.repeat, draft)
    _counts(tq1, rpt.repeat)
    found.timing, found.as_needed = _timing(rpt), rpt.as_needed
    found.priority = _priority(priority_code(tq1), draft) if tq1.has(9) else None
    found.condition = clean(tq1.first(10).whole) if tq1.has(10) else None
    found.text = clean(tq1.first(11).whole) if tq1.has(11) else None
    found.amount = tq1.first(2) if tq1[2] else None
    return found


def priority_code(tq1: Segment) -> str:
    """TQ1-9; FHIR's own code where the sender gives that beside it."""
    return tq1.text(9, 4) if tq1.text(9, 6) == _REQUEST_PRIORITY else tq1.text(9)


def _offset(tq1: Segment, repeat: Resource) -> None:
    """TQ1-5: how long before or after the event."""
    away = number(tq1.text(5)) if tq1.has(5) else None
    unit = MINUTES.get(UNITS.get(tq1.text(5, 2).upper(), "")) if away else None
    if away and away > 0 and unit and "offset" not in repeat and _has_offset(repeat):
        repeat["offset"] = round(away * unit)


def _has_offset(repeat: Resource) -> bool:
    return bool(repeat.get("when")) and not WITHOUT_OFFSET & set(repeat["when"])


def _bounds(tq1: Segment, repeat: Resource, draft: Draft) -> None:
    lasting = between(tq1.text(7), tq1.text(8), draft) if tq1.has(7) or tq1.has(8) else None
    duration = _length(tq1.first(6)) if tq1.has(6) and not lasting else None
    if lasting:
        repeat["boundsPeriod"] = lasting
    elif duration:
        repeat["boundsDuration"] = duration


def _counts(tq1: Segment, repeat: Resource) -> None:
    long = _length(tq1.first(13)) if tq1.has(13) else None
    if long:
        repeat["duration"], repeat["durationUnit"] = long["value"], long["code"]
    _total(tq1.text(14), repeat)


def _total(text: str, repeat: Resource) -> None:
    total = number(text) if text else None
    if total is not None and 0 < total < 2**31 and total == int(total):
        repeat["count"] = int(total)


def _length(value: Value) -> Resource | None:
    """CQ of a time as a Duration; None when its unit is no unit of time."""
    amount = number(value.text(1))
    unit = UNITS.get(value.text(2).upper()) or UNITS.get(value.text(2, 2).upper())
    if amount is None or amount < 0 or not unit:
        return None
    return {
        "value": amount,
        "unit": value.text(2, 2) or value.text(2),
        "system": "http://unitsofmeasure.org",
        "code": unit,
    }


def _timing(rpt: Pattern) -> Resource | None:
    made: Resource = {}
    if rpt.repeat:
        made["repeat"] = _sound(rpt.repeat)
    if rpt.code:
        made["code"] = rpt.code
    return {name: value for name, value in made.items() if value} or None


def _sound(repeat: Resource) -> Resource:
    """``timeOfDay`` and ``when`` exclude each other (tim-10): what is more exact stays."""
    if "timeOfDay" in repeat:
        return {name: value for name, value in repeat.items() if name not in ("when", "offset")}
    return repeat


def _priority(code: str, draft: Draft) -> str | None:
    if not code:
        return None
    codes = table("ExtendedPriorityCodes").codes
    found = codes.get(code.upper()) or codes.get(code[0].upper())
    return found.code if found is not None and found.code in _PRIORITIES else None


_REQUEST_PRIORITY: Final = "http://hl7.org/fhir/request-priority"
_PRIORITIES: Final = frozenset({"routine", "urgent", "asap", "stat"})


def from_tq(value: Value, draft: Draft) -> Times:
    """What one TQ says."""
    found = Times()
    rpt = Pattern()
    interval = value.part(2)
    if interval:
        rpt.text(clean(interval.text(1)) or "")
        at = [each for text in interval.text(2).split(",") if (each := time(_as_value(text, interval), draft))]
        if at:
            rpt.repeat["timeOfDay"] = at
    lasting = between(value.text(4), value.text(5), draft) if value.text(4) or value.text(5) else None
    length = _DURATION.fullmatch(value.text(3).strip().upper())
    if lasting:
        rpt.repeat["boundsPeriod"] = lasting
    elif length:
        unit = UNITS[length[1]]
        rpt.repeat["boundsDuration"] = {
            "value": int(length[2]), "unit": unit, "system": "http://unitsofmeasure.org", "code": unit
        }  # fmt: skip
    _total(value.text(12), rpt.repeat)
    found.timing, found.as_needed = _timing(rpt), rpt.as_needed
    found.priority = _priority(value.text(6), draft)
    found.condition, found.text = clean(value.text(7)), clean(value.text(8))
    found.amount = value.part(1) if value.text(1) else None
    return found


def _as_value(text: str, like: Value) -> Value:
    return Value(text.strip(), like.delimiters, "")


def amount_of(times: Times) -> tuple[str, Value] | None:
    """The number and the unit of TQ1-2 (a CQ)."""
    return (times.amount.text(1), times.amount.part(2)) if times.amount else None


def merged(dosage: dict[str, Any], times: Times) -> None:
    """Put what ``times`` says into ``dosage``."""
    if times.timing:
        dosage["timing"] = times.timing
    if times.as_needed is True:
        dosage["asNeededBoolean"] = True
    elif times.as_needed:
        dosage["asNeededCodeableConcept"] = times.as_needed
    if times.condition:
        dosage.setdefault("additionalInstruction", []).append({"text": times.condition})
    if times.text:
        dosage["text"] = "\n".join(filter(None, (dosage.get("text"), times.text)))
