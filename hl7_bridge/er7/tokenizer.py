"""Bytes to tokens: finds the delimiters, the segments and their fields; bad structure is no error here.

HL7 v2.5.1 sections 2.5.4 (delimiters), 2.6 (construction rules); line ends CR, LF and CRLF are all taken.
"""

import re

from hl7_bridge.er7.charsets import decode
from hl7_bridge.er7.delimiters import Delimiters
from hl7_bridge.er7.message import Message, Segment
from hl7_bridge.errors import FIELD_MISSING, SEGMENT_SEQUENCE, TOO_LONG, Place, Unreadable

SEGMENTS_MAX = 100_000
"""Segments of one message."""

_NAME = re.compile(r"[A-Z][A-Z0-9]{2}")
_LINE_ENDS = re.compile(r"\r\n|\n\r|\n")
_DECLARING = ("MSH", "FHS", "BHS")


def parse(raw: bytes, fallback: str = "") -> Message:
    """One message. ``fallback`` is the Python codec when MSH-18 is silent. Raises Unreadable, and nothing else.

    Lines that start with no segment name are kept as segments of the name ``???`` in their place.
    """
    text, charset = decode(raw, fallback)
    return tokens(text, charset)


def tokens(text: str, charset: str = "utf-8") -> Message:
    """The message in ``text``. Raises Unreadable."""
    text = text.lstrip("\r\n \t\x0b\ufeff")
    if "\n" in text:
        text = _LINE_ENDS.sub("\r", text)
    marks = delimiters(text, "MSH")
    lines = [line for line in text.split("\r") if line.strip("\x1c\x00 ")]
    if len(lines) > SEGMENTS_MAX:
        raise Unreadable(TOO_LONG, f"The message has {len(lines)} segments; at most {SEGMENTS_MAX} are taken.")
    return Message([segment(line, index, marks) for index, line in enumerate(lines)], marks, charset)


def segment(line: str, index: int, marks: Delimiters) -> Segment:
    """One line as a segment."""
    fields = line.split(marks.field)
    name = fields[0]
    if not _NAME.fullmatch(name):
        return _unnamed(line, fields, index, marks)
    if name in _DECLARING:
        fields.insert(1, marks.field)
    return Segment(name, fields, index, marks)


UNNAMED = "???"


def _unnamed(line: str, fields: list[str], index: int, marks: Delimiters) -> Segment:
    """A line without a name: spaces around one, or text of a broken field before it."""
    name = fields[0].strip()
    if _NAME.fullmatch(name):
        return Segment(name, [name, *fields[1:]], index, marks)
    return Segment(UNNAMED, [UNNAMED, line], index, marks)


def delimiters(text: str, name: str) -> Delimiters:
    """The delimiters that the header segment ``name`` at the start of ``text`` declares. Raises Unreadable."""
    if not text.startswith(name):
        begins = text[:3] if text[:3].isalnum() else ""
        raise Unreadable(
            SEGMENT_SEQUENCE, f"A message begins with {name}; this one begins with {begins!r}.", Place(name)
        )
    separator = text[3:4]
    encoding = text[4:].split(separator, 1)[0].split("\r", 1)[0] if separator else ""
    if not separator or separator.isalnum() or separator.isspace():
        raise Unreadable(FIELD_MISSING, f"{name}-1 must be the field separator, such as |.", Place(name, 1, 1))
    marks = (encoding[:5] + "^~\\&"[len(encoding) :])[:5]
    if len(set(separator + marks)) != len(separator + marks) or any(c.isalnum() or c.isspace() for c in marks):
        raise Unreadable(
            FIELD_MISSING,
            f"{name}-2 is {encoding[:8]!r}; expected four different delimiters, such as ^~\\&.",
            Place(name, 1, 2),
        )
    return Delimiters(separator, marks[0], marks[1], marks[2], marks[3], marks[4:5])
