"""TQ1, and the older TQ of ORC-7 and OBR-27, to priority, occurrence and quantity.

HL7 v2.5.1 sections 4.5.4 (TQ1), 2A.81 (TQ); official maps TQ1[ServiceRequest], TQ[ServiceRequest].
"""

import re
from typing import Any, Final

from hl7_bridge.er7 import Segment, Value
from hl7_bridge.mapping.code_tables.tables import table
from hl7_bridge.mapping.datatypes.numbers import number, simple_quantity
from hl7_bridge.mapping.datatypes.texts import clean
from hl7_bridge.mapping.datatypes.times import between, time
from hl7_bridge.mapping.draft import Draft
from hl7_bridge.mapping.model import Resource
from hl7_bridge.mapping.rows import OWN, SET_ID, Row, SegmentMap

TQ1 = SegmentMap(
    "TQ1",
    "ServiceRequest",
    (
        SET_ID,
        Row(2, "quantityQuantity"),
        Row(3, "occurrenceTiming"),
        Row(4, "occurrenceTiming.repeat.timeOfDay"),
        Row(6, "occurrenceTiming.repeat.boundsDuration"),
        Row(7, "occurrenceTiming.repeat.boundsPeriod.start"),
        Row(8, "occurrenceTiming.repeat.boundsPeriod.end"),
        Row(9, "priority"),
        Row(10, "note.text", origin=OWN),
        Row(11, "note.text"),
        Row(13, "occurrenceTiming.repeat.duration"),
        Row(14, "occurrenceTiming.repeat.countMax"),
    ),
    official="TQ1[ServiceRequest]",
)

_EVERY: Final = re.compile(r"Q(\d+)([SMHDWL])")
_TIMED: Final = re.compile(r"T[SMHDWL]\d+")
_PER_DAY: Final = {"QD": 1, "QOD": 0, "BID": 2, "TID": 3, "QID": 4, "QHS": 1, "QAM": 1, "QPM": 1, "QSHIFT": 3}
_UNITS: Final = {"S": "s", "M": "min", "H": "h", "D": "d", "W": "wk", "L": "mo"}
_DURATIONS: Final = {
    "S": "s",
    "MIN": "min",
    "M": "min",
    "H": "h",
    "HR": "h",
    "D": "d",
    "DAY": "d",
    "W": "wk",
    "WK": "wk",
    "MO": "mo",
}


def pattern(code: str) -> dict[str, Any] | None:
    """``Timing.repeat`` of a repeat pattern (table 0335); None for one that means no rhythm."""
    code = code.strip().upper()
    found = _EVERY.fullmatch(code)
    if found and int(found[1]):
        return {"frequency": 1, "period": int(found[1]), "periodUnit": _UNITS[found[2]]}
    if code == "QOD":
        return {"frequency": 1, "period": 2, "periodUnit": "d"}
    times = _PER_DAY.get(code)
    return {"frequency": times, "period": 1, "periodUnit": "d"} if times else None


def timing(tq1: Segment, draft: Draft) -> Resource | None:
    """The Timing of one TQ1; None when it has none."""
    if draft.trace is not None:
        draft.trace.uses(TQ1, tq1)
    code, text = tq1.text(3), clean(tq1.text(3, 1, 2))
    repeat: dict[str, Any] = pattern(code) or {}
    made: Resource = {}
    at = [each for value in tq1.all(4) if (each := time(value, draft))]
    if at:
        repeat["timeOfDay"] = at
    lasting = between(tq1.text(7), tq1.text(8), draft) if tq1.has(7) or tq1.has(8) else None
    duration = _duration(tq1.first(6))
    if lasting:
        repeat["boundsPeriod"] = lasting
    elif duration:
        repeat["boundsDuration"] = duration
    _counts(tq1, repeat)
    if repeat:
        made["repeat"] = repeat
    if code:
        made["code"] = {"text": text or code}
    return made or None


def _counts(tq1: Segment, repeat: dict[str, Any]) -> None:
    long = _duration(tq1.first(13))
    if long and "code" in long:
        repeat["duration"], repeat["durationUnit"] = long["value"], long["code"]
    total = number(tq1.text(14)) if tq1.has(14) else None
    if total is not None and total > 0 and total == int(total):
        # A largest count needs a count (tim-*); the total is both.
        repeat["count"] = int(total)


def _duration(value: Value) -> Resource | None:
    """CQ of a time as a Duration."""
    amount = number(value.text(1)) if value else None
    unit = _DURATIONS.get(value.text(2).upper()) if value else None
    if amount is None or amount < 0:
        return None
    made: Resource = {"value": amount, "unit": value.text(2)} if value.text(2) else {"value": amount}
    return {**made, "system": "http://unitsofmeasure.org", "code": unit} if unit else None


def priority(code: str, draft: Draft) -> str | None:
    """Table 0485 (or 0027) as a request priority; timed codes such as TM10 are timing critical."""
    if not code:
        return None
    known = "T" if _TIMED.fullmatch(code.upper()) else code.upper()
    found = table("ExtendedPriorityCodes").codes.get(known)
    return found.code if found is not None else None


def old_timing(value: Value, draft: Draft) -> tuple[Resource | None, str | None]:
    """TQ of versions before 2.5: (Timing, priority)."""
    repeat: dict[str, Any] = pattern(value.text(2)) or {}
    lasting = between(value.text(4), value.text(5), draft) if value.text(4) or value.text(5) else None
    if lasting:
        repeat["boundsPeriod"] = lasting
    made: Resource = {"repeat": repeat} if repeat else {}
    code = clean(value.text(2))
    if code:
        made["code"] = {"text": code}
    return made or None, priority(value.text(6), draft)


def quantity(tq1: Segment, draft: Draft) -> Resource | None:
    """TQ1-2."""
    return simple_quantity(tq1.first(2), draft) if tq1.has(2) else None


def instructions(tq1: Segment) -> list[Resource]:
    """TQ1-10 and TQ1-11 as notes."""
    return [{"text": text} for n in (10, 11) if tq1.has(n) and (text := clean(tq1.first(n).whole))]
