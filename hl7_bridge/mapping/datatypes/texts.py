"""Texts: ST, TX, FT and the text of a coded value.

HL7 v2.5.1 sections 2A.74 (ST), 2A.79 (TX), 2A.31 (FT).
"""

import re

from hl7_bridge.er7 import Value
from hl7_bridge.mapping.reading import Reading

# FHIR strings hold no control characters but tab, carriage return and line feed.
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f]")


def string(value: Value, reading: Reading) -> str | None:
    """All of the field as one text; None when it is only spaces."""
    return clean(value.whole)


def first(value: Value, reading: Reading) -> str | None:
    """The first component."""
    return clean(value.text(1))


def text_of(value: Value, reading: Reading) -> str | None:
    """What a coded value says in words: the original text, else the text, else the code."""
    return clean(value.text(9) or value.text(2) or value.text(1))


def clean(text: str) -> str | None:
    """``text`` as FHIR takes it: no control characters, no space around; None when nothing is left."""
    return (text if text.isprintable() else _CONTROL.sub("", text)).strip() or None


def joined(value: Value) -> str:
    """A value whose type says text though the sender used components: nothing of it is lost."""
    return value.whole
