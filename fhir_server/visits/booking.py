"""The Encounter of a visit: found by its Appointment, or made; class VR, planned, with where it takes place.

FHIR R4 Encounter (https://hl7.org/fhir/R4/encounter.html), v3-ActCode VR; docs/adr/video-record.md.
"""

from typing import Any

from fhir_server.visits.people import named, patient_of
from resources.errors import BusinessRule
from resources.instant import instant
from resources.json_codec import decode_stored
from resources.repository import Command, Create, Patch, Repository, SearchRequest, Version
from video.visit.encryption import encrypted, is_encrypted
from video.visit.timeline import OVER
from video.visit.virtual_service import VirtualService, services, with_service

Json = dict[str, Any]

VISITS = "urn:x-hearth:visit"
"""Identifier system of the Encounters made here: Appointment's id and the number of the visit of that Appointment."""
_VIRTUAL = {"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "VR", "display": "virtual"}
_PART = "http://terminology.hl7.org/CodeSystem/v3-ParticipationType"
_NEVER = frozenset({"proposed", "pending", "waitlist", "cancelled", "entered-in-error"})
_BEFORE = frozenset({"planned", "arrived"})
_INDIVIDUALS = ("Practitioner/", "PractitionerRole/", "RelatedPerson/")


class Booking:
    """Visits in the view of one ``repository``; ``service`` is where they take place."""

    def __init__(self, repository: Repository, service: VirtualService, now: int) -> None:
        self._repository, self._service, self._now = repository, service, now

    def encounters(self, appointment: Json) -> list[Version]:
        """Those of ``appointment`` and its patient, newest first: anybody may write an Encounter that names it."""
        patient = patient_of(appointment)
        place = ("appointment", f"Appointment/{appointment['id']}")
        params = (place, ("subject", patient), ("_sort", "-_lastUpdated"), ("_count", "50"))
        page = self._repository.search(SearchRequest("Encounter", params)) if patient else None
        return [hit.version for hit in page.hits if hit.mode == "match"] if page else []

    def begun(self, appointment: Json, *, again: bool = False, sealed: bool = False) -> Version:
        """The Encounter of ``appointment`` that is not over, made when there is none; both say where it takes place.

        ``again``: another one after one that is over; ``sealed``: encrypted end to end, as the Appointment may say too.
        Raises BusinessRule, and what the repository raises.
        """
        _refuse_unready(appointment)
        found = self.encounters(appointment)
        open = [version for version in found if not is_over(version)]
        if not open and found and not again:
            raise BusinessRule("This visit is over; start it once more with the parameter again.")
        place = f"Appointment/{appointment['id']}"
        sealed = sealed or is_encrypted(appointment)
        told = self._telling("Appointment", appointment, sealed=False)
        if open:
            told += self._telling("Encounter", decode_stored(open[0].doc), sealed=sealed)
            if told:
                self._repository.commit(told)
            return self._repository.read("Encounter", open[0].id) if len(told) else open[0]
        encounter = self._encounter(appointment, place, len(found))
        encounter = encrypted(encounter) if sealed else encounter
        # Of this patient: anybody may write an Encounter of their own with any identifier.
        criteria = (
            f"identifier={VISITS}|{encounter['identifier'][0]['value']}&subject={encounter['subject']['reference']}"
        )
        [made, *_] = self._repository.commit([Create(encounter, criteria), *told])
        assert made.version is not None  # a Create has one
        return made.version

    def _telling(self, type: str, resource: Json, *, sealed: bool) -> list[Command]:
        if self._service in services(resource) and is_encrypted(resource) >= sealed:
            return []
        if sealed and not is_encrypted(resource) and resource.get("status") not in _BEFORE:
            raise BusinessRule("This visit has begun; whether it is encrypted is said before.")

        def said(current: Json) -> Json:
            made = with_service(current, self._service)
            return encrypted(made) if sealed else made

        return [Patch(type, said, id=resource["id"])]

    def _encounter(self, appointment: Json, place: str, number: int) -> Json:
        people, at = named(appointment), instant(self._now)
        patient = patient_of(appointment)
        if not patient:
            raise BusinessRule(
                "A visit needs one patient among the participants.", expression="Appointment.participant"
            )
        part = {"coding": [{"system": _PART, "code": "PART", "display": "Participation"}]}
        made: Json = {
            "resourceType": "Encounter",
            "identifier": [{"system": VISITS, "value": f"{appointment['id']}.{number + 1}"}],
            "status": "planned",
            "statusHistory": [{"status": "planned", "period": {"start": at}}],
            "class": _VIRTUAL,
            "subject": {"reference": patient},
            "participant": [
                {"type": [part], "individual": {"reference": who}} for who in people if who.startswith(_INDIVIDUALS)
            ],
            "appointment": [{"reference": place}],
        }
        if not made["participant"]:
            del made["participant"]
        for element, name in (("serviceType", "serviceType"), ("reasonCode", "reasonCode")):
            if appointment.get(element):
                made[name] = appointment[element][0] if element == "serviceType" else appointment[element]
        return with_service(made, self._service)


def is_over(encounter: Version | Json) -> bool:
    resource = decode_stored(encounter.doc) if isinstance(encounter, Version) else encounter
    return resource.get("status") in OVER


def _refuse_unready(appointment: Json) -> None:
    status = appointment.get("status", "")
    if status in _NEVER:
        raise BusinessRule(f"The Appointment is {status}; a visit needs one that is booked.")
