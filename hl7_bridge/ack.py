"""Acknowledgements: the message that says what came of another, also of bytes that are no message.

HL7 v2.5.1 section 2.9 (original and enhanced mode), MSA and ERR (2.15.8, 2.15.5), tables 0008, 0155, 0357 and 0516.
"""

import os
import re
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from itertools import count

from hl7_bridge.er7 import Message, Segment, Value
from hl7_bridge.er7.batch import File, enveloped, filed
from hl7_bridge.er7.delimiters import Delimiters, declared
from hl7_bridge.er7.serializer import Component, Field, Fields, Repetition, build
from hl7_bridge.er7.tokenizer import AROUND, segment
from hl7_bridge.errors import Hl7Error, Place, Unreadable
from hl7_bridge.ports import State
from hl7_bridge.verdict import Level, Verdict, is_due, is_enhanced, verdict_of

_HEADER_MOST = 8192
_ERRORS_MOST = 20
_MSA_3_MOST, _ERR_MOST = 80, 250
_CODES = "HL70357"
_ERR_2_SINCE, _MSG_3_SINCE, _EVENT_SINCE = (2, 5), (2, 3, 1), (2, 3)


def header_of(raw: bytes) -> Segment | None:
    """MSH of bytes that could not be read as a message, as far as it can be made out; None when there is none."""
    text = raw[:_HEADER_MOST].decode("utf-16" if raw[:2] in (b"\xff\xfe", b"\xfe\xff") else "ascii", "replace")
    text = text[max(text.find("MSH"), 0) :].lstrip(AROUND)
    try:
        marks = declared(text, "MSH")
    except Unreadable:
        return None
    return segment(re.split(r"[\r\n]", text, maxsplit=1)[0], 0, marks)


def _now() -> datetime:
    return datetime.now(UTC)


def _control_id() -> str:
    """20 characters: a word of this process and a number."""
    return f"{_word(os.getpid())}{next(_numbers):010x}"


@lru_cache(maxsize=1)
def _word(_process: int) -> str:
    return secrets.token_hex(5)


_numbers = count()


