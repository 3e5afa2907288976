"""Tasks that ask a patient to fill in a questionnaire before an appointment.

FHIR R4 Task; Structured Data Capture, code system ``temp`` (complete-questionnaire, questionnaire,
questionnaire-response): https://hl7.org/fhir/uv/sdc/CodeSystem-temp.html. docs/adr/questionnaires.md
"""

from collections.abc import Iterable, Sequence
from contextlib import suppress
from typing import Any

import msgspec

from resources.errors import FhirError
from resources.instant import instant
from resources.json_codec import decode_stored
from resources.literal_reference import local
from resources.repository import Caller, Create, Grant, Grants, Patch, Repository, SearchRequest

Json = dict[str, Any]

ASKS = "urn:x-hearth:questionnaire"
"""Extension of a Schedule or a HealthcareService: the canonical of a Questionnaire for whoever books there."""
SDC = "http://hl7.org/fhir/uv/sdc/CodeSystem/temp"
OPEN = frozenset({"requested", "received", "accepted", "ready", "in-progress"})
"""Statuses of what is still to be filled in."""
LENT = (Grant("Task", "cru"), Grant("Questionnaire", "r"))
"""Who books, or fills in, may not write Tasks as they like: only these."""
_GONE = frozenset({"cancelled", "rejected", "entered-in-error", "draft", "failed"})
_MOST, _LATEST = 20, 200
_CODE = ("code", f"{SDC}|complete-questionnaire")


def lent(caller: Caller) -> Caller:
    """``caller`` as one who may write these Tasks."""
    return msgspec.structs.replace(caller, grants=Grants((*caller.grants.all, *LENT)))


def named_by(resources: Iterable[Json]) -> list[str]:
    """The canonicals that Schedules and HealthcareServices name, each once."""
    rows = (row for one in resources for row in one.get("extension", ()) if row.get("url") == ASKS)
    return list(dict.fromkeys(row["valueCanonical"] for row in rows if row.get("valueCanonical")))


def asking(keeper: Repository, canonicals: Sequence[str], appointment: Json, place: str, patient: str) -> list[Create]:
    """A Task for each questionnaire, for ``patient`` to do before the ``appointment`` at ``place``."""
    return [
        Create(_task(canonical, _focus(keeper, canonical), appointment, place, patient)) for canonical in canonicals
    ]


def _focus(keeper: Repository, canonical: str) -> str:
    """The Questionnaire of the record that ``canonical`` means, '' when there is none."""
    url, _, version = canonical.partition("|")
    if (found := local(url)) is not None and found.type == "Questionnaire":
        return url
    params = (("url", url), *((("version", version),) if version else ()), ("_sort", "-date"), ("_count", "1"))
    hits = keeper.search(SearchRequest("Questionnaire", params)).hits
    return hits[0].version.reference if hits else ""


def _task(canonical: str, focus: str, appointment: Json, place: str, patient: str) -> Json:
    who = {"reference": patient}
    about = {"focus": {"reference": focus}} if focus else {}
    return {
        "resourceType": "Task",
        "basedOn": [{"reference": place}],
        "status": "requested",
        "intent": "order",
        "code": _coded("complete-questionnaire"),
        **about,
        "for": who,
        "authoredOn": appointment["created"],
        "owner": who,
        "restriction": {"period": {"end": appointment["start"]}},
        "input": [{"type": _coded("questionnaire"), "valueCanonical": canonical}],
    }


def _coded(code: str) -> Json:
    return {"coding": [{"system": SDC, "code": code}]}


def of(repository: Repository, appointment: str) -> list[Json]:
    """Those of ``appointment`` (Appointment/1), the earliest first, without those that were taken back."""
    return _found(repository, ("based-on", appointment), most=_MOST)


def by_appointment(repository: Repository, patient: str) -> dict[str, list[Json]]:
    """The latest of ``patient`` by their appointments; nothing where they cannot be read."""
    made: dict[str, list[Json]] = {}
    with suppress(FhirError):
        for one in _found(repository, ("patient", patient), most=_LATEST):
            for row in one.get("basedOn", ()):
                made.setdefault(row.get("reference", ""), []).append(one)
    return made


def _found(repository: Repository, about: tuple[str, str], most: int) -> list[Json]:
    hits = repository.search(SearchRequest("Task", (about, _CODE, ("_count", str(most))))).hits
    found = [decode_stored(hit.version.doc) for hit in hits]
    return sorted((one for one in found if one.get("status") not in _GONE), key=lambda one: one.get("authoredOn", ""))


def taken_back(keeper: Repository, appointment: str) -> list[Patch]:
    """What cancels those of ``appointment`` that were not filled in."""
    return [_cancelled(one) for one in of(keeper, appointment) if one.get("status") in OPEN]


def _cancelled(task: Json) -> Patch:
    """Unless it was filled in meanwhile."""

    def apply(current: Json) -> Json:
        return {**current, "status": "cancelled"} if current.get("status") in OPEN else current

    return Patch("Task", apply, id=task["id"])


def canonical_of(task: Json) -> str:
    """The questionnaire it asks for, '' when it names none."""
    return str(next((row["valueCanonical"] for row in _typed(task, "input", "questionnaire", "valueCanonical")), ""))


def answered_by(task: Json) -> str:
    """The QuestionnaireResponse it came to, such as QuestionnaireResponse/1; '' so far."""
    rows = _typed(task, "output", "questionnaire-response", "valueReference")
    return str(next((row["valueReference"].get("reference", "") for row in rows), ""))


def _typed(task: Json, element: str, code: str, value: str) -> list[Json]:
    rows = [row for row in task.get(element, ()) if value in row]
    return [row for row in rows if any(one.get("code") == code for one in row["type"].get("coding", ()))]


def done(task: Json, response: str, status: str, now: int) -> Patch:
    """``task`` with its ``response`` and ``status``, unless it changed since it was looked at."""

    def apply(current: Json) -> Json:
        before = _typed(current, "output", "questionnaire-response", "valueReference")
        rest = [row for row in current.get("output", ()) if row not in before]
        mine = {"type": _coded("questionnaire-response"), "valueReference": {"reference": response}}
        return {**current, "status": status, "lastModified": instant(now), "output": [*rest, mine]}

    return Patch("Task", apply, id=task["id"], if_match=int(task["meta"]["versionId"]))
