"""Bytes to tokens: finds the delimiters, the segments and their fields; bad structure is no error here.

HL7 v2.5.1 sections 2.5.4 (delimiters), 2.6 (construction rules); line ends CR, LF and CRLF are all taken.
"""

import codecs
import re
from collections.abc import Iterator

from hl7_bridge.er7.charsets import decode
from hl7_bridge.er7.delimiters import DECLARING, Delimiters, declared
from hl7_bridge.er7.message import Message, Segment
from hl7_bridge.errors import CARDINALITY, TOO_LONG, Place, Unreadable

SEGMENTS_MAX = 100_000
"""Segments of one message."""
REPETITIONS_MAX = 50_000
"""Repetitions of one field."""
UNNAMED = "???"
"""The name of a segment made of a line that starts with none."""

AROUND = "\r\n \t\x00\x0b\x0c\x1c\ufeff"
"""What may stand before a message or in a line of its own and says nothing: line ends, framing, byte order marks."""

_NAME = re.compile(r"[A-Z][A-Z0-9]{2}")
_LINE_ENDS = re.compile(r"[\r\n]+")
_BEGINS = re.compile(r"[A-Z][A-Z0-9]{2}(?:[^A-Za-z0-9\s]|[\r\n]|$)|$")


def parse(raw: bytes, fallback: str = "") -> Message:
    """One message. ``fallback`` is the Python codec when MSH-18 is silent. Raises Unreadable, and nothing else.

    Lines that start with no segment name are kept as segments of the name ``???`` in their place; a second MSH is a
    segment like any other (``hl7_bridge.er7.batch`` splits files).
    """
    message = _with_large_fields(raw, fallback) if len(raw) > _LARGE else None
    return message or tokens(*decode(raw, fallback))


def tokens(text: str, charset: str = "utf-8") -> Message:
    """The message in ``text``. Raises Unreadable."""
    text = text.lstrip(AROUND)
    marks = declared(text, "MSH")
    lines = [line for line in _ended(text).split("\r") if line and line.strip(AROUND)]
    if len(lines) > SEGMENTS_MAX:
        raise Unreadable(TOO_LONG, f"The message has {len(lines)} segments; at most {SEGMENTS_MAX} are taken.")
    message = Message(_segments(lines, marks), marks, charset)
    if text.count(marks.repetition) >= REPETITIONS_MAX:
        _limit_repetitions(message)
    return message


def _ended(text: str) -> str:
    """``text`` with every segment ended by one CR. Where CR alone ends the first segment, a line feed that no segment
    follows is part of a field."""
    if "\n" not in text:
        return text
    first = _LINE_ENDS.search(text)
    if not first or "\n" in first[0]:
        return _LINE_ENDS.sub("\r", text)
    return _LINE_ENDS.sub(lambda end: "\r" if "\r" in end[0] or _BEGINS.match(text, end.end()) else end[0], text)


def _segments(lines: list[str], marks: Delimiters) -> list[Segment]:
    """As ``segment`` does each, without a call for those whose name was seen before."""
    separator, known = marks.field, _KNOWN
    segments = []
    for index, line in enumerate(lines):
        fields = line.split(separator)
        if fields[0] in known:
            segments.append(Segment(fields[0], fields, index, marks))
        else:
            segments.append(segment(line, index, marks))
            if _NAME.fullmatch(fields[0]) and fields[0] not in DECLARING:
                known.add(fields[0])
    return segments


_KNOWN: set[str] = set()
"""Names of segments; there can be 33,696."""


def segment(line: str, index: int, marks: Delimiters) -> Segment:
    """One line as a segment."""
    fields = line.split(marks.field)
    name = fields[0]
    if not _NAME.fullmatch(name):
        return _unnamed(line, fields, index, marks)
    if name in DECLARING:
        fields.insert(1, marks.field)
    return Segment(name, fields, index, marks)


def _unnamed(line: str, fields: list[str], index: int, marks: Delimiters) -> Segment:
    """A line without a name: framing or spaces around one, or text of a broken field before it."""
    name = fields[0].strip(AROUND)
    if _NAME.fullmatch(name) and name not in DECLARING:
        return Segment(name, fields, index, marks)
    return Segment(UNNAMED, [UNNAMED, line], index, marks)


