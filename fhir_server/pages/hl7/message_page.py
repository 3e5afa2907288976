"""One message: its lines beside each field's fate, what it made, its acknowledgement, its replays; and to edit it.

HL7 v2.5.1 section 2.5. Each look is in the audit trail before anything is shown.
"""

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import msgspec
from flask import Response, request

from fhir_server.pages.hl7.desk import Desk, no_message
from hl7_bridge.er7.charsets import decode
from hl7_bridge.errors import Hl7Error
from hl7_bridge.inspection import Inspection, Line, inspect, made
from hl7_bridge.journal import Entry
from hl7_bridge.mapping.model import Trace
from resources.errors import NotFound

LINES = 400
"""Segments that are shown; a message with more is read whole at the terminal."""
LONGEST = 2000
"""Characters of a segment, and a tenth as many of a value, that are shown: documents are embedded in some."""
EDITABLE = 400_000
"""Bytes of a message that fits into the form."""
_PLACE = re.compile(r"-([0-9]+)(?:\[([0-9]+)\])?(?:\.([0-9]+))?(?:\.([0-9]+))?$")


class Field(NamedTuple):
    """One populated field: its place, what it says and what became of that."""

    place: str
    value: str
    fate: str
    target: str
    reason: str


class Row(NamedTuple):
    """One segment as it is shown; ``hidden`` is how many characters are not."""

    name: str
    text: str
    hidden: int
    fields: Sequence[Field]


def message(desk: Desk, id: int, *, error: str = "") -> Response:
    """GET /hl7/messages/<id>"""
    entry = _entry(desk, id)
    desk.console.tell(desk.visitor, [entry.id], "show")
    journal, repository = desk.console.journal, desk.console.repository_of(desk.visitor.caller)
    seen = inspect(journal, repository, desk.console.senders()(entry.sender), entry.id)
    if seen is None:
        raise no_message()
    return desk.page(
        "message.html",
        400 if error else 200,
        tab="messages",
        heading=f"Message {entry.id}",
        entry=entry,
        fault=seen.fault,
        rows=list(rows(seen.lines[:LINES])),
        more=len(seen.lines) - LINES,
        made=[reference.split("/_history/") for reference in seen.made],
        ack=[line for line in entry.ack.decode("utf-8", "replace").split("\r") if line.strip()],
        repeats=journal.repeats(entry),
        counts=counts(seen),
        editable=entry.direction == "in" and entry.state != "received" and entry.size <= EDITABLE,
        **({"error": error} if error else {}),
    )


def _entry(desk: Desk, id: int) -> Entry:
    entry = desk.console.journal.read(id) if id < 1 << 63 else None
    if entry is None:
        raise no_message()
    return entry


def counts(seen: Inspection) -> dict[str, int]:
    """How many fields had which fate."""
    found = {"mapped": 0, "ignored": 0, "kept": 0}
    for line in seen.lines:
        for trace in line.fates:
            found[trace.fate.value] += 1
    return found


def rows(lines: Sequence[Line]) -> Iterator[Row]:
    """``lines`` as they are shown."""
    first = lines[0].text if lines else ""
    marks = first[3:6] if len(first) > 5 else "|^~"
    field, component, repetition = marks[0], marks[1], marks[2]
    for line in lines:
        split = line.text.split(field)
        # MSH-1 is the separator itself, so that the fields of MSH (and of batches) count from one place later.
        values = [line.name, field, *split[1:]] if line.name in ("MSH", "FHS", "BHS") else split
        fields = [_field(trace, values, component, repetition) for trace in line.fates]
        yield Row(line.name, line.text[:LONGEST], max(0, len(line.text) - LONGEST), fields)


def _field(trace: Trace, values: Sequence[str], component: str, repetition: str) -> Field:
    value = _value(trace.place, values, component, repetition)
    shown = value if len(value) <= LONGEST // 10 else f"{value[: LONGEST // 10]}…"
    return Field(trace.place, shown, trace.fate.value, trace.target, trace.reason)


def _value(place: str, values: Sequence[str], component: str, repetition: str) -> str:
    """What stands at ``place``: the field, or one repetition or component of it."""
    found = _PLACE.search(place)
    if not found or int(found[1]) >= len(values):
        return ""
    value = values[int(found[1])]
    if found[2] or found[3]:
        value = _part(value, repetition, int(found[2] or 1))
    return _part(value, component, int(found[3])) if found[3] else value


