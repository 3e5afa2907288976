"""The Slots and Appointments that are written here.

FHIR R4 Slot (https://hl7.org/fhir/R4/slot.html), Appointment (https://hl7.org/fhir/R4/appointment.html).
"""

from collections.abc import Iterable
from typing import Any

from fhir_server.scheduling.spans import Span
from resources.instant import instant

Json = dict[str, Any]

BOOKINGS = "urn:x-hearth:booking"
"""Identifier system of the Slots made here, which are taken by rows of their own."""
HOLD = "urn:x-hearth:held-until"


def slot(schedule: Json, span: Span, status: str, booking: str, until: int = 0) -> Json:
    """Of ``schedule``; ``booking`` is the number its rows are taken under, ``until`` when a hold lapses (ms)."""
    made: Json = {
        "resourceType": "Slot",
        "identifier": [{"system": BOOKINGS, "value": booking}],
        "schedule": {"reference": f"Schedule/{schedule['id']}"},
        "status": status,
        "start": instant(span[0] * 60_000),
        "end": instant(span[1] * 60_000),
    }
    kind = {name: schedule[name] for name in ("serviceCategory", "serviceType", "specialty") if schedule.get(name)}
    held = {"extension": [{"url": HOLD, "valueInstant": instant(until)}]} if until else {}
    return {**made, **kind, **held}


def opening(schedule: Json, span: Span) -> Json:
    """A time that could be booked: a Slot that is not stored."""
    return {name: value for name, value in slot(schedule, span, "free", "").items() if name != "identifier"}


def with_status(current: Json, status: str) -> Json:
    """A Slot of ours, held no more."""
    kept = [row for row in current.get("extension", ()) if row.get("url") != HOLD]
    rest = {name: value for name, value in current.items() if name != "extension"}
    return {**rest, "status": status, **({"extension": kept} if kept else {})}


def booking_of(found: Json) -> str:
    """The number of a Slot of ours, '' for those of others."""
    return next((row.get("value", "") for row in found.get("identifier", ()) if row.get("system") == BOOKINGS), "")


def appointment(schedule: Json, span: Span, place: str, patient: str, made: int) -> Json:
    """Booked for ``patient`` in the Slot ``place``; ``made`` in ms since 1970 UTC."""
    kind = {name: schedule[name] for name in ("serviceCategory", "serviceType", "specialty") if schedule.get(name)}
    who = {"actor": {"reference": patient}, "required": "required", "status": "accepted"}
    return {
        "resourceType": "Appointment",
        "status": "booked",
        **kind,
        "created": instant(made),
        "participant": [who, *_actors(schedule)],
        **times(span, place),
    }


def said(appointment: Json, reason: str, comment: str = "") -> Json:
    """``appointment`` with what was said of it, cut to 500 and 2,000 characters."""
    reason, comment = reason.strip()[:500], comment.strip()[:2000]
    why: Json = {"reasonCode": [{"text": reason}]} if reason else {}
    return {**appointment, **why, **({"comment": comment} if comment else {})}


def moved(current: Json, before: Json | None, schedule: Json, span: Span, place: str) -> Json:
    """At another time, in ``schedule``; the actors of the schedule ``before`` are exchanged for its."""
    gone = {row["actor"]["reference"] for row in _actors(before)} if before else set()
    stay = [row for row in current["participant"] if row.get("actor", {}).get("reference") not in gone]
    there = {row.get("actor", {}).get("reference") for row in stay}
    new = [row for row in _actors(schedule) if row["actor"]["reference"] not in there]
    return {**current, "participant": [*stay, *new], **times(span, place)}


def times(span: Span, place: str) -> Json:
    """When an Appointment is, by its Slot ``place``."""
    start, end = (instant(at * 60_000) for at in span)
    return {"start": start, "end": end, "minutesDuration": span[1] - span[0], "slot": [{"reference": place}]}


def _actors(schedule: Json) -> Iterable[Json]:
    return [
        {"actor": {"reference": actor["reference"]}, "required": "required", "status": "accepted"}
        for actor in schedule["actor"]
        if "reference" in actor
    ]
