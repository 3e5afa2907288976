"""Tokens to text: messages built from values, where every leaf is escaped, and read messages written as they came.

HL7 v2.5.1 sections 2.6 (construction rules) and 2.7 (escape sequences).
"""

import re
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Final

from hl7_bridge.er7.charsets import table_0211
from hl7_bridge.er7.delimiters import DECLARING, NULL, Delimiters
from hl7_bridge.er7.escapes import escape, sequence
from hl7_bridge.er7.message import Message, Segment
from hl7_bridge.er7.tokenizer import UNNAMED


class _Delete:
    """The null value, which no text can be mistaken for."""

    def __repr__(self) -> str:
        return "DELETE"


DELETE: Final = _Delete()
"""A field that says: delete what you have."""

Leaf = str | int | Decimal | None
Component = Leaf | tuple[Leaf, ...]
"""A leaf, or its sub-components."""
Repetition = Leaf | _Delete | tuple[Component, ...]
"""A leaf, or its components."""
Field = Repetition | list[Repetition]
"""A list repeats; a tuple within it, or by itself, has components; a tuple within that has sub-components."""
Fields = Mapping[int, Field]
"""Fields by number. MSH-1 and MSH-2 (and those of FHS and BHS) are written from the delimiters."""

USUAL = Delimiters()
_NAME = re.compile(r"[A-Z][A-Z0-9]{2}")
_MOST_FIELDS = 999


def build(segments: Iterable[tuple[str, Fields]], marks: Delimiters = USUAL, codec: str = "utf-8") -> bytes:
    """The message (or batch envelope) of ``segments``, each ended by CR, in ``codec`` (a Python codec).

    Characters the codec does not have are written as hexadecimal sequences. Raises ValueError or TypeError for a
    segment name, field number or value that can be no part of a message: a fault of the caller.
    """
    return encoded("".join(line(name, fields, marks) + "\r" for name, fields in segments), codec, marks)


def line(name: str, fields: Fields, marks: Delimiters = USUAL) -> str:
    """One segment without its end."""
    if not _NAME.fullmatch(name):
        raise ValueError(f"{name!r} is no segment name.")
    first = 3 if name in DECLARING else 1
    if any(not first <= number <= _MOST_FIELDS for number in fields):
        raise ValueError(f"{name} has fields {first} to {_MOST_FIELDS}, not {sorted(fields)}.")
    head = [name, marks.encoding] if first == 3 else [name]
    texts = [_field(fields.get(number), marks) for number in range(first, max(fields, default=0) + 1)]
    while texts and not texts[-1]:
        texts.pop()
    return marks.field.join(head + texts)


def _field(value: Field, marks: Delimiters) -> str:
    if isinstance(value, list):
        return marks.repetition.join(_repetition(each, marks) for each in value).rstrip(marks.repetition)
    return _repetition(value, marks)


def _repetition(value: Repetition, marks: Delimiters) -> str:
    if isinstance(value, _Delete):
        return NULL
    if isinstance(value, tuple):
        return marks.component.join(_component(each, marks) for each in value).rstrip(marks.component)
    return _leaf(value, marks)


def _component(value: Component, marks: Delimiters) -> str:
    if isinstance(value, tuple):
        return marks.subcomponent.join(_leaf(each, marks) for each in value).rstrip(marks.subcomponent)
    return _leaf(value, marks)


def _leaf(value: Leaf, marks: Delimiters) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        return escape(value, marks)
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        raise TypeError(f"A leaf is text or a number, not {type(value).__name__}.")
    return escape(f"{value:f}" if isinstance(value, Decimal) else str(value), marks)


def encoded(text: str, codec: str, marks: Delimiters = USUAL) -> bytes:
    """``text`` in ``codec``; what the codec does not have becomes a hexadecimal sequence."""
    try:
        return text.encode(codec)
    except UnicodeEncodeError:
        return "".join(each if _holds(codec, each) else sequence(each, marks) for each in text).encode(codec)


def _holds(codec: str, character: str) -> bool:
    try:
        character.encode(codec)
    except UnicodeEncodeError:
        return False
    return True


def msh_18(codec: str) -> str | None:
    """MSH-18 for a message written in ``codec``."""
    return table_0211(codec) or None


def as_it_came(message: Message) -> bytes:
    """A message that was read and not changed: the same characters, in the same character set, each segment ended by
    CR and nothing around it."""
    return "".join(written(segment) + "\r" for segment in message.segments).encode(message.charset)


def written(segment: Segment) -> str:
    """The line a segment came from."""
    if segment.name == UNNAMED:
        return segment.raw[1]
    fields = segment.raw
    return segment.delimiters.field.join([fields[0], *fields[2:]] if segment.name in DECLARING else fields)
