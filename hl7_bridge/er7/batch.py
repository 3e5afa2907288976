"""Files and batches: cut into their messages with the counts checked, put together for a reply, and continuations.

HL7 v2.5.1 sections 2.10.3 (batch protocol: FHS, BHS, BTS, FTS) and 2.10.2 (continuation: DSC, ADD, MSH-14).
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from hl7_bridge.er7.delimiters import declared
from hl7_bridge.er7.message import Message, Segment
from hl7_bridge.er7.serializer import Fields, build
from hl7_bridge.er7.tokenizer import AROUND, segment
from hl7_bridge.errors import CARDINALITY, DATA_TYPE, SEGMENT_SEQUENCE, Hl7Error, Malformed, Place, Unreadable

_WIDE = ((b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"), (b"M\0S\0H\0", "utf-16-le"), (b"\0M\0S\0H", "utf-16-be"))
_LINE = re.compile(rb"[^\r\n]+")
_NAMES = re.compile(rb"(?:MSH|FHS|BHS|BTS|FTS)(?![A-Za-z0-9 \t])")
_FRAMING = b" \t\x00\x0b\x0c\x1c\xef\xbb\xbf"
_FRAMING_MOST = 16
"""Bytes of framing and marks that may stand before a name in its line."""
_AROUND = AROUND.encode() + b"\xef\xbb\xbf"


@dataclass(slots=True)
class Batch:
    """Messages between one BHS and its BTS; ``header`` is None for messages that stand alone."""

    header: Segment | None = None
    trailer: Segment | None = None
    messages: list[bytes] = field(default_factory=list)


@dataclass(slots=True)
class File:
    """What came in one piece. ``problems`` tell what of the envelope is wrong; ``loose`` are lines of no message."""

    header: Segment | None = None
    trailer: Segment | None = None
    batches: list[Batch] = field(default_factory=list)
    problems: list[Hl7Error] = field(default_factory=list)
    loose: list[bytes] = field(default_factory=list)

    @property
    def messages(self) -> list[bytes]:
        """All messages in the order they came."""
        return [message for batch in self.batches for message in batch.messages]


def is_several(raw: bytes) -> bool:
    """Whether ``raw`` is a batch, a file, or several messages one after the other: then ``split`` must come first, for
    read as one message its patients and results would run together."""
    head = raw[:64].lstrip(_AROUND)
    inner = b"MSH" + head[3:4]
    return head[:3] in (b"FHS", b"BHS") or b"\r" + inner in raw or b"\n" + inner in raw


def split(raw: bytes) -> File:
    """``raw`` cut at every MSH that begins a line; a single message is a File of one. Raises Unreadable when there is
    no message and no envelope in it."""
    raw = _narrow(raw)
    starts = list(_starts(raw))
    if not starts:
        raise Unreadable(SEGMENT_SEQUENCE, "There is no MSH, BHS or FHS at the start of any line.", Place("MSH"))
    file = File()
    _loose(file, raw[: starts[0]])
    if len(starts) == 1 and not file.loose and raw[starts[0] :].lstrip(_AROUND)[:3] == b"MSH":
        file.batches.append(Batch(messages=[raw]))
        return file
    for start, end in zip(starts, [*starts[1:], len(raw)], strict=True):
        piece = raw[start:end].lstrip(_AROUND)
        _TAKERS.get(piece[:3], _message)(file, piece)
    _check(file)
    return file


def _narrow(raw: bytes) -> bytes:
    """Two bytes a character make cutting at bytes unsafe: read once, written in UTF-8."""
    codec = next((codec for mark, codec in _WIDE if raw.startswith(mark)), "")
    try:
        return raw.decode(codec).encode() if codec else raw
    except UnicodeDecodeError:
        raise Unreadable(DATA_TYPE, f"The bytes are not {codec}, which their first two say.") from None


def _starts(raw: bytes) -> Iterator[int]:
    """Where the lines begin that have one of the names first."""
    for found in _NAMES.finditer(raw):
        at = found.start()
        before = raw[max(at - _FRAMING_MOST, 0) : at]
        line = before.rstrip(_FRAMING)
        if line.endswith((b"\r", b"\n")) or (not line and at <= _FRAMING_MOST):
            yield at - len(before) + len(line)


def _loose(file: File, lines: bytes) -> None:
    found = [line for line in _LINE.findall(lines) if line.strip(_AROUND)]
    if found:
        file.loose.extend(found)
        file.problems.append(Malformed(SEGMENT_SEQUENCE, f"{len(found)} lines belong to no message."))


def _message(file: File, piece: bytes) -> None:
    if not file.batches or file.batches[-1].trailer:
        file.batches.append(Batch())
    file.batches[-1].messages.append(piece)


def _envelope(piece: bytes, file: File) -> Segment:
    """The first line of ``piece`` as a segment; what follows it before the next message is loose."""
    line, _, rest = piece.replace(b"\n", b"\r").partition(b"\r")
    _loose(file, rest)
    text = line.decode("utf-8", "replace").rstrip(AROUND)
    name = text[:3]
    if name in ("BHS", "FHS"):
        return segment(text, 0, declared(text, name))
    headers = (file.batches[-1].header if file.batches else None, file.header)
    return segment(
        text, 0, next((each.delimiters for each in headers if each), declared(f"{name}{text[3:4] or '|'}", name))
    )


def _file_header(file: File, piece: bytes) -> None:
    header = _envelope(piece, file)
    if file.header or file.batches:
        file.problems.append(Malformed(SEGMENT_SEQUENCE, "FHS stands within the file.", Place("FHS")))
    file.header = file.header or header


def _batch_header(file: File, piece: bytes) -> None:
    if file.batches and file.batches[-1].header and not file.batches[-1].trailer:
        place = Place("BTS", len(file.batches))
        file.problems.append(Malformed(SEGMENT_SEQUENCE, "The batch has no end: BTS is missing.", place))
    file.batches.append(Batch(_envelope(piece, file)))


def _batch_trailer(file: File, piece: bytes) -> None:
    trailer = _envelope(piece, file)
    batch = file.batches[-1] if file.batches else None
    if not batch or batch.trailer or not batch.header:
        file.problems.append(Malformed(SEGMENT_SEQUENCE, "BTS ends a batch that no BHS began.", Place("BTS")))
    if batch and not batch.trailer:
        batch.trailer = trailer
        _count(file, trailer, len(batch.messages), Place("BTS", len(file.batches), 1))


def _file_trailer(file: File, piece: bytes) -> None:
    trailer = _envelope(piece, file)
    if file.trailer or not file.header:
        file.problems.append(Malformed(SEGMENT_SEQUENCE, "FTS ends a file that no FHS began.", Place("FTS")))
    file.trailer = file.trailer or trailer
    _count(file, trailer, sum(batch.header is not None for batch in file.batches), Place("FTS", 1, 1))


_TAKERS = {b"FHS": _file_header, b"BHS": _batch_header, b"BTS": _batch_trailer, b"FTS": _file_trailer}


def _count(file: File, trailer: Segment, there: int, place: Place) -> None:
    """The trailer's own count, where it gives one."""
    said = trailer.text(1)
    if said and not (said.isascii() and said.isdigit()):
        file.problems.append(Malformed(DATA_TYPE, f"{place} is no number.", place))
    elif said and int(said[:12]) != there:
        file.problems.append(Malformed(CARDINALITY, f"{place} says {int(said[:12])}, there are {there}.", place))


