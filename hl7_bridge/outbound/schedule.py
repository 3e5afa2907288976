"""Appointment to scheduling notifications: SIU^S12 to S15, S17 and S26.

HL7 v2.5.1 chapter 10 (SIU, SCH, RGS, AIS, AIL, AIP); inverse of the official SIU_S12 map.
"""

from hl7_bridge.er7.serializer import Field
from hl7_bridge.outbound.datatypes import Json, cwe, dtm, repeated
from hl7_bridge.outbound.segments import Context, Segment, identified, notes, person, pid, pv1

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
    who = [each.get("actor", {}) for each in appointment.get("participant", ())]
    patients = [context.follow(each) for each in who if each.get("reference", "").startswith("Patient/")]
    encounter = None  # an Appointment precedes its visit
    comments = [{"text": appointment[name]} for name in ("comment", "patientInstruction") if name in appointment]
    return [
        _sch(context, appointment, event),
        *notes(comments),
        *(pid(context, patient) for patient in patients if patient),
        *pv1(context, encounter),
        ("RGS", {1: "1"}),
        *_services(appointment),
        *_places(context, appointment, who),
        *_people(context, appointment),
    ]


def _sch(context: Context, appointment: Json, event: str) -> Segment:
    number = next(iter(identified(appointment)), context.identity(appointment))
    start, end = dtm(appointment.get("start", "")), dtm(appointment.get("end", ""))
    minutes = appointment.get("minutesDuration")
    reasons = appointment.get("reasonCode", [])
    return (
        "SCH",
        {
            1: context.authorities.ei(number),
            2: context.authorities.ei(number),
            6: _why(event, appointment),
            7: cwe(reasons[0]) if reasons else ("", appointment.get("description", "")),
            8: cwe(appointment.get("appointmentType")),
            9: str(minutes) if minutes else "",
            10: "min" if minutes else "",
            11: ("", "", "", start, end),
            16: _organizer(context, appointment),
            20: "HEARTH",
            25: _STATUSES.get(appointment.get("status", ""), ""),
        },
    )


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


def _places(context: Context, appointment: Json, who: list[Json]) -> list[Segment]:
    places = [each for each in who if each.get("reference", "").startswith("Location/")]
    return [
        ("AIL", {1: str(n), 2: "A", 3: _pl(context, each), 6: dtm(appointment.get("start", ""))})
        for n, each in enumerate(places, 1)
    ]


def _pl(context: Context, reference: Json) -> Field:
    location = context.follow(reference)
    name = (location or {}).get("name") or reference.get("display", "")
    return [("", "", "", "", "", "", "", "", name)]


def _people(context: Context, appointment: Json) -> list[Segment]:
    start = dtm(appointment.get("start", ""))
    return [
        ("AIP", {1: str(n), 2: "A", 3: [person(context, each["actor"])], 4: _role(each), 6: start})
        for n, each in enumerate(_practitioners(appointment), 1)
    ]


def _role(participant: Json) -> Field:
    kinds = repeated(participant.get("type", ()), cwe)
    return kinds[0] if kinds else ""
