"""The chart beside the picture: the patient, what the record says of them, and what the clinician adds during a visit.

FHIR R4 Patient, Encounter; OWASP ASVS 5.0 V3.5. What was typed comes back with every refusal.
"""

import uuid
from dataclasses import dataclass
from typing import Any

from flask import Response, request

from fhir_server.pages.visits import note, vitals
from fhir_server.pages.visits.desk import Desk
from fhir_server.pages.visits.found import Json
from fhir_server.pages.visits.note import Notes, Writing, is_as, notes, provenance, written
from fhir_server.pages.visits.sections import sections
from fhir_server.pages.visits.vitals import Around, faults, observations
from fhir_server.pages.visits.words import age, codes, concept, concepts, name, when
from fhir_server.visits.people import named, patient_of, role_of
from resources.errors import FhirError, NotFound, PreconditionFailed, Unavailable
from resources.instant import instant
from resources.json_codec import decode_stored
from resources.repository import Create
from video.ports import Role

_PLACES = ("Encounter", "Patient")
_IDENTIFIERS = 4
_KEYS = 36


@dataclass(frozen=True)
class Place:
    """What the chart is of. ``encounter`` is None on the chart of a patient without a visit."""

    path: str
    patient: Json
    encounter: Json | None

    @property
    def subject(self) -> str:
        return f"Patient/{self.patient['id']}"

    @property
    def visit(self) -> str:
        return f"Encounter/{self.encounter['id']}" if self.encounter else ""


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
    return _page(desk, _place(desk, type, id))


def _place(desk: Desk, type: str, id: str) -> Place:
    if type not in _PLACES:
        raise NotFound("There is no such chart.")
    path = f"/visits/chart/{type}/{id}"
    if type == "Patient":
        return Place(path, decode_stored(desk.repository.read("Patient", id).doc), None)
    encounter = decode_stored(desk.repository.read("Encounter", id).doc)
    patient = patient_of(encounter).removeprefix("Patient/")
    if not patient:
        raise NotFound("This visit is not about one patient.")
    return Place(path, decode_stored(desk.repository.read("Patient", patient).doc), encounter)


def _page(
    desk: Desk,
    place: Place,
    *,
    status: int = 200,
    error: str = "",
    measured: Typed = _NOTHING,
    typed: Typed = _NOTHING,
) -> Response:
    author = _author(desk, place, (measured.values or typed.values).get("as", ""))
    kept = notes(desk.repository, place.visit, author) if place.visit else None
    return desk.page(
        "chart.html",
        status,
        policy=desk.chart_policy,
        heading=name(place.patient) or "Name unknown",
        error=error,
        framed=request.headers.get("Sec-Fetch-Dest") == "iframe",
        place=place,
        banner=_banner(desk, place.patient),
        sections=sections(desk.repository, place.subject, desk.clinic.zone),
        limited=not all(grant.confidential for grant in desk.visitor.caller.grants.all),
        zone=str(desk.clinic.zone),
        pressure=(vitals.SYSTOLIC, vitals.DIASTOLIC),
        rows=vitals.ROWS,
        measured=measured,
        typed=typed,
        key=str(uuid.uuid4()),
        authors=_authors(desk, place),
        author=author,
        **_noted(desk, kept),
    )


def _noted(desk: Desk, kept: Notes | None) -> dict[str, Any]:
    zone = desk.clinic.zone
    others = [(one, when(one.at, zone)) for one in kept.others] if kept else []
    return {"notes": kept, "others": others, "longest": note.LONGEST}


def _banner(desk: Desk, patient: Json) -> dict[str, Any]:
    born, today = str(patient.get("birthDate", "")), desk.clinic.at().date()
    died = patient.get("deceasedDateTime", "") or patient.get("deceasedBoolean", False)
    numbers = [(_system(one), one["value"]) for one in patient.get("identifier", ()) if one.get("value")]
    return {
        "born": when(born, desk.clinic.zone),
        "age": "" if died else age(born, today),
        "sex": patient.get("gender", ""),
        "died": when(died, desk.clinic.zone) if isinstance(died, str) and died else died,
        "identifiers": numbers[:_IDENTIFIERS],
        "further": numbers[_IDENTIFIERS:],
        "inactive": patient.get("active") is False,
        "language": concepts(
            one.get("language", {}) for one in patient.get("communication", ()) if one.get("preferred")
        ),
    }


def _system(identifier: Json) -> str:
    kinds = [code for _, code in codes(identifier.get("type"))]
    return concept(identifier.get("type")) if kinds or identifier.get("type") else identifier.get("system", "")


# --- who writes


def _authors(desk: Desk, place: Place) -> list[tuple[str, str]]:
    """To choose from while nobody is logged in: the practitioners of the visit."""
    if desk.who or not place.encounter:
        return []
    found = [one for one in named(place.encounter) if role_of(one) is Role.PRACTITIONER]
    return [(one, name(desk.clinic.desk.look(one)) or one) for one in found]


