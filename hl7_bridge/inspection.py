"""One message as people look at it: its lines, the fate of each field, and the versions it made.

HL7 v2.5.1 section 2.5; FHIR R4 Provenance names what a message made.
"""

from dataclasses import dataclass

from hl7_bridge.er7 import Message, parse
from hl7_bridge.er7.serializer import written
from hl7_bridge.errors import Hl7Error
from hl7_bridge.journal import SqlJournal
from hl7_bridge.journal.reading import Entry
from hl7_bridge.mapping.account import account
from hl7_bridge.mapping.model import Trace
from hl7_bridge.record import Source
from hl7_bridge.site.model import DEFAULT, Sender
from resources import json_codec
from resources.repository import Repository, SearchRequest

URI_SYSTEM = "urn:ietf:rfc:3986"
MOST_VERSIONS = 500


@dataclass(frozen=True, slots=True)
class Line:
    """One segment as it came, and what became of its fields."""

    name: str
    text: str
    fates: tuple[Trace, ...]


@dataclass(frozen=True, slots=True)
class Inspection:
    """``lines`` are empty and ``fault`` says why when the bytes cannot be read; ``made`` are references to versions
    (``Observation/1/_history/2``), oldest first."""

    entry: Entry
    lines: tuple[Line, ...]
    made: tuple[str, ...]
    fault: str = ""


def inspect(journal: SqlJournal, repository: Repository, sender: Sender | None, id: int) -> Inspection | None:
    """Message ``id`` as ``repository``'s caller may see it; None when there is none."""
    entry = journal.read(id)
    if entry is None:
        return None
    try:
        message = parse(journal.raw(id), (sender or DEFAULT).charset or "latin-1")
    except Hl7Error as error:
        return Inspection(entry, (), (), str(error))
    traces = account(message, sender or DEFAULT) if entry.direction == "in" else []
    return Inspection(entry, lines(message, traces), made(repository, entry))


def lines(message: Message, traces: list[Trace]) -> tuple[Line, ...]:
    """The segments of ``message``, each with its part of ``traces``."""
    fates: dict[str, list[Trace]] = {}
    for trace in traces:
        fates.setdefault(trace.place.partition("-")[0], []).append(trace)
    places = (str(message.place(segment)) for segment in message.segments)
    return tuple(
        Line(segment.name, written(segment), tuple(fates.get(place, ())))
        for segment, place in zip(message.segments, places, strict=True)
    )


def made(repository: Repository, entry: Entry) -> tuple[str, ...]:
    """The versions whose Provenance names the message."""
    uri = Source(entry.sender, entry.control_id, entry.received).uri
    asked = (("entity:identifier", f"{URI_SYSTEM}|{uri}"), ("_count", str(MOST_VERSIONS)))
    found = repository.search(SearchRequest("Provenance", asked))
    provenances = (json_codec.decode_stored(hit.version.doc) for hit in found.hits)
    return tuple(sorted({target["reference"] for each in provenances for target in each["target"]}))