@dataclass(frozen=True, slots=True)
class Acknowledger:
    """Builds replies. ``application`` and ``facility`` are ours, used where the message does not say whom it is for;
    ``held`` is the verdict on a message that waits for a person."""

    application: str = "HEARTH"
    facility: str = ""
    held: Verdict = Verdict.ERROR
    now: Callable[[], datetime] = _now
    control_id: Callable[[], str] = _control_id

    def __call__(self, raw: bytes, message: Message | None, state: State, errors: Sequence[Hl7Error]) -> bytes:
        """The application acknowledgement of a message that ended as ``state``; b'' when none is due."""
        verdict = {
            State.HELD: self.held,
            State.REJECTED: Verdict.REJECTED,
            State.DEAD: Verdict.ERROR,
        }.get(state, Verdict.ACCEPTED)
        if state is State.REJECTED and errors:
            verdict = verdict_of(errors)
        return self.due(raw, message, Level.APPLICATION, verdict, errors)

    def accept(self, raw: bytes, message: Message | None, errors: Sequence[Hl7Error] = ()) -> bytes:
        """The accept acknowledgement, once the message is durable or refused; b'' when none is due."""
        return self.due(raw, message, Level.ACCEPT, verdict_of(errors), errors)

    def refusal(self, raw: bytes, message: Message | None, errors: Sequence[Hl7Error]) -> bytes:
        """The one answer to a message that is not taken, of the level that its sender waits for; b'' when it asked for
        none."""
        header = message.msh if message else header_of(raw)
        level = Level.ACCEPT if is_enhanced(header) else Level.APPLICATION
        return self.due(raw, message, level, verdict_of(errors), errors)

    def due(
        self, raw: bytes, message: Message | None, level: Level, verdict: Verdict, errors: Sequence[Hl7Error]
    ) -> bytes:
        """The reply if its sender asked for it, else b''."""
        header = message.msh if message else header_of(raw)
        if not is_due(header, level, verdict):
            return b""
        return self.reply(header, level, verdict, errors, message.charset if message else "ascii")

    def reply(
        self, header: Segment | None, level: Level, verdict: Verdict, errors: Sequence[Hl7Error], codec: str
    ) -> bytes:
        """The acknowledgement itself. ``errors`` beside ACCEPTED are warnings."""
        plain = header is not None and not errors and _PLAIN.fullmatch(header[10])
        pieces = _pieces(self.application, self.facility, level, verdict, _header_key(header), codec) if plain else ()
        if header is None or not pieces:
            return self._reply(header, level, verdict, errors, codec)
        told = (self._time().encode(), self.control_id().encode(), header[10].encode())
        return b"".join(part for pair in zip(pieces, (*told, b""), strict=True) for part in pair)

    def _reply(
        self, header: Segment | None, level: Level, verdict: Verdict, errors: Sequence[Hl7Error], codec: str
    ) -> bytes:
        marks = header.delimiters if header else Delimiters()
        version = _version(header)
        severity = "W" if verdict is Verdict.ACCEPTED else "E"
        told = list(errors[:_ERRORS_MOST])
        segments = [("MSH", self._msh(header, version)), ("MSA", _msa(header, level, verdict, told, version))]
        if version >= _ERR_2_SINCE:
            segments += [("ERR", _err(error, severity)) for error in told]
        elif told:
            segments.append(("ERR", {1: [_eld(error) for error in told]}))
        return build(segments, marks, codec)

    def _msh(self, header: Segment | None, version: tuple[int, ...]) -> Fields:
        event = header.text(9, 2) if header else ""
        kind: tuple[str, ...] = ("ACK", event, "ACK") if version >= _MSG_3_SINCE else ("ACK", event)
        enhanced = "NE" if is_enhanced(header) else None
        return self._sides(header, 3) | {
            7: self._time(),
            9: kind if version >= _EVENT_SINCE else "ACK",
            10: self.control_id(),
            11: _copied(header, 11) or "P",
            12: _copied(header, 12) or "2.5.1",
            15: enhanced,
            16: enhanced,
            18: _copied(header, 18),
        }

    def _sides(self, header: Segment | None, first: int) -> dict[int, Field]:
        """Sending and receiving application and facility, swapped."""
        return {
            first: _copied(header, first + 2) or self.application,
            first + 1: _copied(header, first + 3) or self.facility or None,
            first + 2: _copied(header, first),
            first + 3: _copied(header, first + 1),
        }

    def _time(self) -> str:
        return self.now().strftime("%Y%m%d%H%M%S%z")

    def batch(self, file: File, replies: Sequence[bytes]) -> bytes:
        """The answer to a file: a batch of replies for each of its batches, in a file if it was one. ``replies`` are
        one for each message in order, b'' where none is due; what is wrong with the envelope stands in BTS-2."""
        batches, at = [], 0
        problems = " ".join(error.text for error in file.problems[:_ERRORS_MOST])[:_ERR_MOST]
        for each in file.batches:
            mine = [reply for reply in replies[at : at + len(each.messages)] if reply]
            at += len(each.messages)
            batches.append(enveloped(self._envelope(each.header or file.header), mine, problems))
        batches = batches or [enveloped(self._envelope(file.header), [], problems)]
        return filed(self._envelope(file.header), batches) if file.header else b"".join(batches)

    def _envelope(self, header: Segment | None) -> Fields:
        """BHS or FHS: their fields have the same numbers."""
        return self._sides(header, 3) | {7: self._time(), 11: self.control_id(), 12: _copied(header, 11)}


# --- the same for every message of a sender but the time and two numbers

_PLAIN = re.compile(r"[A-Za-z0-9_.-]{1,199}")
_TIME, _OURS, _THEIRS = "HEARTHxTIME", "HEARTHxOURS", "HEARTHxTHEIRS"
_TOLD = (3, 4, 5, 6, 9, 11, 12, 15, 16, 18)
"""Fields of MSH that an answer repeats or depends on, beside MSH-10."""
_Header = tuple[Delimiters, tuple[str, ...]]


