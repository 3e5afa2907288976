"""The visits of a day: the list, what changed on it, and the way into a visit.

Ours; docs/video.md. The page asks every few seconds whether anything changed, which costs no row of the audit trail.
"""

from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from hashlib import blake2b
from typing import Any

import msgspec
from flask import Response, request

from fhir_server.operations.visit import ticket_of
from fhir_server.pages.chart.found import Found, find
from fhir_server.pages.chart.words import day, name
from fhir_server.pages.rendering import STRICT, guard
from fhir_server.pages.serving import quiet
from fhir_server.pages.visits.desk import Desk
from fhir_server.pages.visits.rows import Shown, shown, to_look_at
from fhir_server.pages.visits.schedule import Visit, of_day, whose
from fhir_server.visits.people import role_of
from fhir_server.visits.presence import Sitting
from resources.errors import FhirError, Forbidden, NotFound, Unavailable
from resources.json_codec import decode_stored
from resources.literal_reference import local
from resources.repository import Version
from video.ports import Role

_WATCHED = ("Appointment", "Encounter")
_MOST_CHANGES = 200


def visits(desk: Desk, *, error: str = "", status: int = 200) -> Response:
    """GET /visits/"""
    position = desk.repository.changes(_WATCHED, None, 1)[1]
    sitting = desk.clinic.presence()
    chosen = _chosen(desk)
    return desk.page(
        "day.html",
        status,
        policy=desk.list_policy,
        heading="Video visits" if desk.clinic.desk else "Appointments",
        error=error,
        position=position,
        sitting=_digest(desk, sitting),
        chosen=chosen,
        asked=_asked(desk, chosen) | _other_day(desk),
        practitioners=_practitioners(desk),
        **_list(desk, chosen, sitting),
    )


@quiet
def changes(desk: Desk) -> Response:
    """GET /visits/changes: ``html`` of the list when anything changed since ``position`` and ``sitting``, else null."""
    versions, position = _since(desk)
    sitting = desk.clinic.presence()
    digest = _digest(desk, sitting)
    html = None
    if versions or digest != request.args.get("sitting", ""):
        chosen = _chosen(desk)
        context = desk.frame.door.frame(desk.visitor) | {"csrf": desk.visitor.csrf}
        context |= {"chosen": chosen, "asked": _asked(desk, chosen) | _other_day(desk)}
        page = desk.frame.look.render(desk.frame.door.root, "list.html", context | _list(desk, chosen, sitting))
        html = page.get_data(as_text=True)
    return told(desk, {"position": position, "sitting": digest, "html": html, "now": desk.clinic.now()})


def _since(desk: Desk) -> tuple[list[Version], int]:
    after = request.args.get("position", "")
    known = int(after) if after.isascii() and after.isdigit() and len(after) < 19 else None
    versions, position = desk.repository.changes(_WATCHED, known, _MOST_CHANGES)
    return versions, position


def told(desk: Desk, said: dict[str, Any]) -> Response:
    """JSON for the page's own script."""
    body = msgspec.json.encode(said)
    return desk.frame.door.finish(guard(Response(body, content_type="application/json")), desk.visitor, logs_off=False)


def enter(desk: Desk) -> Response:
    """POST /visits/enter: begins the visit when it has not begun, and on into it with a ticket that is used once."""
    try:
        return _entered(desk)
    except Unavailable:
        raise
    except FhirError as refused:
        return visits(desk, error=refused.issues[0].text, status=refused.status)


def _entered(desk: Desk) -> Response:
    found = local(request.form.get("visit", ""))
    if found is None or found.type not in _WATCHED:
        raise NotFound("There is no such visit.")
    visits, version = desk.clinic.desk, desk.repository.read(*found)
    if visits is None:
        raise NotFound("No visits by video are held here.")
    if found.type == "Appointment":
        sealed = request.form.get("encrypted", "") == "1"
        visits.booking(desk.repository).begun(decode_stored(version.doc), sealed=sealed)
        version = desk.repository.read(*found)
    who = desk.who or request.form.get("as", "")
    if role_of(who) is not Role.PRACTITIONER:
        raise Forbidden("Choose as which practitioner of the visit you come in.")
    seat = ticket_of(visits, desk.clinic.note, desk.repository, version, lambda: who)
    return desk.frame.leave(desk.visitor, seat.url, desk.list_policy)


