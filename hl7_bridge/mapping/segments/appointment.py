"""SCH and TQ1 to Appointment: identity, state by event and status, when and why.

HL7 v2.5.1 sections 10.3 (SIU events), 10.6.1 (SCH), table 0278; official map SCH[Appointment]; states are ours.
"""

from datetime import datetime, timedelta
from typing import Final

from hl7_bridge.er7 import Segment, Value
from hl7_bridge.mapping.code_tables.tables import table
from hl7_bridge.mapping.datatypes.coded import coded, concept
from hl7_bridge.mapping.datatypes.identifiers import Identifier, entity, key
from hl7_bridge.mapping.datatypes.numbers import number
from hl7_bridge.mapping.datatypes.times import date_time, instant
from hl7_bridge.mapping.draft import Draft
from hl7_bridge.mapping.model import Key, Resource
from hl7_bridge.mapping.rows import OWN, Row, SegmentMap, ignored

SYSTEM: Final = "https://hearth.health/v2/appointment"

SCH: Final = SegmentMap(
    "SCH",
    "Appointment",
    (
        Row(1, "identifier"),
        Row(2, "identifier"),
        Row(3, "identifier", origin=OWN),
        Row(6, "cancelationReason", origin=OWN),
        Row(7, "reasonCode"),
        Row(8, "appointmentType"),
        Row(9, "minutesDuration"),
        Row(10, "minutesDuration"),
        Row(11, "start"),
        Row(12, "participant"),
        Row(16, "participant"),
        Row(20, "participant"),
        Row(25, "status"),
        Row(26, "basedOn"),
        Row(27, "basedOn"),
    ),
    official="SCH[Appointment]",
)

TQ1: Final = SegmentMap(
    "TQ1",
    "Appointment",
    (
        ignored(1, "A number within the message; the order of the segments says the same."),
        Row(6, "end", origin=OWN),
        Row(7, "start", origin=OWN),
        Row(8, "end", origin=OWN),
    ),
)

EVENTS: Final = {
    "S12": "booked",
    "S13": "booked",
    "S14": "booked",
    "S15": "cancelled",
    "S16": "cancelled",
    "S17": "entered-in-error",
    "S18": "booked",
    "S19": "booked",
    "S20": "booked",
    "S21": "booked",
    "S22": "booked",
    "S23": "booked",
    "S24": "cancelled",
    "S26": "noshow",
}
"""What each event makes of an appointment. A blocked time (S23) is one of the resource alone; S24 opens it again."""

_FINAL: Final = frozenset({"S15", "S16", "S17", "S24", "S26"})
"""Events that say how it ended, whatever SCH-25 still says."""

_STATUS: Final = "http://hl7.org/fhir/appointmentstatus"
_STATUSES: Final = frozenset({"pending", "booked", "arrived", "fulfilled", "checked-in", "waitlist"})
"""What a sender that knows FHIR may say beside table 0278."""

STEPS: Final = {"fulfilled": 2, "cancelled": 3, "noshow": 3, "entered-in-error": 4, "arrived": 1, "checked-in": 1}
"""Of two messages made at the same moment the one with the later step is the later one."""

_UNTIMED: Final = frozenset({"proposed", "cancelled", "waitlist"})
"""Statuses in which R4 lets an appointment be without a time (app-3)."""

CAUSES: Final = frozenset({"NORMAL", "RESCHED", "MODIFY", "CANCEL", "DELETE", "NOSHOW"})
"""SCH-6 that only repeats the event."""

_MINUTE: Final = {"": 1.0, "MIN": 1.0, "MINUTE": 1.0, "MINUTES": 1.0, "M": 1.0, "HR": 60.0, "H": 60.0, "HOUR": 60.0}
_SECOND: Final = {"S": 1 / 60, "SEC": 1 / 60, "SECONDS": 1 / 60, "HOURS": 60.0, "D": 1440.0, "DAY": 1440.0}
_MINUTES: Final = {**_MINUTE, **_SECOND}


def identity(sch: Segment, draft: Draft) -> tuple[list[Identifier], tuple[Key, ...]]:
    """The identifiers and the keys: either number; with an occurrence (SCH-3) each of a series is one of its own."""
    found = [
        each
        for n, kind, own in ((1, "PLAC", "placer-appointment"), (2, "FILL", "filler-appointment"))
        if (each := entity(sch.first(n), draft, kind, own))
    ]
    keys = tuple(known for each in found if (known := key(each)))
    if len(found) == 2 and keys[:1] * 2 == keys:
        del found[1]
    keys = tuple(dict.fromkeys(keys))
    occurrence = sch.text(3).strip()
    if keys and occurrence not in ("", "0"):
        keys = tuple(Key(SYSTEM, f"{each.system}|{each.value}|{occurrence}") for each in keys)
        found = []
    elif not keys:
        keys = (Key(SYSTEM, f"{draft.own('message')}|{draft.message.control_id}"),)
    derived: list[Identifier] = [{"system": each.system, "value": each.value} for each in keys if each.system == SYSTEM]
    return [*found, *derived], keys


