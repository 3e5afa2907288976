"""The inbox: results to review, messages of patients to answer, HL7 v2 messages that wait for a person.

FHIR R4 DiagnosticReport, Communication, Provenance. Nothing leaves it but by an act that the record keeps.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from flask import Response, request

from fhir_server.pages.chart import threads
from fhir_server.pages.chart.found import Json, find
from fhir_server.pages.chart.words import name
from fhir_server.pages.visits import results_inbox, reviews
from fhir_server.pages.visits.desk import Desk
from fhir_server.pages.visits.schedule import whose
from resources.errors import BusinessRule, FhirError, NotFound, OutcomeUnknown, PreconditionFailed, Unavailable
from resources.instant import instant
from resources.json_codec import decode_stored
from resources.literal_reference import local
from resources.repository import Command, Create

_PATIENT_SIDE = ("Patient/", "RelatedPerson/")
_WATCHED = ("DiagnosticReport", "Communication")
_MESSAGES = 400
"""The latest that are looked through for threads that wait."""


@dataclass(frozen=True)
class Letters:
    """``waiting`` threads, the longest wait first, with the name of each patient; ``more`` messages were not read."""

    waiting: Sequence[tuple[threads.Thread, str]]
    more: int
    refused: str


def inbox(desk: Desk, *, error: str = "", status: int = 200, thread: str = "", typed: str = "") -> Response:
    """GET /visits/inbox"""
    mine = bool(desk.who) and request.values.get("all") != "1"
    own = whose(desk.repository, desk.who) if mine else ()
    return desk.page(
        "inbox.html", status, policy=desk.list_policy, heading="Inbox", tab="inbox", error=error,
        results=results_inbox.box(desk.repository, own, desk.clinic.zone), letters=_letters(desk),
        mine=mine, choice=bool(desk.who), bridge=_bridge(desk), thread=thread, typed=typed,
        longest=threads.LONGEST, zone=str(desk.clinic.zone),
    )  # fmt: skip


def _letters(desk: Desk) -> Letters:
    people = (("_include", "Communication:sender"), ("_include", "Communication:subject"))
    found = find(desk.repository, "Communication", threads.ONES, *people, reviews.WITH, ("_sort", "-sent"),
                 most=_MESSAGES)  # fmt: skip
    done = reviews.reviewed(found.included.values())
    every = threads.threads(found.matches[::-1], found.included, desk.clinic.zone)
    waiting = [one for one in every[::-1] if one.last.sender.startswith(_PATIENT_SIDE) and not _seen(one, done)]
    return Letters([(one, name(found.included.get(one.patient))) for one in waiting], found.more, found.refused)


def _seen(thread: threads.Thread, done: dict[str, Json]) -> bool:
    return thread.last.reference in done


def _bridge(desk: Desk) -> dict[str, int] | None:
    """What waits for a person there, for those who may see to it; None for others and while it is not known."""
    person = desk.visitor.person
    if person is not None and not person.administrator:
        return None
    try:
        peers = desk.clinic.peers()
    except Unavailable:
        return None
    fields = ("held", "dead", "rejected", "unmapped")
    return {field: sum(getattr(peer, field) for peer in peers) for field in fields}


def seen(desk: Desk) -> Response:
    """POST /visits/inbox/seen: a result is reviewed, or a message needs no answer."""
    version = request.form.get("version", "")[:120]
    found, command = local(version), reviews.review(version, desk.who, instant(desk.clinic.now()))
    if found is None or command is None or found.type not in _WATCHED:
        raise NotFound("There is no such item.")
    now = decode_stored(desk.repository.read(*found).doc)
    if reviews.version_of(now) != version:
        told = "This was changed meanwhile, and is shown as it is now. Please look at it again."
        return inbox(desk, error=told, status=409)
    return _done(desk, [command], "reviewed")


def answer(desk: Desk) -> Response:
    """POST /visits/inbox/answer"""
    text, first = request.form.get("text", "").strip(), local(f"Communication/{request.form.get('thread', '')}")
    if first is None:
        raise NotFound("There is no such message.")
    if wrong := threads.fault(text):
        return inbox(desk, error=wrong, status=400, thread=first.id, typed=text)
    begun = decode_stored(desk.repository.read(*first).doc)
    patient = begun.get("subject", {}).get("reference", "")
    if not patient.startswith("Patient/"):
        raise BusinessRule("This message is about no patient of this server.")
    if _wrote_more(desk, patient, first.id, request.form.get("last", "")):
        told = "The patient wrote again meanwhile; nothing is sent yet. Please read it: what you typed is still here."
        return inbox(desk, error=told, status=409, thread=first.id, typed=text)
    made = threads.written(text, patient=patient, sender=desk.who, now=desk.clinic.now(), thread=first.id)
    return _done(desk, [Create(made)], "answered", thread=first.id, typed=text)


def _wrote_more(desk: Desk, patient: str, first: str, shown: str) -> bool:
    """Whether a thread waits for another message than the one ``shown``: an answer would take it out of the inbox
    before anybody read it."""
    found = find(desk.repository, "Communication", ("subject", patient), threads.ONES, ("_sort", "-sent"),
                 most=_MESSAGES)  # fmt: skip
    every = threads.threads(found.matches[::-1], found.included, desk.clinic.zone)
    last = next((one.last for one in every if one.id == first), None)
    return last is not None and last.sender.startswith(_PATIENT_SIDE) and last.reference != shown


def _done(desk: Desk, commands: list[Command], word: str, **typed: Any) -> Response:
    try:
        desk.repository.commit(commands)
    except PreconditionFailed:
        pass  # it was said already
    except OutcomeUnknown:
        told = "This may have been saved or not. Please look whether it is there before you do it again."
        return inbox(desk, error=told, status=503, **typed)
    except Unavailable:
        told = "Nothing was saved: the record cannot be written just now. Please try again."
        return inbox(desk, error=told, status=503, **typed)
    except FhirError as refused:
        return inbox(desk, error=f"Nothing was saved: {refused.issues[0].text}", status=refused.status, **typed)
    return desk.go("/visits/inbox", done=word, all="1" if request.form.get("all") == "1" else "")
