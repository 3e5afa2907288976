"""What a clinician adds to the chart during a visit: measurements, orders, the note.

FHIR R4 Observation, ServiceRequest, MedicationRequest, DocumentReference; OWASP ASVS 5.0 V3.5. What was
typed comes back with every refusal.
"""

import uuid

from flask import Response, request

from fhir_server.pages.chart.found import Json
from fhir_server.pages.visits import note, orders, vitals
from fhir_server.pages.visits.chart_page import Typed, page
from fhir_server.pages.visits.desk import Desk
from fhir_server.pages.visits.note import Writing, is_as, notes, provenance, written
from fhir_server.pages.visits.place import Place, author_of, visited
from fhir_server.pages.visits.vitals import Around, faults, observations
from resources.errors import FhirError, PreconditionFailed, Unavailable
from resources.instant import instant
from resources.json_codec import decode_stored
from resources.repository import Create

_KEYS = 36


def measure(desk: Desk, type: str, id: str) -> Response:
    """POST /visits/chart/<type>/<id>/observations"""
    place = visited(desk, type, id)
    values = {name: text.strip()[:40] for name, text in request.form.items() if name != "csrf"}
    wrong = faults(values)
    if wrong:
        text = wrong.get("") or "Nothing is saved yet: please look at what is marked."
        return page(desk, place, status=400, error=text, measured=Typed(values, wrong))
    author, at = author_of(desk, place, values.get("as", "")), desk.clinic.now()
    commands = [_once(one) for one in observations(values, _around(desk, place, author, values))]
    made = provenance([each.full_url for each in commands], author, instant(at))
    try:
        desk.repository.commit([*commands, Create(made)])
    except FhirError as refused:
        return _unsaved(desk, place, refused, "Nothing was saved", measured=Typed(values, {}))
    return desk.go(place.path, done="observed", **_as(desk, author))


def _around(desk: Desk, place: Place, author: str, values: dict[str, str]) -> Around:
    """At this second of the clinic."""
    at = desk.clinic.at().replace(microsecond=0).isoformat()
    return Around(place.subject, place.visit, author, at, _key(values))


def _once(made: Json) -> Create:
    """Stored once, however often the form is sent."""
    return Create(made, f"identifier={vitals.ENTRIES}|{made['identifier'][0]['value']}", f"urn:uuid:{uuid.uuid4()}")


def _key(values: dict[str, str]) -> str:
    """The form's own key, so that what is sent twice is stored once."""
    try:
        return str(uuid.UUID(values.get("key", "")[:_KEYS]))
    except ValueError:
        return str(uuid.uuid4())


def _unsaved(desk: Desk, place: Place, refused: FhirError, told: str, **typed: Typed) -> Response:
    text = f"{told}: {refused.issues[0].text}"
    if isinstance(refused, Unavailable):  # its outcome may be unknown; saved again, it is known by its key or version
        text = "The record cannot be written now; this may not be saved. What you typed is here: please save again."
    return page(desk, place, status=refused.status, error=text, **typed)


def _as(desk: Desk, author: str) -> dict[str, str]:
    return {} if desk.who else {"as": author}


# --- orders


def order(desk: Desk, type: str, id: str) -> Response:
    """POST /visits/chart/<type>/<id>/orders"""
    place = visited(desk, type, id)
    values = {name: text.strip()[: orders.LONGEST] for name, text in request.form.items() if name != "csrf"}
    wrong = orders.faults(values)
    if wrong:
        text = "Nothing is ordered yet: please look at what is marked."
        return page(desk, place, status=400, error=text, asked=Typed(values, wrong))
    author = author_of(desk, place, values.get("as", ""))
    made = orders.order(values, _around(desk, place, author, values))
    try:
        [outcome] = desk.repository.commit([_once(made)])
    except FhirError as refused:
        return _unsaved(desk, place, refused, "Nothing was ordered", asked=Typed(values, {}))
    if outcome.version and orders.differs(made, decode_stored(outcome.version.doc)):
        told = (
            "This form was sent before with another order, which is kept. This one is not: order it if you want both."
        )
        anew = {name: text for name, text in values.items() if name != "key"}
        return page(desk, place, status=409, error=told, asked=Typed(anew, {}))
    return desk.go(place.path, done="ordered", **_as(desk, author))


# --- the note


def write(desk: Desk, type: str, id: str) -> Response:
    """POST /visits/chart/<type>/<id>/note"""
    place = visited(desk, type, id)
    values = {name: text for name, text in request.form.items() if name != "csrf"}
    text = values.get("text", "").replace("\r\n", "\n").strip()
    if not text or len(text) > note.LONGEST:
        told = f"A note has at most {note.LONGEST} characters." if text else "The note is empty."
        return page(desk, place, status=400, error=told, typed=Typed(values, {"text": told}))
    author = author_of(desk, place, values.get("as", ""))
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
    except FhirError as refused:
        return _unsaved(desk, place, refused, "The note was not saved", typed=Typed(values, {}))
    return desk.go(place.path, **done)


def _conflict(desk: Desk, place: Place, writing: Writing, values: dict[str, str]) -> Response | None:
    """Both texts, for a person to choose; None when the other one is ours, whose answer was lost."""
    kept = notes(desk.repository, place.visit, writing.author)
    every = (kept.draft, *kept.others)
    there = next((one for one in every if one is not None and one.id == writing.id), None)
    if there is not None and is_as(there, writing):
        return None
    text = "This note was changed in another window since you opened it. Nothing of yours is saved yet; see both below."
    return page(desk, place, status=409, error=text, typed=Typed(values, {}, there))
