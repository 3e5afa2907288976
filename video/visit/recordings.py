"""A recording as DocumentReference, its parts as Binary, where it came from as Provenance.

FHIR R4 DocumentReference, Binary, Provenance (https://hl7.org/fhir/R4/provenance.html), Attachment.hash (SHA-1).
"""

import hashlib
from base64 import b64encode
from typing import Any

import msgspec

from resources.instant import instant
from resources.literal_reference import local
from video.ports import Fact, FactKind, Recording
from video.visit.communication import FACTS
from video.visit.consent import named
from video.visit.moments import period

Json = dict[str, Any]

TYPE = "video/webm"
_AGENTS = frozenset({"Practitioner", "PractitionerRole"})
_PARTICIPANTS = "http://terminology.hl7.org/CodeSystem/provenance-participant-type"
_CUT = "The end is missing: the server stopped in the middle of it."


class Stored(msgspec.Struct, frozen=True):
    """A part that the record has; ``begin`` and ``end`` in ms since the recording began."""

    id: str
    begin: int
    end: int
    size: int
    hash: str


def step_of(recording: Recording, step: int) -> Fact:
    """What names the writing of a part (1, 2, ...) or of the whole (0) in the record, for ever."""
    room = f"recording {recording.room}.{recording.number}"
    told = (recording.encounter, recording.appointment, recording.patient)
    return Fact(FactKind.RECORDING_ENDED, room, step, recording.at, *told)


def binary(recording: Recording, number: int, begin: int, end: int, content: bytes) -> tuple[Json, Stored]:
    """The part as Binary, and what the document says of it."""
    id = named(recording.room, f"recording {number}", recording.number)
    made: Json = {"resourceType": "Binary", "id": id, "contentType": TYPE}
    if recording.patient:
        made["securityContext"] = {"reference": recording.patient}
    digest = b64encode(hashlib.sha1(content, usedforsecurity=False).digest()).decode()
    return made | {"data": b64encode(content).decode()}, Stored(id, begin, end, len(content), digest)


def document(recording: Recording, parts: list[Stored], whole: bool) -> Json:
    """All of it; a part of many plays by itself."""
    made: Json = {"resourceType": "DocumentReference", "id": named(recording.room, "recording", recording.number)}
    made |= {"identifier": [_identifier(recording)], "status": "current"}
    made["type"] = {"coding": [{"system": FACTS, "code": "recording"}], "text": "Recording of a video visit"}
    if recording.patient:
        made["subject"] = {"reference": recording.patient}
    made["date"] = instant(recording.at)
    if _is_agent(recording.by):
        made["author"] = [{"reference": recording.by}]
    if not whole:
        made["description"] = _CUT
    made["content"] = [{"attachment": _attachment(recording, one, n, len(parts))} for n, one in enumerate(parts, 1)]
    context: Json = {"period": period(recording.at + parts[0].begin, recording.at + parts[-1].end)}
    if recording.encounter:
        context["encounter"] = [{"reference": recording.encounter}]
    return made | {"context": context}


def _attachment(recording: Recording, part: Stored, number: int, of: int) -> Json:
    title = "Recording" if of == 1 else f"Recording, part {number} of {of}"
    told: Json = {"contentType": TYPE, "url": f"Binary/{part.id}", "size": part.size, "hash": part.hash}
    return told | {"title": title, "creation": instant(recording.at + part.begin)}


def provenance(recording: Recording, parts: list[Stored], now: int) -> Json:
    """Who made it, when, and by whose consents: those are named by identifier, for they may be gone by now."""
    document = f"DocumentReference/{named(recording.room, 'recording', recording.number)}"
    made: Json = {"resourceType": "Provenance", "id": named(recording.room, "provenance", recording.number)}
    made["target"] = [{"reference": name} for name in (document, *(f"Binary/{part.id}" for part in parts))]
    made["occurredPeriod"] = period(recording.at + parts[0].begin, recording.at + parts[-1].end)
    made |= {"recorded": instant(now), "agent": [_agent("assembler", {"display": "Video service"})]}
    if _is_agent(recording.by):
        made["agent"].append(_agent("performer", {"reference": recording.by}))
    made["entity"] = [
        {"role": "source", "what": {"type": "Consent", "identifier": identifier, "display": one.role.value}}
        for one in recording.members
        for identifier in [{"system": FACTS, "value": f"{recording.room}.{one.agreement}"}]
    ]
    return made


def _agent(code: str, who: Json) -> Json:
    return {"type": {"coding": [{"system": _PARTICIPANTS, "code": code}]}, "who": who}


def _is_agent(reference: str) -> bool:
    found = local(reference)
    return found is not None and found.type in _AGENTS


def _identifier(recording: Recording) -> Json:
    return {"system": FACTS, "value": f"{recording.room}.{recording.number}"}
