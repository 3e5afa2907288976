"""Control characters: FHIR strings hold none, so maps read a message without them; the journal keeps it as it came.

FHIR R4 string (https://hl7.org/fhir/R4/datatypes.html#string); HL7 v2.5.1 section 2.7.6 (hexadecimal escapes).
"""

import re

from hl7_bridge.er7 import Message, Segment

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_JOINED_MAX = 1 << 16
"""Characters of a segment that are looked at in one piece; a large field is not copied for it."""
_ESCAPED = re.compile(r"X(?:[01][0-9A-Fa-f]|7[Ff])+")


def without_controls(message: Message) -> Message:
    """``message`` itself, or a copy without control characters, written as they are or as hexadecimal escapes.

    Line ends and tabs in escapes stay what people meant: the end of a line, and a space.
    """
    mark = message.delimiters.escape
    hexadecimal = mark + "X"
    if all(_is_clean(segment, hexadecimal) for segment in message.segments):
        return message
    segments = [
        Segment(each.name, [_cleaned(text, mark) for text in each.raw], each.index, each.delimiters)
        for each in message.segments
    ]
    return Message(segments, message.delimiters, message.charset)


def _is_clean(segment: Segment, hexadecimal: str) -> bool:
    raw = segment.raw
    if sum(map(len, raw)) <= _JOINED_MAX:
        line = "|".join(raw)
        return line.isprintable() and hexadecimal not in line
    return all(map(str.isprintable, raw)) and not any(hexadecimal in text for text in raw)


def _cleaned(text: str, mark: str) -> str:
    text = _CONTROL.sub("", text.replace("\t", " "))
    if not mark or mark + "X" not in text:
        return text
    parts = text.split(mark)
    # Between two marks stands a sequence, so every second part is one.
    for at in range(1, len(parts) - 1, 2):
        if _ESCAPED.fullmatch(parts[at]):
            parts[at] = _meaning(parts[at])
    return mark.join(parts)


def _meaning(code: str) -> str:
    """A sequence of control characters as one without: a line end is one, anything else is nothing to see."""
    digits = code[1:].upper()
    pairs = {digits[at : at + 2] for at in range(0, len(digits), 2)}
    return ".br" if pairs & {"0A", "0D"} else ".sk1" if "09" in pairs else "N"