def _author(desk: Desk, place: Place, chosen: str) -> str:
    choices = [one for one, _ in _authors(desk, place)]
    chosen = chosen or request.args.get("as", "")
    return desk.who or (chosen if chosen in choices else next(iter(choices), ""))


# --- measurements


def measure(desk: Desk, type: str, id: str) -> Response:
    """POST /visits/chart/<type>/<id>/observations"""
    place = _visited(desk, type, id)
    values = {name: text.strip()[:40] for name, text in request.form.items() if name != "csrf"}
    wrong = faults(values)
    if wrong:
        text = wrong.get("") or "Nothing is saved yet: please look at what is marked."
        return _page(desk, place, status=400, error=text, measured=Typed(values, wrong))
    author, at = _author(desk, place, values.get("as", "")), desk.clinic.now()
    around = Around(place.subject, place.visit, author, _local(desk), _key(values))
    made = observations(values, around)
    urls = [f"urn:uuid:{uuid.uuid4()}" for _ in made]
    commands = [
        Create(one, f"identifier={vitals.ENTRIES}|{one['identifier'][0]['value']}", url)
        for one, url in zip(made, urls, strict=True)
    ]
    try:
        desk.repository.commit([*commands, Create(provenance(urls, author, instant(at)))])
    except Unavailable:
        return _page_unsaved(desk, place, measured=Typed(values, {}))
    except FhirError as refused:
        text = f"Nothing was saved: {refused.issues[0].text}"
        return _page(desk, place, status=refused.status, error=text, measured=Typed(values, {}))
    return desk.go(place.path, done="observed", **_as(desk, author))


def _local(desk: Desk) -> str:
    """Now as a dateTime of the clinic, to the second."""
    return desk.clinic.at().replace(microsecond=0).isoformat()


def _key(values: dict[str, str]) -> str:
    """The form's own key, so that what is sent twice is stored once."""
    try:
        return str(uuid.UUID(values.get("key", "")[:_KEYS]))
    except ValueError:
        return str(uuid.uuid4())


def _visited(desk: Desk, type: str, id: str) -> Place:
    place = _place(desk, type, id)
    if place.encounter is None:
        raise NotFound("Measurements and notes belong to a visit.")
    return place


def _page_unsaved(desk: Desk, place: Place, **typed: Typed) -> Response:
    text = "Nothing was saved: the record cannot be written just now. What you typed is still here; please try again."
    return _page(desk, place, status=503, error=text, **typed)


def _as(desk: Desk, author: str) -> dict[str, str]:
    return {} if desk.who else {"as": author}


# --- the note


def write(desk: Desk, type: str, id: str) -> Response:
    """POST /visits/chart/<type>/<id>/note"""
    place = _visited(desk, type, id)
    values = {name: text for name, text in request.form.items() if name != "csrf"}
    text = values.get("text", "").replace("\r\n", "\n").strip()
    if not text or len(text) > note.LONGEST:
        told = f"A note has at most {note.LONGEST} characters." if text else "The note is empty."
        return _page(desk, place, status=400, error=told, typed=Typed(values, {"text": told}))
    author = _author(desk, place, values.get("as", ""))
    version = values.get("version", "")
    writing = Writing(
        text=text,
        sign=values.get("do") == "sign",
        id=values.get("id", "")[:64],
        version=int(version) if version.isascii() and version.isdigit() and len(version) < 10 else 0,
        key=_key(values),
        patient=place.subject,
        encounter=place.visit,
        author=author,
        at=instant(desk.clinic.now()),
    )
    return _written(desk, place, writing, values)


def _written(desk: Desk, place: Place, writing: Writing, values: dict[str, str]) -> Response:
    done = {"done": "signed" if writing.sign else "saved"} | _as(desk, writing.author)
    try:
        written(desk.repository, writing)
    except PreconditionFailed:
        return _conflict(desk, place, writing, values) or desk.go(place.path, **done)
    except Unavailable:
        return _page_unsaved(desk, place, typed=Typed(values, {}))
    except FhirError as refused:
        text = f"The note was not saved: {refused.issues[0].text}"
        return _page(desk, place, status=refused.status, error=text, typed=Typed(values, {}))
    return desk.go(place.path, **done)


def _conflict(desk: Desk, place: Place, writing: Writing, values: dict[str, str]) -> Response | None:
    """Both texts, for a person to choose; None when the other one is ours, whose answer was lost."""
    kept = notes(desk.repository, place.visit, writing.author)
    every = (kept.draft, *kept.others)
    there = next((one for one in every if one is not None and one.id == writing.id), None)
    if there is not None and is_as(there, writing):
        return None
    text = "This note was changed in another window since you opened it. Nothing of yours is saved yet; see both below."
    return _page(desk, place, status=409, error=text, typed=Typed(values, {}, there))
