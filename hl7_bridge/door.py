"""What is looked at before a message is taken: who sends it, its header, how much of it there is, what orders it.

HL7 v2.5.1 sections 2.9.2 (what an accept acknowledgement vouches for) and 2.15.9 (MSH). Pure: bytes in, an Incoming or
a reason out.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import count

from hl7_bridge.er7 import Message, Segment, batch, parse
from hl7_bridge.er7.charsets import decode
from hl7_bridge.er7.tokenizer import outline, tokens
from hl7_bridge.errors import (
    CARDINALITY,
    EVENT,
    FIELD_MISSING,
    MESSAGE_TYPE,
    PROCESSING_ID,
    TOO_LONG,
    UNKNOWN_KEY,
    VERSION,
    Hl7Error,
    Malformed,
    Place,
    Refused,
    Unreadable,
)  # fmt: skip
from hl7_bridge.mapping.reading import Reading
from hl7_bridge.ports import Incoming, State
from hl7_bridge.site.model import Sender

_VERSION = re.compile(r"2\.[1-9](\.[0-9])?[A-Za-z.]{0,3}")
_FIRST = re.compile(rb"[\r\n \t\x0b\xef\xbb\xbf]*[^\r\n]+")
_CONTROL_ID_MAX = 199
"""Characters of MSH-10: as long as v2.7 makes it, however old the sender is."""


@dataclass(frozen=True, slots=True)
class Caps:
    """The most of a message that is taken."""

    segments: int = 10_000
    repetitions: int = 5_000


@dataclass(frozen=True, slots=True)
class Arrival:
    """One message at the door. ``message`` is None when it cannot be parsed, ``sender`` None for a stranger;
    ``error`` says why it is not taken, None when it is."""

    raw: bytes
    message: Message | None
    sender: Sender | None
    error: Hl7Error | None = None


Recognise = Callable[[str, str], Sender | None]
"""The sender by MSH-3.1 and MSH-4.1, of the connection at hand."""


def arrive(raw: bytes, recognise: Recognise, caps: Caps) -> Arrival:
    """Look at ``raw``."""
    sender = None
    try:
        header = _header(raw)
        sender = recognise(header.msh.text(3), header.msh.text(4))
        if sender is None:
            place = Place("MSH", 1, 3)
            return Arrival(raw, header, None, Refused(UNKNOWN_KEY, "This sender is not known here.", place))
        skimmed = _skimmed(raw, sender.charset, header, caps)
        message = skimmed or parse(raw, sender.charset)
        check(message, sender, caps)
        if _repeats(raw, message) > caps.repetitions:
            _check_repetitions(parse(raw, sender.charset) if skimmed else message, caps)
    except Unreadable as error:
        return Arrival(raw, _readable(raw), sender, error)
    except Hl7Error as error:
        return Arrival(raw, message, sender, error)
    return Arrival(raw, message, sender)


def _repeats(raw: bytes, message: Message) -> int:
    return raw.count(message.delimiters.repetition.encode(message.charset, "replace"))


_SKIMMED_MOST = 1 << 16
"""Bytes of a message that is skimmed; of larger ones the large fields are left out."""
_ORDERING = frozenset(("PID", "MRG", "ORC", "OBR", "SCH", "ARQ", "TXA"))
"""Segments that say, with MSH, what the journal is told."""


def _skimmed(raw: bytes, charset: str, header: Message, caps: Caps) -> Message | None:
    """``raw`` with only those segments that matter here, as it is read again when it is applied; all of it is decoded.
    None when it has to be read as a whole: a part of several, near a cap, of other line ends than CR."""
    if len(raw) > _SKIMMED_MOST:
        return outline(raw, charset)
    if b"\n" in raw or b"\rDSC" in raw or not raw.startswith(b"MSH"):
        return None
    text, codec = decode(raw, charset)
    lines = text.split("\r")
    if len(lines) > caps.segments or text.count(header.delimiters.repetition) > caps.repetitions:
        return None
    # A line that begins otherwise than with a name may hold a segment behind what stands before it.
    rest = (line for line in lines[1:] if line[:3] in _ORDERING or not line[:3].isalnum())
    return tokens("\r".join((lines[0], *rest)), codec)


def _header(raw: bytes) -> Message:
    """MSH alone, read so that no byte stops it: enough to know who sends."""
    line = None if raw[:2] in (b"\xff\xfe", b"\xfe\xff") else _FIRST.match(raw)
    return parse(line[0] if line else raw, "latin-1")


def _readable(raw: bytes) -> Message | None:
    try:
        return _header(raw)
    except Unreadable:
        return None


def check(message: Message, sender: Sender, caps: Caps) -> None:
    """Raises Refused or Malformed for what is not taken from ``sender``."""
    if len(message.segments) > caps.segments:
        text = f"The message has {len(message.segments)} segments; at most {caps.segments} are taken."
        raise Malformed(TOO_LONG, text)
    _check_header(message, sender)
    _check_type(message, sender)


def _check_repetitions(message: Message, caps: Caps) -> None:
    mark = message.delimiters.repetition
    for segment in message.segments:
        for number, raw in enumerate(segment.raw):
            if len(raw) > caps.repetitions and raw.count(mark) >= caps.repetitions and number != 2:
                text = f"A field repeats more than {caps.repetitions} times."
                raise Malformed(CARDINALITY, text, message.place(segment, number))


def _check_header(message: Message, sender: Sender) -> None:
    for field, name in ((9, "message type"), (10, "message control id"), (11, "processing id"), (12, "version id")):
        if not message.msh.text(field):
            raise Malformed(FIELD_MISSING, f"MSH-{field}, the {name}, is missing.", Place("MSH", 1, field))
    if len(message.control_id) > _CONTROL_ID_MAX:
        text = f"MSH-10 has {len(message.control_id)} characters; at most {_CONTROL_ID_MAX} are taken."
        raise Malformed(TOO_LONG, text, Place("MSH", 1, 10))
    processing = message.msh.text(11)
    if processing not in sender.processing_ids:
        taken = ", ".join(sender.processing_ids)
        text = f"The processing id{_shown(processing)} is not taken from this sender; expected {taken}."
        raise Refused(PROCESSING_ID, text, Place("MSH", 1, 11))
    if not _VERSION.fullmatch(message.version):
        text = f"The version{_shown(message.version)} is not taken; expected 2.1 to 2.9."
        raise Refused(VERSION, text, Place("MSH", 1, 12))


def _check_type(message: Message, sender: Sender) -> None:
    if not sender.types:
        return
    named = f"{message.type}^{message.event}"
    if message.type in sender.types or named in sender.types:
        return
    if any(taken.startswith(f"{message.type}^") for taken in sender.types):
        text = f"The event{_shown(message.event)} of {message.type} is not taken from this sender."
        raise Refused(EVENT, text, Place("MSH", 1, 9, 1, 2))
    text = "This message type is not taken from this sender."
    raise Refused(MESSAGE_TYPE, text, Place("MSH", 1, 9, 1, 1))


_CODE = re.compile(r"[A-Z]|[A-Z][0-9]{2}|[0-9](\.[0-9]){0,2}")


def _shown(value: str) -> str:
    """`` 'T'`` when it looks like a code. A sender that misplaces its fields may have put a patient's data there, and
    reasons are logged and stand in the journal in clear."""
    return f" {value!r}" if _CODE.fullmatch(value) else ""


# --- what the journal is told


def incoming(arrival: Arrival, received: int, ack: bytes = b"") -> Incoming:
    """The row of a message from a known sender; one with an error is REJECTED at once, with ``ack``."""
    message, sender, error = arrival.message, arrival.sender, arrival.error
    assert sender is not None
    state = State.REJECTED if error else State.RECEIVED
    if message is None:
        return Incoming(sender.name, arrival.raw, received, "", "", "", "", (), state=state, reason=str(error), ack=ack)
    patient, placer, filler = index(message)
    pointer, continues = batch.pointer(message), batch.continues(message)
    # The parts of one message in the order they came, whoever they are about.
    order = ("parts|" + sender.name,) if pointer or continues else ()
    return Incoming(
        sender=sender.name,
        raw=arrival.raw,
        received=received,
        control_id=message.control_id[:_CONTROL_ID_MAX],
        type=message.type[:20],
        event=message.event[:20],
        version=message.version[:20],
        lanes=() if error else (*lanes(message, sender), *order),
        patient=patient,
        placer=placer,
        filler=filler,
        state=state,
        reason=str(error) if error else "",
        ack=ack,
        pointer="" if error else pointer,
        continues="" if error else continues,
    )


_PATIENTS = (("PID", 3), ("MRG", 1))


def lanes(message: Message, sender: Sender) -> tuple[str, ...]:
    """The identities of all patients that ``message`` names, sorted: what it waits for and what waits for it."""
    reading = _reading(sender)
    found = set()
    for name, field in _PATIENTS:
        for segment in message.all(name):
            for value in segment.all(field):
                number, authority = value.text(1).strip(), value.part(4)
                if number:
                    system = reading.authority(authority.text(1), authority.text(2), authority.text(3))
                    found.add(f"{system or sender.authority}|{number}")
    return tuple(sorted(found))


_readings: dict[str, tuple[Reading, Iterator[int]]] = {}
_USES = 1000
"""Messages after which what is remembered of a sender's authorities is forgotten: anybody may name any."""


def _reading(sender: Sender) -> Reading:
    """What knows the authorities of ``sender``, kept because it remembers them."""
    known = _readings.get(sender.name)
    if known is None or known[0].sender is not sender or next(known[1]) > _USES:
        known = _readings[sender.name] = (Reading(sender), count())
    return known[0]


def index(message: Message) -> tuple[str, str, str]:
    """What a message is found by: the first patient's number, placer and filler number."""
    pid = message.first("PID")
    patient = pid.text(3) or pid.text(2) if pid else ""
    placer, filler = _orders(message)
    return patient.strip(), placer, filler


def _orders(message: Message) -> tuple[str, str]:
    """By ORC or OBR, whichever says it first; of SIU the appointment's numbers."""
    placer = filler = ""
    for segment in message.segments:
        fields = _ORDER_FIELDS.get(segment.name)
        if fields:
            placer, filler = placer or _text(segment, fields[0]), filler or _text(segment, fields[1])
            if placer and filler:
                break
    return placer, filler


_ORDER_FIELDS = {"ORC": (2, 3), "OBR": (2, 3), "SCH": (1, 2), "ARQ": (1, 2), "TXA": (14, 15)}


def _text(segment: Segment, field: int) -> str:
    return segment.text(field).strip()
