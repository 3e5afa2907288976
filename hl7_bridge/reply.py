"""What a peer says of our messages: MSA and ERR of its reply, read.

HL7 v2.5.1 sections 2.15.8 (MSA) and 2.15.5 (ERR), tables 0008 and 0357; see ack for our own.
"""

import re
from dataclasses import dataclass

from hl7_bridge.er7 import Message, Segment, Value
from hl7_bridge.errors import FIELD_MISSING, Malformed, Place
from hl7_bridge.verdict import Level, Verdict


@dataclass(frozen=True, slots=True)
class Reported:
    """One error of a reply: code of table 0357 (or the peer's own), its text, where, and how grave (E, W, I, F)."""

    code: str
    text: str
    place: Place | None = None
    severity: str = "E"


@dataclass(frozen=True, slots=True)
class Reply:
    """What a peer answered to the message ``control_id`` (MSA-2); ``code`` is of table 0008."""

    code: str
    control_id: str
    text: str
    errors: tuple[Reported, ...]

    @property
    def level(self) -> Level:
        return Level(self.code[0])

    @property
    def verdict(self) -> Verdict:
        return Verdict(self.code[1])


def read_reply(message: Message) -> Reply:
    """``message`` as the reply it is. Raises Malformed without MSA or with a code that table 0008 does not have."""
    msa = message.first("MSA")
    if msa is None:
        raise Malformed(FIELD_MISSING, "The reply has no MSA.", Place("MSA"))
    code = msa.text(1).strip().upper()
    if not re.fullmatch("[AC][AER]", code):
        text = f"MSA-1 is {code[:8]!r}; expected AA, AE, AR, CA, CE or CR."
        raise Malformed(FIELD_MISSING, text, Place("MSA", 1, 1))
    errors = [reported for err in message.all("ERR") for reported in _reported(err)]
    if not errors and msa.has(6):
        errors.append(Reported(msa.text(6, 1), msa.text(6, 2)))
    return Reply(code, msa.first(2).whole, msa.first(3).whole, tuple(errors))


def _reported(err: Segment) -> list[Reported]:
    if err.has(3) or err.has(2):
        text = err.first(8).whole or err.first(7).whole or err.text(3, 2)
        return [Reported(err.text(3), text, _place(err.first(2)), err.text(4) or "E")]
    return [Reported(each.text(4, 1), each.text(4, 2), _place(each)) for each in err.all(1)]


def _place(value: Value) -> Place | None:
    """ERL, or the first three components of ELD."""
    if not value.text(1):
        return None
    inner = (3, 4, 5, 6) if len(value.part(4)) == 1 else (3,)
    return Place(value.text(1), _number(value.text(2)) or 1, *(_number(value.text(n)) for n in inner))


def _number(text: str) -> int:
    return int(text[:9]) if text.isascii() and text.isdigit() else 0
