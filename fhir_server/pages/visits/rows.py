"""The rows of the day: who is in front of which door and for how long, what state a visit is in, what one may do.

Ours; docs/video.md. Who waits is told by the video process; the record says it when that does not answer.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, tzinfo

from fhir_server.pages.chart.words import age, concept, concepts, day, moment, name
from fhir_server.pages.visits.schedule import Visit
from fhir_server.visits.people import role_of
from fhir_server.visits.presence import Sitting
from video.ports import Role
from video.room.model import PATIENT_SIDE, Standing
from video.visit.encryption import is_encrypted
from video.visit.timeline import ARRIVED, EMPTY, turns

_STATES = {
    "planned": ("Not begun", ""),
    "arrived": ("Patient came", "warn"),
    "triaged": ("Patient came", "warn"),
    "in-progress": ("In progress", "good"),
    "onleave": ("Interrupted", "warn"),
    "finished": ("Finished", ""),
    "cancelled": ("Cancelled", ""),
    "entered-in-error": ("Entered in error", ""),
}
_BOOKED = {
    "proposed": ("Proposed", ""),
    "pending": ("Not confirmed", ""),
    "booked": ("Booked", ""),
    "waitlist": ("On the waiting list", ""),
    "arrived": ("Patient came", "warn"),
    "checked-in": ("Patient came", "warn"),
    "fulfilled": ("Finished", ""),
    "cancelled": ("Cancelled", ""),
    "noshow": ("Did not come", ""),
    "entered-in-error": ("Entered in error", ""),
}
_NOT_YET = frozenset({"proposed", "pending", "waitlist"})
_ROLES = {
    Role.PATIENT: "patient",
    Role.PRACTITIONER: "practitioner",
    Role.RELATED: "relative",
    Role.INTERPRETER: "interpreter",
    Role.GUEST: "guest",
}


@dataclass(frozen=True)
class Waiting:
    """``since`` in ms since 1970 UTC; ``checking`` tries camera and microphone still; ``here`` is connected."""

    name: str
    role: str
    since: int
    checking: bool = False
    here: bool = True


@dataclass(frozen=True)
class Shown:
    """A row. ``time`` as the clinic's clock says it, ``joins`` the (reference, name) under which the visitor may come
    in; ``verb`` is what the button says, '' without one; ``why`` says why there is none; ``encrypted`` end to end."""

    place: str
    time: str
    until: str
    patient: str
    patient_facts: str
    reason: str
    state: str
    level: str
    waiting: Sequence[Waiting]
    inside: Sequence[str]
    with_whom: str
    joins: Sequence[tuple[str, str]]
    verb: str
    why: str
    chart: str
    encrypted: bool = False


def shown(
    visits: Iterable[Visit], who: Sequence[str], sitting: Sequence[Sitting] | None, today: date, zone: tzinfo
) -> list[Shown]:
    """``who`` are the references of the visitor, empty where nobody is logged in: then whoever a visit names."""
    return [_row(visit, who, sitting, today, zone) for visit in visits]


def to_look_at(row: Shown, why: str = "") -> Shown:
    """Without a way in: no visits are held here, or nobody shall begin one of the week to come by a slip."""
    return replace(row, verb="", why=why if row.verb else "" if not why else row.why)


def _row(visit: Visit, who: Sequence[str], sitting: Sequence[Sitting] | None, today: date, zone: tzinfo) -> Shown:
    encounter = visit.encounter or {}
    place = f"Encounter/{encounter.get('id', '')}"
    there = None if sitting is None else [one for one in sitting if visit.encounter and one.encounter == place]
    patient = visit.people.get(visit.patient, {})
    waiting = _waiting(visit, there)
    state, level = _state(visit, there)
    joins = [(one, _named(visit, one)) for one in visit.named if role_of(one) is Role.PRACTITIONER]
    joins = [(one, spelt) for one, spelt in joins if not who or one in who]
    verb, why = _verb(visit, joins)
    return Shown(
        place=visit.place,
        time=_clock(visit, today, zone),
        until=_until(visit, zone),
        patient=name(patient) or ("Name unknown" if visit.patient else "No single patient"),
        patient_facts=_facts(patient, today),
        reason=_reason(visit),
        state=state,
        level=level,
        waiting=waiting,
        inside=[f"{one.name} ({_ROLES[one.role]})" for one in there or () if one.standing is Standing.ADMITTED],
        with_whom=", ".join(dict.fromkeys(_named(visit, one) for one in visit.named if _practises(one))),
        joins=joins,
        verb=verb,
        why=why,
        chart=_chart(visit),
        encrypted=any(is_encrypted(one) for one in (visit.appointment, visit.encounter) if one),
    )


def _reason(visit: Visit) -> str:
    """Why, in the words of who booked it; else what it is. serviceType is a list in an Appointment alone."""
    encounter = visit.encounter or {}
    booked = visit.appointment or encounter
    service = booked.get("serviceType", ()) if visit.appointment else [encounter.get("serviceType", {})]
    return concepts(booked.get("reasonCode", ())) or booked.get("description", "") or concepts(service)


def _chart(visit: Visit) -> str:
    place = f"Encounter/{visit.encounter['id']}" if visit.encounter else visit.patient
    return f"/visits/chart/{place}" if place else ""


def _practises(reference: str) -> bool:
    return role_of(reference) is Role.PRACTITIONER


def _named(visit: Visit, reference: str) -> str:
    """A role by the name of who has it, as far as that was read."""
    one = visit.people.get(reference, {})
    person = visit.people.get(one.get("practitioner", {}).get("reference", ""), one)
    display = one.get("practitioner", {}).get("display", "") or _display(visit, reference)
    return name(person) or display or concept((one.get("code") or [{}])[0]) or reference


def _display(visit: Visit, reference: str) -> str:
    for participant in (visit.appointment or {}).get("participant", ()):
        if participant.get("actor", {}).get("reference") == reference:
            return str(participant["actor"].get("display", ""))
    return ""


def _facts(patient: dict[str, object], today: date) -> str:
    born = str(patient.get("birthDate", ""))
    parts = (f"born {born}" if born else "", age(born, today), str(patient.get("gender", "")))
    return ", ".join(filter(None, parts))


def _clock(visit: Visit, today: date, zone: tzinfo) -> str:
    start = visit.start
    if start is None:
        return ""
    local = start.astimezone(zone)
    return f"{local:%H:%M}" if local.date() == today else f"{day(local.date())}, {local:%H:%M}"


def _until(visit: Visit, zone: tzinfo) -> str:
    end = moment((visit.appointment or {}).get("end", ""))
    return f"{end.astimezone(zone):%H:%M}" if end else ""


def _waiting(visit: Visit, there: Sequence[Sitting] | None) -> list[Waiting]:
    """In front of the door, longest first. The record knows of the patient alone."""
    if there is None:
        since = _arrived(visit)
        return [Waiting(name(visit.people.get(visit.patient)) or "The patient", "patient", since)] if since else []
    front = (Standing.CHECKING, Standing.WAITING)
    found = [one for one in there if one.standing in front and one.role is not Role.PRACTITIONER]
    return [
        Waiting(one.name, _ROLES[one.role], one.since, one.standing is Standing.CHECKING, one.here)
        for one in sorted(found, key=lambda one: (one.standing is Standing.CHECKING, one.since))
    ]


def _arrived(visit: Visit) -> int:
    known = turns(visit.encounter) if visit.encounter and visit.encounter.get("status") == ARRIVED else []
    last = max(known, key=lambda turn: turn.at, default=None)
    return last.at if last and last.status not in (EMPTY,) else 0


def _state(visit: Visit, there: Sequence[Sitting] | None) -> tuple[str, str]:
    """As it is just now where that is known, for the record follows by a moment; else as the record has it."""
    standings = {(one.role in PATIENT_SIDE, one.standing) for one in there or () if not visit.over}
    if {(True, Standing.ADMITTED), (False, Standing.ADMITTED)} <= standings:
        return _STATES["in-progress"]
    if (True, Standing.WAITING) in standings:
        return "Waiting", "warn"
    if visit.encounter and (visit.over or visit.encounter.get("status") != "planned"):
        status = visit.encounter.get("status", "")
        if status == ARRIVED and there is not None and not any(one.role in PATIENT_SIDE for one in there):
            return "Patient left again", ""
        return _STATES.get(status, (status, ""))
    status = (visit.appointment or {}).get("status", "")
    return _BOOKED.get(status, (status, "")) if visit.appointment else _STATES["planned"]


def _verb(visit: Visit, joins: Sequence[tuple[str, str]]) -> tuple[str, str]:
    if visit.over:
        return "", ""
    if (visit.appointment or {}).get("status") in _NOT_YET:
        return "", "To be confirmed first."
    if not visit.patient:
        return "", "It names no single patient."
    if not joins:
        return "", "It does not name you."
    return ("Join" if visit.encounter else "Start"), ""
