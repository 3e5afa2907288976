"""The chart beside the picture: the patient, what the record says of them, and what the clinician adds during a visit.

FHIR R4 Patient, Encounter; OWASP ASVS 5.0 V3.5. What was typed comes back with every refusal.
"""

import uuid
from dataclasses import dataclass
from typing import Any

from flask import Response, request

from fhir_server.pages.chart.documents import given, listing
from fhir_server.pages.chart.found import Json
from fhir_server.pages.chart.news import mark, told
from fhir_server.pages.chart.section import Item, Section
from fhir_server.pages.chart.sections import sections
from fhir_server.pages.chart.words import age, codes, concept, concepts, name, when
from fhir_server.pages.serving import quiet
from fhir_server.pages.visits import note, orders, vitals
from fhir_server.pages.visits.apps import apps
from fhir_server.pages.visits.desk import Desk
from fhir_server.pages.visits.note import Notes, notes
from fhir_server.pages.visits.place import Place, author_of, authors, place_of

_IDENTIFIERS = 4
_DOCUMENTS = 8
"""Shown at once."""


@dataclass(frozen=True)
class Typed:
    """What a form brought that is shown again: texts by name, faults by name; of the note also the key and version of
    the draft it was typed into, and what stands there by now."""

    values: dict[str, str]
    faults: dict[str, str]
    conflict: note.Note | None = None


_NOTHING = Typed({}, {})


def chart(desk: Desk, type: str, id: str) -> Response:
    """GET /visits/chart/<type>/<id>"""
    return page(desk, place_of(desk, type, id))


@quiet
def news(desk: Desk, id: str) -> Response:
    """GET /visits/chart/Patient/<id>/news"""
    return told(desk.frame.door, desk.visitor, mark(desk.repository, f"Patient/{id}"))


def document(desk: Desk, type: str, id: str, n: str) -> Response:
    """GET /visits/documents/<type>/<id>/<n>"""
    return desk.frame.door.finish(given(desk.repository, type, id, n), desk.visitor)


def page(
    desk: Desk,
    place: Place,
    *,
    status: int = 200,
    error: str = "",
    measured: Typed = _NOTHING,
    typed: Typed = _NOTHING,
    asked: Typed = _NOTHING,
) -> Response:
    """The chart of ``place`` with what was typed into its forms and came back: ``measured`` values, a note ``typed``,
    an order ``asked`` for."""
    now = mark(desk.repository, place.subject)  # before all that is read: what comes meanwhile is news
    author = author_of(desk, place, (measured.values or typed.values or asked.values).get("as", ""))
    kept = notes(desk.repository, place.visit, author) if place.visit else None
    return desk.page(
        "chart.html",
        status,
        policy=desk.chart_policy,
        heading=name(place.patient) or "Name unknown",
        error=error,
        framed=request.headers.get("Sec-Fetch-Dest") == "iframe",
        place=place,
        mark=now,
        banner=_banner(desk, place.patient),
        sections=_sections(desk, place),
        limited=not all(grant.confidential for grant in desk.visitor.caller.grants.all),
        zone=str(desk.clinic.zone),
        pressure=(vitals.SYSTOLIC, vitals.DIASTOLIC),
        rows=vitals.ROWS,
        measured=measured,
        typed=typed,
        asked=asked,
        tests=orders.TESTS,
        medicines=orders.MEDICINES,
        longest_order=orders.LONGEST,
        key=str(uuid.uuid4()),
        authors=authors(desk, place),
        author=author,
        apps=apps(desk),
        **_noted(desk, kept),
    )


def _sections(desk: Desk, place: Place) -> list[Section]:
    made = sections(desk.repository, place.subject, desk.clinic.zone)
    after = next(n for n, one in enumerate(made, 1) if one.id == "results")
    ordered = orders.ordered(desk.repository, place.subject, desk.clinic.zone)
    return [*made[:after], ordered, *made[after:], _documents(desk, place)]


def _documents(desk: Desk, place: Place) -> Section:
    found = listing(desk.repository, place.subject, desk.clinic.zone, "/visits/documents")
    items = [
        Item(one.title, [one.date, *one.facts, *(file.where for file in one.files if file.where)],
             [(text, "warn") for text in one.tags], [(file.text, file.link) for file in one.files if file.link])
        for one in found.documents
    ]  # fmt: skip
    return Section(
        "documents", "Documents", items[:_DOCUMENTS], items[_DOCUMENTS:], "earlier", found.more, found.refused
    )


def _noted(desk: Desk, kept: Notes | None) -> dict[str, Any]:
    zone = desk.clinic.zone
    others = [(one, when(one.at, zone)) for one in kept.others] if kept else []
    return {"notes": kept, "others": others, "longest": note.LONGEST}


def _banner(desk: Desk, patient: Json) -> dict[str, Any]:
    born, today = str(patient.get("birthDate", "")), desk.clinic.at().date()
    died = patient.get("deceasedDateTime", "") or patient.get("deceasedBoolean", False)
    known = numbers(patient)
    return {
        "born": when(born, desk.clinic.zone),
        "age": "" if died else age(born, today),
        "sex": patient.get("gender", ""),
        "died": when(died, desk.clinic.zone) if isinstance(died, str) and died else died,
        "identifiers": known[:_IDENTIFIERS],
        "further": known[_IDENTIFIERS:],
        "inactive": patient.get("active") is False,
        "language": concepts(
            one.get("language", {}) for one in patient.get("communication", ()) if one.get("preferred")
        ),
    }


def numbers(patient: Json) -> list[tuple[str, str]]:
    """What kind of number, as far as that is said, and the number."""
    return [(_system(one), one["value"]) for one in patient.get("identifier", ()) if one.get("value")]


def _system(identifier: Json) -> str:
    kinds = [code for _, code in codes(identifier.get("type"))]
    return concept(identifier.get("type")) if kinds or identifier.get("type") else identifier.get("system", "")
