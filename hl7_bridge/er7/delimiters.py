"""The characters that separate: what MSH-1 and MSH-2 declare.

HL7 v2.5.1 section 2.5.4; the truncation character is of v2.7.
"""

from functools import lru_cache
from typing import NamedTuple

from hl7_bridge.errors import FIELD_MISSING, SEGMENT_SEQUENCE, Place, Unreadable

NULL = '""'
"""A field that says: delete what you have."""

DECLARING = frozenset({"MSH", "FHS", "BHS"})
"""Segments whose first field is the field separator itself and whose second declares the others."""

_USUAL = "^~\\&"


class Delimiters(NamedTuple):
    """The characters MSH-1 and MSH-2 declare; ``truncation`` (v2.7) is empty when there is none."""

    field: str = "|"
    component: str = "^"
    repetition: str = "~"
    escape: str = "\\"
    subcomponent: str = "&"
    truncation: str = ""

    @property
    def encoding(self) -> str:
        """MSH-2."""
        return self.component + self.repetition + self.escape + self.subcomponent + self.truncation


def declared(text: str, name: str) -> Delimiters:
    """The delimiters that the header segment ``name`` at the start of ``text`` declares; those it leaves out are the
    usual ones. Raises Unreadable."""
    return _declared(text[:20], name)


@lru_cache(maxsize=256)
def _declared(text: str, name: str) -> Delimiters:
    if not text.startswith(name):
        raise Unreadable(SEGMENT_SEQUENCE, f"A message begins with {name}; this one begins otherwise.", Place(name))
    separator = text[3:4]
    if not _is_mark(separator):
        raise Unreadable(FIELD_MISSING, f"{name}-1 must be the field separator, such as |.", Place(name, 1, 1))
    encoding = _single(text[4:].split("\r", 1)[0].split("\n", 1)[0].split(separator, 1)[0])
    marks = (encoding[:4] + _USUAL[len(encoding) :])[:4]
    if len({separator, *marks}) != 5 or not all(map(_is_mark, marks)):
        raise Unreadable(
            FIELD_MISSING,
            f"{name}-2 must be four different delimiters, such as {_USUAL}.",
            Place(name, 1, 2),
        )
    truncation = encoding[4:5]
    known = _is_mark(truncation) and truncation not in separator + marks
    return Delimiters(separator, marks[0], marks[1], marks[2], marks[3], truncation if known else "")


def _single(encoding: str) -> str:
    """Without the second backslash of senders that escaped MSH-2 once more for their own programming language."""
    return encoding[:3] + encoding[4:] if encoding[2:4] == "\\\\" else encoding


def _is_mark(character: str) -> bool:
    return (
        character.isprintable() and not character.isalnum() and not character.isspace() and character not in ('"', "")
    )
