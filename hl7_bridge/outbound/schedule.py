"""Appointment to scheduling notifications: SIU^S12 to S15, S17 and S26.

HL7 v2.5.1 chapter 10 (SIU, SCH, RGS, AIS, AIL, AIP); inverse of the official SIU_S12 map.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

from hl7_bridge.er7.serializer import Field
from hl7_bridge.outbound.datatypes import Json, cwe, dtm, repeated
from hl7_bridge.outbound.orders import filler, placer
from hl7_bridge.outbound.segments import Context, Segment, identified, person, pid

_STATUSES = {
    "pending": "Pending",
    "booked": "Booked",
    "arrived": "Started",
    "checked-in": "Started",
    "fulfilled": "Complete",
    "cancelled": "Cancelled",
    "noshow": "Noshow",
    "entered-in-error": "Deleted",
    "waitlist": "Waitlist",
}
"""appointmentstatus to table 0278."""


def notification(context: Context, appointment: Json, event: str) -> list[Segment]:
    """The segments after MSH of SIU^``event`` for ``appointment``."""
    participants = appointment.get("participant", ())
    who = [each.get("actor", {}) for each in participants]
    patients = [context.follow(each) for each in who if each.get("reference", "").startswith("Patient/")]
    return [
        _sch(context, appointment, event),
        *_notes(appointment),
        *(pid(context, patient) for patient in patients if patient),
        ("RGS", {1: "1"}),
        *_services(appointment),
        *_things(participants),
        *_places(context, appointment),
        *_people(context, appointment),
    ]


_COMMENTS = {"comment": "", "patientInstruction": "PI"}
"""What people are told, and table 0364 (NTE-4)."""


def _notes(appointment: Json) -> list[Segment]:
    said = [(appointment[name], kind) for name, kind in _COMMENTS.items() if appointment.get(name)]
    return [("NTE", {1: str(n), 3: text, 4: kind}) for n, (text, kind) in enumerate(said, 1)]


def _sch(context: Context, appointment: Json, event: str) -> Segment:
    start, end = dtm(appointment.get("start", "")), dtm(appointment.get("end", ""))
    minutes = appointment.get("minutesDuration")
    theirs = filler(appointment)
    reasons = appointment.get("reasonCode", [])
    orders = [each for each in map(context.follow, appointment.get("basedOn", ())) if each]
    return (
        "SCH",
        {
            1: context.authorities.ei(placer(context, appointment)),
            2: context.authorities.ei(theirs) if theirs else "",
            6: _why(event, appointment),
            7: cwe(reasons[0]) if reasons else ("", appointment.get("description", "")),
            8: cwe(appointment.get("appointmentType")),
            9: str(minutes) if minutes else "",
            10: "min" if minutes else "",
            11: ("", "", "", start, end),
            16: _organizer(context, appointment),
            20: ("", context.site.application),
            25: _status(appointment),
            26: [context.authorities.ei(placer(context, each)) for each in orders],
        },
    )


def _status(appointment: Json) -> Field:
    """Table 0278, and FHIR's own code beside it, which tells arrived from checked in."""
    status = appointment.get("status", "")
    known = _STATUSES.get(status, "")
    return (known, known, "HL70278", status, "", "http://hl7.org/fhir/appointmentstatus") if known else ""


_EVENTS = {"S12": "NORMAL", "S13": "RESCHED", "S14": "MODIFY", "S15": "CANCEL", "S17": "DELETE", "S26": "NOSHOW"}


def _why(event: str, appointment: Json) -> Field:
    return cwe(appointment["cancelationReason"]) if "cancelationReason" in appointment else _EVENTS.get(event, event)


def _organizer(context: Context, appointment: Json) -> Field:
    who = _practitioners(appointment)
    found: Field = person(context, who[0]["actor"]) if who else ""
    return found


def _practitioners(appointment: Json) -> list[Json]:
    kinds = ("Practitioner/", "PractitionerRole/")
    return [
        each
        for each in appointment.get("participant", ())
        if each.get("actor", {}).get("reference", "").startswith(kinds)
    ]


def _services(appointment: Json) -> list[Segment]:
    start = dtm(appointment.get("start", ""))
    codes = appointment.get("serviceType", ())
    return [("AIS", {1: str(n), 2: "A", 3: cwe(code), 4: start}) for n, code in enumerate(codes, 1)]


_PARTICIPATION = {"accepted": "Booked", "needs-action": "Pending", "tentative": "Waitlist", "declined": "Cancelled"}
"""participationstatus to table 0278."""


def _things(participants: Sequence[Json]) -> list[Segment]:
    """AIG of each actor that is neither a person nor a place, by its number and its name."""
    kinds = ("Patient/", "Practitioner/", "PractitionerRole/", "Location/")
    found = [each for each in participants if not each.get("actor", {}).get("reference", "").startswith(kinds)]
    found = [each for each in found if _thing(each.get("actor", {}))]
    return [
        ("AIG", {1: str(n), 2: "A", 3: _thing(each["actor"]), 4: _role(each), **_times(each, "", 8), 14: _part(each)})
        for n, each in enumerate(found, 1)
    ]


def _thing(actor: Json) -> Field:
    own = actor.get("identifier", {})
    found = (own.get("value", ""), actor.get("display", ""), own.get("system", "") if own.get("value") else "")
    return found if any(found) else ""


def _places(context: Context, appointment: Json) -> list[Segment]:
    participants = appointment.get("participant", ())
    found = [each for each in participants if each.get("actor", {}).get("reference", "").startswith("Location/")]
    return [_taking_part("AIL", n, each, _pl(context, each["actor"]), appointment) for n, each in enumerate(found, 1)]


def _taking_part(name: str, number: int, participant: Json, who: Field, appointment: Json) -> Segment:
    """AIL and AIP, which are alike."""
    times = _times(participant, appointment.get("start", ""), 6)
    return (name, {1: str(number), 2: "A", 3: who, 4: _role(participant), **times, 12: _part(participant)})


def _pl(context: Context, reference: Json) -> Field:
    """PL: what people call it, and its number."""
    location = context.follow(reference)
    name = (location or {}).get("name") or reference.get("display", "")
    number = next(iter(identified(location)), None)
    return [("", "", "", "", "", "", "", "", name, context.authorities.ei(number) if number else "")]


def _people(context: Context, appointment: Json) -> list[Segment]:
    found = _practitioners(appointment)
    return [
        _taking_part("AIP", n, each, [person(context, each["actor"])], appointment) for n, each in enumerate(found, 1)
    ]


def _times(participant: Json, start: str, field: int) -> dict[int, Field]:
    """When it begins for a participant, and for how many minutes."""
    period = participant.get("period", {})
    begins, ends = period.get("start", ""), period.get("end", "")
    minutes = _minutes(begins, ends)
    return {field: dtm(begins or start), field + 3: minutes, field + 4: "min" if minutes else ""}


def _minutes(start: str, end: str) -> str:
    try:
        length = datetime.fromisoformat(end) - datetime.fromisoformat(start)
    except (TypeError, ValueError):
        return ""
    whole, rest = divmod(length, timedelta(minutes=1))
    return str(whole) if whole > 0 and not rest else ""


def _part(participant: Json) -> str:
    return _PARTICIPATION.get(participant.get("status", ""), "")


def _role(participant: Json) -> Field:
    kinds = repeated(participant.get("type", ()), cwe)
    return kinds[0] if kinds else ""
