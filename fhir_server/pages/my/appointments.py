"""The patient's appointments: what is to come, a new one, a visit joined, one moved or cancelled.

FHIR R4 Appointment, Schedule; docs/adr/scheduling.md. What is not possible any more is told with what is.
"""

from collections import defaultdict
from datetime import UTC, datetime
from typing import Any

from flask import Response, request

from fhir_server.operations.visit import ticket_of
from fhir_server.pages.chart.found import Json, find
from fhir_server.pages.chart.words import concepts, day, moment, name
from fhir_server.pages.my.desk import Desk
from fhir_server.questionnaires import tasks
from fhir_server.scheduling.papers import said
from fhir_server.scheduling.spans import between
from fhir_server.visits.people import named
from resources.errors import BusinessRule, Conflict, FhirError, NotFound, Unavailable
from resources.json_codec import decode_stored
from video.visit.virtual_service import services, with_service

_MOST_TIMES = 2100
"""All of a week with a beginning every five minutes."""
_WEEK = 7 * 1440
_SOON = 30 * 60_000
"""ms before its start at which a visit can be joined."""
_LONGEST_REASON = 200
_OF_ROLES = ("_include:iterate", "PractitionerRole:practitioner")
_OPEN = frozenset({"proposed", "pending", "booked", "arrived", "checked-in", "waitlist"})


def home(desk: Desk, *, error: str = "", status: int = 200) -> Response:
    """GET /my/"""
    if desk.visitor.person is None and not request.values.get("patient"):
        return _choice(desk)
    people = (("_include", "Appointment:actor"), _OF_ROLES)
    found = find(desk.repository, "Appointment", ("patient", desk.patient), *people, ("_sort", "-date"), most=100)
    asked = tasks.by_appointment(desk.repository, desk.patient)
    rows = [_row(desk, one, found.included) | {"prepare": _prepares(one, asked)} for one in found.matches]
    coming = sorted((row for row in rows if row["coming"]), key=lambda row: row["at"])
    past = [row for row in rows if not row["coming"]]
    return desk.page(
        "home.html", status, tab="", heading=f"Welcome, {name(desk.person) or 'patient'}", error=error,
        coming=coming, past=past, refused=found.refused,
    )  # fmt: skip


def _choice(desk: Desk) -> Response:
    """Whose record, while there is no log-in."""
    found = find(desk.repository, "Patient", ("_sort", "family"), most=200)
    choices = sorted((name(one) or one["id"], f"Patient/{one['id']}") for one in found.matches)
    shared = {"heading": "Whose record?", "error": "", "notice": "", "choices": choices, "more": found.more}
    return desk.frame.show(desk.visitor, "choice.html", 200, shared | {"tabs": [], "asked": {}}, desk.policy)


def _row(desk: Desk, one: Json, included: dict[str, Json]) -> dict[str, Any]:
    at = moment(one.get("start", ""))
    now = desk.clinic.at()
    others = (ref for ref in named(one) if not ref.startswith("Patient/"))
    by_video = bool(services(one)) and desk.clinic.visits is not None
    open = is_ahead(desk, one)
    local = at.astimezone(desk.clinic.zone) if at else None
    return {
        "id": one["id"],
        "at": at or now,
        "day": f"{local:%A}, {day(local.date())}" if local else "No date yet",
        "time": f"{local:%H:%M}" if local else "",
        "with": ", ".join(filter(None, (_called(included.get(ref), included) for ref in others))) or "the clinic",
        "reason": concepts(one.get("reasonCode", ())) or one.get("description", ""),
        "status": one.get("status", "").replace("-", " "),
        "video": by_video,
        "coming": open,
        "joins": by_video and open and at is not None and (at - now).total_seconds() * 1000 < _SOON,
        "changes": open and at is not None and at > now and one.get("status") in ("booked", "pending", "proposed"),
    }


def _prepares(one: Json, asked: dict[str, list[Json]]) -> str:
    """What is said of the questionnaires of an appointment, '' where there are none."""
    mine = asked.get(f"Appointment/{one['id']}", ())
    if not mine:
        return ""
    return "To fill in" if any(task.get("status") in tasks.OPEN for task in mine) else "Filled in"


def is_ahead(desk: Desk, one: Json) -> bool:
    """Whether it is still to come, or goes on."""
    until = moment(one.get("end", ""))
    return one.get("status") in _OPEN and (until is None or until > desk.clinic.at())


def _called(resource: Json | None, included: dict[str, Json]) -> str:
    if resource is None:
        return ""
    if resource["resourceType"] == "PractitionerRole":
        reference = resource.get("practitioner", {})
        return name(included.get(reference.get("reference", ""))) or reference.get("display", "")
    return name(resource)


# --- a new one