def _part(text: str, mark: str, number: int) -> str:
    parts = text.split(mark)
    return parts[number - 1] if number <= len(parts) else ""


def replay(desk: Desk, id: int) -> Response:
    """POST /hl7/messages/<id>/replay"""
    entry = _entry(desk, id)
    try:
        done = desk.console.again(desk.visitor, [entry])
    except Hl7Error as refused:
        return message(desk, id, error=str(refused))
    word = "resent" if entry.direction == "out" else "replayed"
    return desk.go(f"/hl7/messages/{id}", done=word if done else "waits")


def set_aside(desk: Desk, id: int) -> Response:
    """POST /hl7/messages/<id>/set-aside"""
    done = desk.console.set_aside(desk.visitor, _entry(desk, id))
    return desk.go(f"/hl7/messages/{id}", done="aside" if done else "")


def edit(desk: Desk, id: int, *, text: str = "", error: str = "") -> Response:
    """GET /hl7/messages/<id>/edit"""
    entry = _editable(desk, id)
    if not text:
        desk.console.tell(desk.visitor, [entry.id], "show")
        text = _lines(desk.console.journal.raw(id), _charset(desk, entry))
    return desk.page(
        "edit.html",
        400 if error else 200,
        tab="messages",
        heading=f"Edit message {id}",
        entry=entry,
        text=text,
        error=error,
    )


def _editable(desk: Desk, id: int) -> Entry:
    entry = _entry(desk, id)
    if entry.direction != "in" or entry.size > EDITABLE:
        raise NotFound("Only a message that came in, and is not too large for a form, is edited here.")
    return entry


def _charset(desk: Desk, entry: Entry) -> str:
    sender = desk.console.senders()(entry.sender)
    return sender.charset if sender else ""


def _lines(raw: bytes, charset: str) -> str:
    """The message as text, a segment a line. What cannot be read by its character set is read byte by byte."""
    try:
        text = decode(raw, charset)[0]
    except Hl7Error:
        text = raw.decode("latin-1")
    return text.replace("\r\n", "\n").replace("\r", "\n").strip("\n")


def replay_edited(desk: Desk, id: int) -> Response:
    """POST /hl7/messages/<id>/edit"""
    entry = _editable(desk, id)
    text = request.form.get("text", "").replace("\r\n", "\n").strip("\n")
    try:
        raw = _bytes(text, desk.console.journal.raw(id), _charset(desk, entry))
        done = desk.console.again(desk.visitor, [entry], raw)
    except UnicodeEncodeError as refused:
        character = text[refused.start : refused.start + 1]
        return edit(desk, id, text=text, error=f"The character set of this message has no {character!r}.")
    except Hl7Error as refused:
        return edit(desk, id, text=text, error=str(refused))
    return desk.go(f"/hl7/messages/{id}", done="replayed" if done else "waits")


def _bytes(text: str, raw: bytes, charset: str) -> bytes:
    """``text`` in the character set of ``raw``. Raises UnicodeEncodeError."""
    try:
        codec = decode(raw, charset)[1]
    except Hl7Error:
        codec = "latin-1"
    return (text.replace("\n", "\r") + "\r").encode(codec)


def resource(desk: Desk, id: int, type: str, made: str, version: int) -> Response:
    """GET /hl7/messages/<id>/made/<type>/<id>/<version>: a version that the message made, as the visitor may see it."""
    entry = _entry(desk, id)
    reference = f"{type}/{made}/_history/{version}"
    repository = desk.console.repository_of(desk.visitor.caller)
    if reference not in _made(desk, entry):
        raise NotFound("The message made no such version.")
    text = msgspec.json.format(repository.vread(type, made, version).doc, indent=2).decode()
    return desk.page(
        "resource.html",
        tab="messages",
        heading=f"{type}/{made}",
        entry=entry,
        version=version,
        text=text,
    )


def _made(desk: Desk, entry: Entry) -> tuple[str, ...]:
    return made(desk.console.repository_of(desk.visitor.caller), entry)
