"""Who looked at the record, from the audit trail, a day and person at a time.

FHIR R4 AuditEvent; 45 CFR 164.528 (accounting), GDPR article 15.1(c).
"""

from datetime import timedelta
from typing import Any, NamedTuple

from flask import Response

from fhir_server.pages.chart.found import Json, find
from fhir_server.pages.chart.words import day, moment, name
from fhir_server.pages.my.desk import Desk
from resources.errors import FhirError
from resources.json_codec import decode_stored
from resources.literal_reference import local

_DAYS = 30
_MOST = 600
_WORDS = {"C": "added to it", "R": "read", "U": "changed it", "D": "deleted from it", "E": "searched"}
_OWN = "You"


class Look(NamedTuple):
    """What one person did by one software on one day."""

    day: str
    who: str
    software: str
    what: list[str]
    times: int


def access(desk: Desk) -> Response:
    """GET /my/access"""
    since = (desk.clinic.at() - timedelta(days=_DAYS)).date().isoformat()
    found = find(desk.repository, "AuditEvent", ("patient", desk.patient), ("date", f"ge{since}"), most=_MOST)
    looks = _looks(desk, found.matches)
    return desk.page(
        "access.html", tab="access", heading="Who looked at your record", days=_DAYS,
        others=[look for look in looks if look.who != _OWN], own=[look for look in looks if look.who == _OWN],
        more=found.more, refused=found.refused,
    )  # fmt: skip


def _looks(desk: Desk, events: "tuple[Json, ...]") -> list[Look]:
    names: dict[str, str] = {}
    kept: dict[tuple[str, str, str], Look] = {}
    for event in events:
        at, agents = moment(event.get("recorded", "")), event.get("agent", [])
        if at is None or not agents or event.get("outcome") not in (None, "0"):
            continue
        # The audit trail names the software that asked first, then the server, then the person.
        who = _who(desk, next((agent for agent in agents if agent.get("requestor")), agents[0]), names)
        software = _text(agents[0])
        told = day(at.astimezone(desk.clinic.zone).date())
        before = kept.get((told, who, software), Look(told, who, software, [], 0))
        word = _WORDS.get(event.get("action", ""), "used it")
        what = before.what if word in before.what else [*before.what, word]
        kept[told, who, software] = before._replace(what=what, times=before.times + 1)
    return list(kept.values())


def _who(desk: Desk, agent: dict[str, Any], names: dict[str, str]) -> str:
    """By name; a name that cannot be read stays a reference, for nobody is left out."""
    text = _text(agent)
    if text == desk.patient:
        return _OWN
    if text not in names:
        names[text] = _named(desk, text)
    return names[text]


def _text(agent: dict[str, Any]) -> str:
    who = agent.get("who", {})
    return str(who.get("reference") or who.get("display") or who.get("identifier", {}).get("value") or "unknown")


def _named(desk: Desk, text: str) -> str:
    target = local(text)
    if target is None:
        return text
    try:
        return name(decode_stored(desk.repository.read(*target).doc)) or text
    except FhirError:
        return text
