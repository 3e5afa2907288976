"""The visits of a day: Appointments and Encounters of class VR that name somebody, or all of the clinic.

FHIR R4 Appointment, Encounter (class VR of v3-ActCode). What has begun and is not over is shown whatever its day.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Any

from fhir_server.pages.chart.found import Found, find
from fhir_server.pages.chart.words import codes, moment
from fhir_server.visits.booking import is_over
from fhir_server.visits.people import named, patient_of
from resources.repository import Repository
from video.visit.virtual_service import services

Json = dict[str, Any]

_ACT = "http://terminology.hl7.org/CodeSystem/v3-ActCode"
_VIRTUAL = {(_ACT, "VR"), ("http://snomed.info/sct", "448337001")}
"""What says of an Appointment that it is by video before it was ever started: virtual, telemedicine consultation."""
_BEGUN = ("arrived", "triaged", "in-progress", "onleave")
_OPEN = ",".join(("planned", *_BEGUN))
_GONE = frozenset({"cancelled", "noshow", "entered-in-error"})
_CHUNK = 50
_OF_ROLES = ("_include:iterate", "PractitionerRole:practitioner")
_PEOPLE_BOOKED = (("_include", "Appointment:actor"), _OF_ROLES)
_PEOPLE = (("_include", "Encounter:subject"), ("_include", "Encounter:participant"), _OF_ROLES)


@dataclass(frozen=True)
class Visit:
    """An Appointment and its Encounter, or one of the two; ``people`` are the resources that they name."""

    appointment: Json | None
    encounter: Json | None
    people: dict[str, Json]

    @property
    def place(self) -> str:
        """What it is started or joined by."""
        one = self.appointment or self.encounter
        assert one is not None  # it has one of the two
        return f"{one['resourceType']}/{one['id']}"

    @property
    def patient(self) -> str:
        return patient_of(self.encounter) or patient_of(self.appointment)

    @property
    def named(self) -> list[str]:
        return named(self.appointment, self.encounter)

    @property
    def start(self) -> datetime | None:
        """When it is booked for, or began."""
        booked = (self.appointment or {}).get("start") or (self.encounter or {}).get("period", {}).get("start", "")
        return moment(booked)

    @property
    def over(self) -> bool:
        gone = (self.appointment or {}).get("status") in (*_GONE, "fulfilled")
        return is_over(self.encounter) if self.encounter else gone

    @property
    def by_video(self) -> bool:
        return self.encounter is not None or (self.appointment is not None and _is_virtual(self.appointment))


@dataclass(frozen=True)
class Day:
    """``visits`` by video and ``others`` of the Appointments, in order of time; ``more`` that were not read;
    ``refused`` as of Found."""

    visits: Sequence[Visit]
    others: Sequence[Visit]
    more: int
    refused: str


def whose(repository: Repository, practitioner: str) -> tuple[str, ...]:
    """The references under which ``practitioner`` is named: their own and those of their roles."""
    if not practitioner.startswith("Practitioner/"):
        return (practitioner,)
    roles = find(repository, "PractitionerRole", ("practitioner", practitioner))
    return (practitioner, *(f"PractitionerRole/{one['id']}" for one in roles.matches))


def of_day(repository: Repository, at: datetime, who: Sequence[str], *, alone: bool = False) -> Day:
    """The day of ``at`` in its time zone; ``who`` as of whose, empty for all of the clinic; ``alone``: without what has
    begun on another day and is not over."""
    begin = datetime.combine(at.date(), time.min, at.tzinfo)
    dates = (("date", f"ge{begin.isoformat()}"), ("date", f"lt{_next(begin).isoformat()}"))
    actor = (("actor", ",".join(who)),) if who else ()
    booked = find(repository, "Appointment", *dates, *actor, *_PEOPLE_BOOKED, ("_sort", "date"))
    linked = _of_appointments(repository, booked.matches)
    loose = _loose(repository, dates, who, alone)
    searches = (booked, *linked, *loose)
    people = {ref: one for found in searches for ref, one in found.included.items()}
    encounters = {one["id"]: one for found in (*linked, *loose) for one in found.matches}
    visits = list(_joined(booked.matches, encounters.values(), people, begin))
    visits.sort(key=lambda visit: (visit.start or at, visit.place))
    refused = next((found.refused for found in searches if found.refused), "")
    return Day(
        [visit for visit in visits if visit.by_video],
        [visit for visit in visits if not visit.by_video],
        sum(found.more for found in searches),
        refused,
    )


def _next(begin: datetime) -> datetime:
    """The midnight after: a day of a clinic may have 23 or 25 hours."""
    return datetime.combine(begin.date() + timedelta(days=1), time.min, begin.tzinfo)


def _of_appointments(repository: Repository, appointments: Sequence[Json]) -> list[Found]:
    places = [f"Appointment/{one['id']}" for one in appointments]
    chunks = (places[at : at + _CHUNK] for at in range(0, len(places), _CHUNK))
    return [find(repository, "Encounter", ("appointment", ",".join(chunk)), *_PEOPLE) for chunk in chunks]


def _loose(repository: Repository, dates: Sequence[tuple[str, str]], who: Sequence[str], alone: bool) -> list[Found]:
    """Visits of the day, and those of any day that are not over: the person before the door may be early or late."""
    mine = (("participant", ",".join(who)),) if who else ()
    virtual = ("class", f"{_ACT}|VR")
    own = find(repository, "Encounter", virtual, *mine, *dates, *_PEOPLE)
    if alone:
        return [own]
    open = find(repository, "Encounter", virtual, *mine, ("status", _OPEN), *_PEOPLE, ("_sort", "-_lastUpdated"))
    return [own, open]


def _joined(
    appointments: Iterable[Json], encounters: Iterable[Json], people: dict[str, Json], begin: datetime
) -> Iterable[Visit]:
    left = {one["id"]: one for one in encounters}
    for appointment in appointments:
        own = [one for one in left.values() if _belongs(one, appointment)]
        for one in own:
            left.pop(one["id"])
        chosen = next((one for one in own if not is_over(one)), own[0] if own else None)
        yield Visit(appointment, chosen, people)
    for encounter in left.values():
        if encounter.get("class", {}).get("code") == "VR" and _is_of(encounter, begin):
            yield Visit(None, encounter, people)


def _belongs(encounter: Json, appointment: Json) -> bool:
    place, patient = f"Appointment/{appointment['id']}", patient_of(appointment)
    places = (one.get("reference") for one in encounter.get("appointment", ()))
    return place in places and bool(patient) and patient_of(encounter) == patient


def _is_of(encounter: Json, begin: datetime) -> bool:
    """Whether an Encounter without an Appointment of the day is one of it."""
    if encounter.get("period") or encounter.get("status") in _BEGUN:
        return True
    planned = moment(encounter.get("meta", {}).get("lastUpdated", ""))
    return not encounter.get("appointment") and planned is not None and planned >= begin


def _is_virtual(appointment: Json) -> bool:
    kinds = [*appointment.get("serviceType", ()), appointment.get("appointmentType")]
    return bool(services(appointment)) or any(code in _VIRTUAL for kind in kinds for code in codes(kind))