def _limit_repetitions(message: Message) -> None:
    mark = message.delimiters.repetition
    for each in message.segments:
        for field in each.populated():
            if each.raw[field].count(mark) >= REPETITIONS_MAX:
                text = f"The field has more than {REPETITIONS_MAX} repetitions."
                raise Unreadable(CARDINALITY, text, Place(each.name, 1, field))


_LARGE = 262_144
"""Bytes from which a message is looked through for large fields, and a quarter of it from which a field is one."""
_STAND_IN = "\x1a"
_BYTEWISE = re.compile(r"utf-8|ascii|latin-1|iso8859-\d+|cp125\d")
"""Character sets in which the bytes of delimiters are never part of another character."""


def outline(raw: bytes, fallback: str = "") -> Message | None:
    """The message without what the large fields of its OBX hold, which is sound and of its character set. None when it
    has none, or others are large, or it has to be read as a whole."""
    try:
        found = _outlined(raw, fallback) if len(raw) > _LARGE else None
    except Unreadable:
        return None
    if found is None or any(_STAND_IN in "".join(each.raw) for each in found[0].segments if each.name != "OBX"):
        return None
    message, spans = found
    return message if all(_is_sound(raw, span, message.charset) for span in spans) else None


def _is_sound(raw: bytes, span: tuple[int, int], charset: str) -> bool:
    """Whether the bytes are of ``charset``; looked at in pieces, for nobody needs their text yet."""
    decoder = codecs.getincrementaldecoder(charset)()
    try:
        with memoryview(raw) as view:
            for at in range(span[0], span[1], _PIECE):
                decoder.decode(view[at : min(at + _PIECE, span[1])])
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True


_PIECE = 1 << 16


def _with_large_fields(raw: bytes, fallback: str) -> Message | None:
    """The message, its large fields (documents) decoded one by one so that they are in memory once and not thrice;
    None when it has none, or is not fit for it."""
    try:
        found = _outlined(raw, fallback)
        if found is not None:
            message, spans = found
            view = memoryview(raw)
            _put_back(message, (str(view[start:end], message.charset) for start, end in spans))
            return message
    except (Unreadable, UnicodeDecodeError):
        pass  # read as a whole it tells the place of what is wrong
    return None


def _outlined(raw: bytes, fallback: str) -> tuple[Message, list[tuple[int, int]]] | None:
    """The message with a stand-in for each large field, and where those are. Raises Unreadable."""
    separator = raw[:64].lstrip(AROUND.encode())[3:4]
    if not separator or _STAND_IN.encode() in raw:
        return None
    spans = _large_spans(raw, separator)
    bounds = [0, *(end for span in spans for end in span), len(raw)]
    rest = _STAND_IN.encode().join(raw[start:end] for start, end in zip(bounds[::2], bounds[1::2], strict=True))
    text, charset = decode(rest, fallback) if spans else ("", "")
    return (tokens(text, charset), spans) if _BYTEWISE.fullmatch(charset) else None


def _large_spans(raw: bytes, separator: bytes) -> list[tuple[int, int]]:
    """Where the large fields begin and end. Looks for delimiters from the far end of a window, so that small fields
    are passed over together and the bytes of large ones looked at once."""
    ends, least = (separator, b"\r", b"\n"), _LARGE // 4
    spans, at = list[tuple[int, int]](), 0
    while at + least <= len(raw):
        last = max(raw.rfind(end, at, at + least) for end in ends)
        if last >= 0:
            at = last + 1
            continue
        stop = min((found for end in ends if (found := raw.find(end, at + least)) >= 0), default=len(raw))
        spans.append((at, stop))
        at = stop + 1
    return spans


def _put_back(message: Message, large: Iterator[str]) -> None:
    for each in message.segments:
        for number, field in enumerate(each.raw):
            if field == _STAND_IN:
                each.raw[number] = next(large)
            elif _STAND_IN in field:
                each.raw[number] = _STAND_IN_FOUND.sub(lambda _: next(large), field)


_STAND_IN_FOUND = re.compile(_STAND_IN)