def book(desk: Desk, *, error: str = "", status: int = 200) -> Response:
    """GET /my/book, with a schedule also its free times; with ``move`` for an appointment there is already"""
    schedules = find(desk.repository, "Schedule", ("active:not", "false"), ("_include", "Schedule:actor"),
                     _OF_ROLES, most=100)  # fmt: skip
    offers = [(one["id"], _offered(one, schedules.included)) for one in schedules.matches]
    chosen = request.values.get("schedule", "") or (offers[0][0] if len(offers) == 1 else "")
    schedule = next((one for one in schedules.matches if one["id"] == chosen), None)
    heading = "Another time" if request.values.get("move") else "Book an appointment"
    return desk.page(
        "book.html", status, tab="", heading=heading, error=error, offers=offers, chosen=chosen,
        move=request.values.get("move", ""), days=_free(desk, schedule) if schedule else [],
        reason=request.values.get("reason", "")[:_LONGEST_REASON], longest=_LONGEST_REASON,
        page=_page(),
    )  # fmt: skip


def _page() -> int:
    """Which week from now."""
    text = request.values.get("page", "0")
    return min(int(text), 12) if text.isascii() and text.isdigit() and len(text) < 4 else 0


def _offered(schedule: Json, included: dict[str, Json]) -> dict[str, str]:
    refs = [actor.get("reference", "") for actor in schedule.get("actor", ())]
    who = [_called(included.get(ref), included) for ref in refs]
    shown = [actor.get("display", "") for actor in schedule.get("actor", ())]
    return {
        "who": ", ".join(filter(None, who)) or ", ".join(filter(None, shown)) or "The clinic",
        "what": concepts(schedule.get("serviceType", ())) or concepts(schedule.get("specialty", ())),
    }


def _free(desk: Desk, schedule: Json) -> list[tuple[str, list[tuple[str, str]]]]:
    """Day by day what can be booked: (what is shown, the instant)."""
    first = desk.clinic.now() // 60_000 + _page() * _WEEK
    days: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for begin, _ in desk.clinic.diary.find(schedule, (first, first + _WEEK), _MOST_TIMES):
        at = datetime.fromtimestamp(begin * 60, UTC).astimezone(desk.clinic.zone)
        days[f"{at:%A}, {day(at.date())}"].append((f"{at:%H:%M}", at.isoformat()))
    return list(days.items())


def booked(desk: Desk) -> Response:
    """POST /my/book"""
    try:
        return _moved(desk) if request.form.get("move") else _booked(desk)
    except Conflict:
        return book(desk, error="Somebody else took this time a moment ago. Please choose another.", status=409)
    except Unavailable:
        raise
    except FhirError as refused:
        return book(desk, error=refused.issues[0].text, status=refused.status)


def _booked(desk: Desk) -> Response:
    clinic, virtual = desk.clinic, request.form.get("how") == "video"
    reason = request.form.get("reason", "")[:_LONGEST_REASON]

    def finish(made: Json) -> Json:
        told = said(made, reason)
        return with_service(told, clinic.visits.service) if virtual and clinic.visits else told

    clinic.diary.book(desk.visitor.caller, _schedule(desk), _start(), desk.patient, finish)
    return desk.go("/my/", done="booked")


def _moved(desk: Desk) -> Response:
    desk.clinic.diary.move(desk.visitor.caller, own(desk, request.form["move"]), _schedule(desk), _start())
    return desk.go("/my/", done="moved")


def _schedule(desk: Desk) -> Json:
    return decode_stored(desk.repository.read("Schedule", request.form.get("schedule", "")[:64] or "-").doc)


def _start() -> int:
    try:
        return between(request.form.get("start", ""), "")[0]
    except ValueError:
        raise BusinessRule("Please choose a time.") from None


def own(desk: Desk, id: str) -> Json:
    """An Appointment of this patient: on a server without log-in everybody may read all."""
    found = decode_stored(desk.repository.read("Appointment", id[:64] or "-").doc)
    if desk.patient not in named(found):
        raise NotFound("There is no such appointment.")
    return found


# --- one there is


def cancel(desk: Desk, id: str) -> Response:
    """POST /my/appointments/<id>/cancel"""
    try:
        desk.clinic.diary.cancel(desk.visitor.caller, own(desk, id), "by the patient")
    except BusinessRule as refused:
        return home(desk, error=refused.issues[0].text, status=refused.status)
    return desk.go("/my/", done="cancelled")


def join(desk: Desk, id: str) -> Response:
    """POST /my/appointments/<id>/join: on into the waiting room with a ticket that is used once."""
    visits, appointment = desk.clinic.visits, own(desk, id)
    if visits is None:
        raise NotFound("No visits by video are held here.")
    try:
        version = desk.repository.read("Appointment", appointment["id"])
        seat = ticket_of(visits, desk.clinic.note, desk.repository, version, lambda: desk.patient)
    except Unavailable:
        raise
    except FhirError as refused:
        return home(desk, error=refused.issues[0].text, status=refused.status)
    return desk.frame.leave(desk.visitor, seat.url, desk.policy)