def _check(file: File) -> None:
    """Ends that never came: the rest may be lost on the way."""
    if file.batches and file.batches[-1].header and not file.batches[-1].trailer:
        place = Place("BTS", len(file.batches))
        file.problems.append(Malformed(SEGMENT_SEQUENCE, "The batch has no end: BTS is missing.", place))
    if file.header and not file.trailer:
        file.problems.append(Malformed(SEGMENT_SEQUENCE, "The file has no end: FTS is missing.", Place("FTS")))


def enveloped(header: Fields, messages: Sequence[bytes], comment: str = "", codec: str = "utf-8") -> bytes:
    """One batch: BHS with ``header``, ``messages`` as they are, and BTS with their count."""
    end = build([("BTS", {1: len(messages), 2: comment})], codec=codec)
    return build([("BHS", header)], codec=codec) + b"".join(messages) + end


def filed(header: Fields, batches: Sequence[bytes], codec: str = "utf-8") -> bytes:
    """One file of ``batches`` that ``enveloped`` made."""
    return build([("FHS", header)], codec=codec) + b"".join(batches) + build([("FTS", {1: len(batches)})], codec=codec)


def pointer(message: Message) -> str:
    """DSC-1 of a message that another continues; '' when it is whole."""
    last = message.segments[-1]
    return last.first(1).whole if last.name == "DSC" else ""


def continues(message: Message) -> str:
    """MSH-14: the pointer of the message that this one continues; '' when it begins."""
    return message.msh.first(14).whole


def joined(parts: Sequence[Message]) -> Message:
    """The message that ``parts`` are pieces of, in order: their segments without DSC and without the later MSH; an ADD
    goes on with the field that the piece before it broke off. Raises Malformed when the pointers do not fit."""
    for before, after in pairwise(parts):
        if not pointer(before) or pointer(before) != continues(after):
            text = "MSH-14 is not the continuation pointer of the message before."
            raise Malformed(SEGMENT_SEQUENCE, text, Place("MSH", 1, 14))
    first, segments = parts[0], list[Segment]()
    for part in parts:
        for each in part.segments[1 if segments else 0 :]:
            _append(segments, each)
        if segments[-1].name == "DSC":
            segments.pop()
    return Message(segments, first.delimiters, first.charset)


def _append(segments: list[Segment], each: Segment) -> None:
    if each.name == "ADD":
        # The empty ADD that ends a broken segment says only that the rest follows.
        last, (text, *more) = segments[-1], [*each.raw[1:], ""] if len(each.raw) < 2 else each.raw[1:]
        raw = [*last.raw[:-1], last.raw[-1] + text, *more] if each.raw[1:] else last.raw
        segments[-1] = Segment(last.name, raw, last.index, last.delimiters)
    else:
        segments.append(Segment(each.name, each.raw, len(segments), each.delimiters))
