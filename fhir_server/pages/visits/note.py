"""The visit note of one clinician: a draft that is saved as often as one likes, and signed once.

FHIR R4 DocumentReference (https://hl7.org/fhir/R4/documentreference.html), LOINC 11488-4; Provenance.
"""

from base64 import b64decode, b64encode
from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any

from fhir_server.pages.chart.found import find
from fhir_server.pages.chart.observed import LOINC
from fhir_server.pages.chart.words import codes, name
from fhir_server.pages.visits.vitals import ENTRIES
from resources.errors import BusinessRule
from resources.json_codec import decode_stored
from resources.repository import Command, Create, Patch, Repository

Json = dict[str, Any]

LONGEST = 100_000
"""Characters of a note."""
_TYPE = {"coding": [{"system": LOINC, "code": "11488-4", "display": "Consult note"}]}
_CATEGORY = {
    "coding": [
        {
            "system": "http://hl7.org/fhir/us/core/CodeSystem/us-core-documentreference-category",
            "code": "clinical-note",
            "display": "Clinical Note",
        }
    ]
}
_SIGNED = frozenset({"final", "amended"})
_PLAIN = "text/plain; charset=utf-8"
_TYPES = {(LOINC, "11488-4"), (LOINC, "34109-9")}


@dataclass(frozen=True)
class Note:
    """``text`` None for one whose content is no plain text; ``mine`` when the visitor is its author; ``author`` in
    words."""

    id: str
    version: int
    text: str | None
    signed: bool
    mine: bool
    author: str
    at: str


@dataclass(frozen=True)
class Notes:
    """``draft`` of the visitor, which may be none; ``others`` of the visit; ``more`` and ``refused`` as of Found."""

    draft: Note | None
    others: tuple[Note, ...]
    more: int
    refused: str


def notes(repository: Repository, encounter: str, author: str) -> Notes:
    """Those of ``encounter`` (Encounter/1), as ``author`` (Practitioner/1, '' for nobody) finds them."""
    found = find(repository, "DocumentReference", ("encounter", encounter), ("_include", "DocumentReference:author"))
    kept = [_note(one, author, found.included) for one in found.matches if _is_note(one)]
    draft = next((note for note in kept if note.mine and not note.signed and note.text is not None), None)
    return Notes(draft, tuple(note for note in kept if note is not draft), found.more, found.refused)


def _is_note(one: Json) -> bool:
    return one.get("status") == "current" and bool(_TYPES & set(codes(one.get("type"))))


def _note(one: Json, author: str, people: Mapping[str, Json] = MappingProxyType({})) -> Note:
    authors = [ref.get("reference", "") for ref in one.get("author", ())]
    return Note(
        one["id"],
        int(one["meta"]["versionId"]),
        _text(one),
        one.get("docStatus") in _SIGNED,
        authors == ([author] if author else []),
        ", ".join(name(people.get(ref)) or ref for ref in authors),
        one.get("date", ""),
    )


def _text(one: Json) -> str | None:
    attachment = one["content"][0]["attachment"] if len(one.get("content", ())) == 1 else {}
    if not attachment.get("contentType", "").startswith("text/plain") or "data" not in attachment:
        return None
    return b64decode(attachment["data"]).decode("utf-8", "replace")


@dataclass(frozen=True)
class Writing:
    """What a form brought. ``id`` and ``version`` are those of the draft that it showed, '' and 0 for a new one;
    ``key`` is the form's, so that a new note is stored once; ``at`` an instant."""

    text: str
    sign: bool
    id: str
    version: int
    key: str
    patient: str
    encounter: str
    author: str
    at: str


def written(repository: Repository, writing: Writing) -> Note:
    """Saves or signs. Raises PreconditionFailed when the draft is another one by now, and what commit raises."""
    target = f"DocumentReference/{writing.id}" if writing.id else f"urn:uuid:{writing.key}"
    who = Create(provenance([target], writing.author, writing.at))
    [outcome, _] = repository.commit([_command(writing), who])
    assert outcome.version is not None  # neither command deletes
    note = _note(decode_stored(outcome.version.doc), writing.author)
    if not outcome.changed and not writing.id and not is_as(note, writing):
        # The answer to the first save was lost, and more was typed since.
        return written(repository, replace(writing, id=note.id, version=note.version))
    return note


def is_as(note: Note, writing: Writing) -> bool:
    """Whether ``note`` is what ``writing`` wants it to be."""
    return note.text == writing.text and note.signed == writing.sign


def _command(writing: Writing) -> Command:
    if writing.id:
        return Patch("DocumentReference", lambda now: _changed(now, writing), id=writing.id, if_match=writing.version)
    return Create(_document(writing), f"identifier={ENTRIES}|{writing.key}", full_url=f"urn:uuid:{writing.key}")


def _changed(now: Json, writing: Writing) -> Json:
    if now.get("docStatus") in _SIGNED:
        raise BusinessRule("This note is signed and cannot be changed any more; write another one.")
    return {**now, "docStatus": _status(writing), "date": writing.at, "content": [_content(writing)]}


def _document(writing: Writing) -> Json:
    made: Json = {
        "resourceType": "DocumentReference",
        "identifier": [{"system": ENTRIES, "value": writing.key}],
        "status": "current",
        "docStatus": _status(writing),
        "type": _TYPE,
        "category": [_CATEGORY],
        "subject": {"reference": writing.patient},
        "date": writing.at,
        "content": [_content(writing)],
        "context": {"encounter": [{"reference": writing.encounter}]},
    }
    return made | ({"author": [{"reference": writing.author}]} if writing.author else {})


def _status(writing: Writing) -> str:
    return "final" if writing.sign else "preliminary"


def _content(writing: Writing) -> Json:
    data = b64encode(writing.text.encode()).decode()
    return {"attachment": {"contentType": _PLAIN, "data": data, "title": "Visit note", "creation": writing.at}}


def provenance(targets: list[str], who: str, at: str) -> Json:
    """That ``who`` (a reference, '' where nobody is logged in) wrote ``targets`` on these pages."""
    agent = {"reference": who} if who else {"display": "Nobody is logged in"}
    return {
        "resourceType": "Provenance",
        "target": [{"reference": target} for target in targets],
        "recorded": at,
        "agent": [{"type": {"coding": [_AUTHOR]}, "who": agent}],
    }


_AUTHOR = {"system": "http://terminology.hl7.org/CodeSystem/provenance-participant-type", "code": "author"}