def _header_key(header: Segment | None) -> _Header:
    assert header is not None
    return header.delimiters, tuple(header[number] for number in _TOLD)


@lru_cache(maxsize=256)
def _pieces(
    application: str, facility: str, level: Level, verdict: Verdict, header: _Header, codec: str
) -> tuple[bytes, ...]:
    """An answer without errors, cut where the time, our control id and that of the message stand; () when it has to be
    built for each message: in two-byte character sets, or when a field holds what marks these places."""
    marks, fields = header
    raw = ["MSH", marks.field, "", *[""] * 16]
    for number, field in zip((*_TOLD, 10), (*fields, _THEIRS), strict=True):
        raw[number] = field
    stand_in = Acknowledger(application, facility, now=_Stands, control_id=lambda: _OURS)
    rest = stand_in._reply(Segment("MSH", raw, 0, marks), level, verdict, (), codec)
    pieces = []
    for mark in (_TIME, _OURS, _THEIRS):
        if rest.count(mark.encode()) != 1:
            return ()
        before, _, rest = rest.partition(mark.encode())
        pieces.append(before)
    return (*pieces, rest)


class _Stands(datetime):
    """In place of the time of an answer."""

    def __new__(cls) -> "_Stands":
        return super().__new__(cls, 2000, 1, 1)

    def strftime(self, _format: str) -> str:
        return _TIME


def _version(header: Segment | None) -> tuple[int, ...]:
    numbers = re.findall(r"\d{1,3}", header.text(12)[:12]) if header else []
    return tuple(map(int, numbers)) or (2, 5, 1)


def _copied(header: Segment | None, number: int) -> Field:
    """A field of the message, to be written again; None when it says nothing."""
    if header is None or not header[number]:
        return None
    written = _written if len(header[number]) <= _REMEMBERED else _written.__wrapped__
    return list(written(header[number], header.delimiters)) or None


_REMEMBERED = 100
"""Characters of a field that is taken apart once: a sender's header hardly changes."""


@lru_cache(maxsize=1024)
def _written(raw: str, marks: Delimiters) -> tuple[Repetition, ...]:
    return tuple(_parts(value) for value in Segment("", ["", raw], 0, marks).all(1))


def _parts(value: Value) -> Repetition:
    return tuple(_inner(value.part(number)) for number in range(1, len(value) + 1))


def _inner(value: Value) -> Component:
    return tuple(value.text(number) for number in range(1, len(value) + 1))


def _msa(
    header: Segment | None, level: Level, verdict: Verdict, errors: Sequence[Hl7Error], version: tuple[int, ...]
) -> Fields:
    fields: dict[int, Field] = {1: level + verdict, 2: _copied(header, 10)}
    if errors:
        fields[3] = errors[0].text[:_MSA_3_MOST]
        if _EVENT_SINCE <= version < _ERR_2_SINCE:
            fields[6] = (errors[0].code.number, errors[0].code.text, _CODES)
    return fields


def _err(error: Hl7Error, severity: str) -> Fields:
    """ERR since 2.5: location, code, severity, and the sentence for whoever keeps the interface."""
    return {
        2: _erl(error.place),
        3: (error.code.number, error.code.text, _CODES),
        4: severity,
        7: str(error)[:_ERR_MOST],
        8: error.text[:_ERR_MOST],
    }


def _erl(place: Place | None) -> Field:
    if place is None:
        return None
    name, sequence, field, repetition, component, subcomponent = place
    # The first repetition of a field is meant unless another is named; without a field there is none.
    numbers = (sequence, field, repetition or (1 if field else 0), component, subcomponent)
    return (name, *(number or None for number in numbers))


def _eld(error: Hl7Error) -> Repetition:
    """One repetition of ERR-1, before 2.5."""
    code = (error.code.number, error.code.text, _CODES)
    if error.place is None:
        return (None, None, None, code)
    return (error.place.segment, error.place.sequence, error.place.field or None, code)
