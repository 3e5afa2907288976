"""OBX and NTE of a document to its contents: files as they are, lines of text joined.

HL7 v2.5.1 section 9.6 (MDM); official maps OBX[DocumentReference], ED[Attachment]. Text is text/plain with its escapes
read: the types that the official map names (application/text, text/hl7v2) are not registered, and nobody shows them.
"""

import base64
from typing import Final

from hl7_bridge.er7 import Segment, Value
from hl7_bridge.mapping.datatypes.attachments import encapsulated, media_type, pointer
from hl7_bridge.mapping.datatypes.texts import clean
from hl7_bridge.mapping.datatypes.times import date_time
from hl7_bridge.mapping.draft import Draft
from hl7_bridge.mapping.model import Resource
from hl7_bridge.mapping.orders import Result
from hl7_bridge.mapping.rows import OWN, SET_ID, Row, SegmentMap, ignored
from hl7_bridge.mapping.segments.notes import text

OBX: Final = SegmentMap(
    "OBX",
    "DocumentReference",
    (
        SET_ID,
        Row(2, "content"),
        Row(3, "content.attachment.title", origin=OWN),
        ignored(4, "Which part of the document it is; the order of the parts says the same."),
        Row(5, "content"),
        ignored(11, "The state of the document is TXA-17 and TXA-19."),
        Row(14, "content.attachment.creation", origin=OWN),
    ),
    official="OBX[DocumentReference]",
)

NTE: Final = SegmentMap(
    "NTE",
    "DocumentReference",
    (SET_ID, ignored(2, "Who wrote it; the author is in TXA."), Row(3, "content")),
    official="NTE[DocumentReference]",
)

_FILES: Final = {"ED": encapsulated, "RP": pointer}
_CODED: Final = frozenset({"CE", "CWE", "CNE", "CF"})


class _Contents:
    """The contents so far, and the lines of text that are still being joined."""

    def __init__(self, draft: Draft) -> None:
        self.draft = draft
        self.made: list[Resource] = []
        self.lines: list[str] = []
        self.about: tuple[str, Resource] = ("", {})

    def file(self, obx: Segment) -> None:
        """ED and RP, each repetition by itself."""
        self.flush()
        self.draft.place = "OBX-5"
        for value in obx.all(5):
            attachment = _FILES[obx.text(2)](value, self.draft)
            if attachment:
                self.made.append({"attachment": {**attachment, **_about(obx, self.draft)}})

    def text(self, obx: Segment) -> None:
        """One line or several; what follows under the same name goes on with it."""
        if self.lines and self.about[0] != obx[3]:
            self.flush()
        lines = [line for value in obx.all(5) if (line := _line(obx, value)) is not None]
        if not self.lines:
            self.about = (obx[3], _about(obx, self.draft))
        self.lines += lines

    def note(self, nte: Segment) -> None:
        """A comment belongs to the text before it."""
        words = text(nte)
        if words:
            self.lines.append(words)

    def flush(self) -> None:
        """End the text."""
        whole = "\n".join(self.lines)
        if whole.strip():
            data = base64.b64encode(whole.encode()).decode("ascii")
            self.made.append({"attachment": {"contentType": "text/plain", "data": data, **self.about[1]}})
        self.lines, self.about = [], ("", {})


def _line(obx: Segment, value: Value) -> str | None:
    if obx.text(2) in _CODED:
        return clean(value.text(9) or value.text(2) or value.text(1))
    return value.whole


def _about(obx: Segment, draft: Draft) -> Resource:
    found: Resource = {}
    title = clean(obx.text(3, 9) or obx.text(3, 2) or obx.text(3))
    if title:
        found["title"] = title
    at = date_time(obx.first(14), draft) if obx.has(14) else None
    if at:
        found["creation"] = at
    return found


def contents(results: list[Result], txa: Segment, draft: Draft) -> list[Resource]:
    """``content`` of the document; empty when the message brings none."""
    found = _Contents(draft)
    for result in results:
        if draft.trace is not None:
            draft.trace.uses(OBX, result.obx)
        if result.obx.text(2) in _FILES:
            found.file(result.obx)
        else:
            found.text(result.obx)
        for nte in result.notes:
            if draft.trace is not None:
                draft.trace.uses(NTE, nte)
            found.note(nte)
    found.flush()
    return found.made


def announced(txa: Segment) -> Resource:
    """What stands for a content that only was announced: its type."""
    kind = media_type(txa.text(3), txa.text(3, 2))
    return {"attachment": {"contentType": kind} if kind else {"title": "not sent"}}
