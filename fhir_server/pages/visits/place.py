"""Whose chart it is, of which visit, and who writes into it.

FHIR R4 Patient, Encounter. Whoever is logged in writes in their own name; on a machine without log-in the practitioners
of the visit are chosen from.
"""

from dataclasses import dataclass

from flask import request

from fhir_server.pages.chart.found import Json
from fhir_server.pages.chart.words import name
from fhir_server.pages.visits.desk import Desk
from fhir_server.visits.people import named, patient_of, role_of
from resources.errors import FhirError, NotFound
from resources.json_codec import decode_stored
from resources.literal_reference import local
from video.ports import Role

_PLACES = ("Encounter", "Patient")


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


def place_of(desk: Desk, type: str, id: str) -> Place:
    """Raises NotFound where there is no such chart, Forbidden as the repository."""
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


def visited(desk: Desk, type: str, id: str) -> Place:
    """That of a visit, as measurements, orders and notes belong to one."""
    place = place_of(desk, type, id)
    if place.encounter is None:
        raise NotFound("Measurements and notes belong to a visit.")
    return place


def authors(desk: Desk, place: Place) -> list[tuple[str, str]]:
    """References and names to choose from while nobody is logged in: the practitioners of the visit."""
    if desk.who or not place.encounter:
        return []
    found = [one for one in named(place.encounter) if role_of(one) is Role.PRACTITIONER]
    return [(one, name(_read(desk, one)) or one) for one in found]


def _read(desk: Desk, reference: str) -> Json | None:
    found = local(reference)
    try:
        return decode_stored(desk.repository.read(*found).doc) if found else None
    except FhirError:
        return None


def author_of(desk: Desk, place: Place, chosen: str) -> str:
    """The reference of who writes, ``chosen`` where nobody is logged in."""
    choices = [one for one, _ in authors(desk, place)]
    chosen = chosen or request.args.get("as", "")
    return desk.who or (chosen if chosen in choices else next(iter(choices), ""))