def status(sch: Segment, services: list[Segment], draft: Draft) -> str:
    """By the event; one that goes on stands as SCH-25, else AIS-10, says."""
    event = draft.message.event
    by_event = EVENTS.get(event, "booked")
    if event in _FINAL:
        return by_event
    if sch.text(25, 6) == _STATUS and sch.text(25, 4) in _STATUSES:
        return sch.text(25, 4)
    for segment, field in ((sch, 25), *((each, 10) for each in services)):
        code = segment.text(field).strip() or segment.text(field, 2).strip()
        if code:
            draft.place = f"{segment.name}-{field}"
            rows = table("FillerStatusCodes[Appointment]")
            known = rows.codes.get(code) or rows.codes.get(code.upper())
            found = known or draft.translate(rows, code)
            return found.code if found is not None else by_event
    return by_event


def reasons(sch: Segment, resource: Resource, draft: Draft) -> None:
    """SCH-6 to SCH-8: SCH-7 of table 0277 is a type, as the official map has it."""
    draft.place = "SCH-7"
    if sch.has(7):
        is_type = sch.text(7, 3) == "HL70277"
        found = (_TYPE if is_type else _REASON)(sch.first(7), draft)
        if found and is_type:
            resource["appointmentType"] = found
        elif found:
            resource["reasonCode"] = [found]
    draft.place = "SCH-8"
    kind = _TYPE(sch.first(8), draft) if sch.has(8) else None
    if kind:
        resource["appointmentType"] = kind
    # R4 means to allow a reason for a no-show, too, but misspells the code in its rule (app-4).
    if resource["status"] == "cancelled" and sch.text(6).upper() not in CAUSES:
        why = concept(sch.first(6), draft) if sch.has(6) else None
        if why:
            resource["cancelationReason"] = why


_REASON = coded("AppointmentReasonCodes")
_TYPE = coded("AppointmentTypeCodes")


def timed(
    sch: Segment, timings: list[Segment], resources: list[tuple[Segment, int]], resource: Resource, draft: Draft
) -> frozenset[str]:
    """``start``, ``end`` and ``minutesDuration``; what had to be made up comes back. ``resources`` are AIx with the
    number of their start; their duration is three fields further."""
    minutes = _length(sch.text(9), sch.text(10) or sch.text(10, 2)) if sch.has(9) else None
    if minutes:
        resource["minutesDuration"] = minutes
    start, end = _told(sch, timings, draft)
    if start is None:
        for segment, field in resources:
            start = instant(segment.first(field), draft) if segment.has(field) else None
            if start is not None:
                minutes = minutes or duration(segment, field + 3)
                break
    return _settled(start, end, minutes, resource, draft)


def duration(segment: Segment, field: int) -> int | None:
    """Minutes of a duration and its units in the next field."""
    return _length(segment.text(field), segment.text(field + 1) or segment.text(field + 1, 2))


def _length(text: str, units: str) -> int | None:
    amount, factor = number(text), _MINUTES.get(units.strip().upper())
    if amount is None or factor is None:
        return None
    minutes = float(amount) * factor
    return int(minutes) if minutes == int(minutes) and 0 < minutes < 2**31 else None


def _told(sch: Segment, timings: list[Segment], draft: Draft) -> tuple[str | None, str | None]:
    """Start and end of TQ1, else of SCH-11; an end before the start is not taken."""
    for tq1 in timings:
        start, end = (instant(tq1.first(n), draft) if tq1.has(n) else None for n in (7, 8))
        if start:
            return start, _after(start, end) or _plus(start, _length(tq1.text(6), tq1.text(6, 2)))
    for value in sch.all(11):
        start, end = _part(value, 4, draft), _part(value, 5, draft)
        if start:
            return start, _after(start, end)
    return None, None


def _part(value: Value, part: int, draft: Draft) -> str | None:
    component = value.part(part)
    return instant(component, draft) if component else None


def _after(start: str, end: str | None) -> str | None:
    return end if end and datetime.fromisoformat(end) >= datetime.fromisoformat(start) else None


def _plus(start: str, minutes: int | None) -> str | None:
    if not minutes:
        return None
    try:
        return (datetime.fromisoformat(start) + timedelta(minutes=minutes)).isoformat()
    except (OverflowError, ValueError):
        return None


def lasting(start: str | None, minutes: int | None) -> Resource | None:
    """A period of a start and a length."""
    if start is None:
        return None
    end = _plus(start, minutes) if len(start) > 10 else None
    return {"start": start, "end": end} if end else {"start": start}


def _settled(
    start: str | None, end: str | None, minutes: int | None, resource: Resource, draft: Draft
) -> frozenset[str]:
    """R4 wants both or neither (app-2), and none only while nothing is agreed (app-3)."""
    if start is not None:
        resource["start"], resource["end"] = start, end or _plus(start, minutes) or start
        return frozenset()
    if resource["status"] in _UNTIMED:
        return frozenset()
    if resource["status"] in ("booked", "pending"):
        draft.warn("The appointment has no time; it stands as proposed.")
        resource["status"] = "proposed"
        return frozenset()
    # How it ended is news even when the time is not said again: one that is known stays.
    at = instant(draft.message.msh.first(7), draft)
    if at is None:
        resource["status"] = "cancelled"
        return frozenset()
    resource["start"] = resource["end"] = at
    return frozenset({"start", "end"})


def moment(segment: Segment, field: int, draft: Draft) -> str | None:
    """A start of a participant."""
    return date_time(segment.first(field), draft) if segment.has(field) else None