def _chosen(desk: Desk) -> str:
    """Whose visits: a reference, '' for all of the clinic."""
    if desk.who:
        return "" if request.values.get("all") == "1" else desk.who
    found = local(request.values.get("practitioner", ""))
    return f"Practitioner/{found.id}" if found and found.type == "Practitioner" else ""


def _asked(desk: Desk, chosen: str) -> dict[str, str]:
    """The choice as the query of the page."""
    if desk.who:
        return {} if chosen else {"all": "1"}
    return {"practitioner": chosen} if chosen else {}


def _day(desk: Desk) -> date:
    """The day that is asked for, today when none is."""
    try:
        asked = date.fromisoformat(request.values.get("day", ""))
    except ValueError:
        return desk.clinic.at().date()
    return asked if 1900 <= asked.year <= 2200 else desk.clinic.at().date()


def _other_day(desk: Desk) -> dict[str, str]:
    day = _day(desk)
    return {"day": day.isoformat()} if day != desk.clinic.at().date() else {}


def _days(desk: Desk, chosen: str, of: date) -> dict[str, dict[str, str]]:
    """Queries of the page for the day before ``of``, today and the day after it."""
    asked, today = _asked(desk, chosen), desk.clinic.at().date()
    days = {"before": of - timedelta(days=1), "today": today, "after": of + timedelta(days=1)}
    return {name: asked | ({"day": day.isoformat()} if day != today else {}) for name, day in days.items()}


def _list(desk: Desk, chosen: str, sitting: list[Sitting] | None) -> dict[str, Any]:
    clinic, at, of = desk.clinic, desk.clinic.at(), _day(desk)
    other = of != at.date()
    own = whose(desk.repository, desk.who or chosen) if desk.who or chosen else ()
    noon = datetime.combine(of, time(12), clinic.zone) if other else at
    found = of_day(desk.repository, noon, own if chosen else (), alone=other)

    def rows(visits: Sequence[Visit]) -> list[Shown]:
        rows = shown(visits, own, sitting, of, clinic.zone)
        if clinic.desk is None:
            return [to_look_at(row) for row in rows]
        return [to_look_at(row, "It can be entered on its day.") for row in rows] if other else rows

    return {
        "rows": rows(found.visits),
        "others": rows(found.others),
        "more": found.more,
        "refused": found.refused,
        "live": sitting is not None,
        "held": clinic.desk is not None,
        "date": day(of),
        "other": other,
        "days": _days(desk, chosen, of),
        "zone": str(clinic.zone),
        "now": clinic.now(),
    }


def _practitioners(desk: Desk) -> dict[str, Any] | None:
    """To choose from while nobody is logged in."""
    if desk.who:
        return None
    found: Found = find(desk.repository, "Practitioner", ("_sort", "family"))
    choices = sorted((name(one) or one["id"], f"Practitioner/{one['id']}") for one in found.matches)
    return {"choices": choices, "more": found.more}


def _digest(desk: Desk, sitting: list[Sitting] | None) -> str:
    """Another one whenever somebody comes or goes, and with the day."""
    known = sorted(map(msgspec.json.encode, sitting)) if sitting is not None else [b"unknown"]
    return blake2b(b"\n".join([*known, desk.clinic.at().date().isoformat().encode()]), digest_size=12).hexdigest()


@quiet
def session(desk: Desk) -> Response:
    """GET /visits/session: that the log-in lasts, whose it is, and what forms must bring back."""
    person = desk.visitor.person
    shown = person.name if person else ""
    return told(desk, {"who": desk.visitor.caller.who, "name": shown, "csrf": desk.visitor.csrf})


def without_log_in() -> Response:
    """What the page's own script hears where others are sent to log in."""
    return guard(Response(b'{"refused":"log-in"}', 401, content_type="application/json"), STRICT)
