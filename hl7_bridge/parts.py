"""A message that came in parts is one message again when its last part is applied.

HL7 v2.5.1 section 2.10.2 (continuation: DSC, ADD, MSH-14).
"""

from dataclasses import dataclass
from typing import Protocol

from hl7_bridge.er7 import Message, parse
from hl7_bridge.er7.batch import continues, joined
from hl7_bridge.errors import DUPLICATE_KEY, SEGMENT_SEQUENCE, Held, Place
from hl7_bridge.site.model import Sender

_MOST = 1000
"""Parts of one message."""
_BYTES_MOST = 256 * 1024 * 1024
"""Of all its parts together."""
_POINTER = Place("MSH", 1, 14)
_HEADERS = frozenset({"MSH", "SFT", "UAC", "EVN", "NTE"})


class Parts(Protocol):
    """The journal, which knows the parts that wait."""

    def parts_before(self, sender: str, continues: str) -> list[int]: ...

    def hold_part(self, id: int, sender: str, pointer: str, reason: str, ack: bytes) -> None: ...

    def raw(self, id: int) -> bytes: ...


@dataclass(frozen=True, slots=True)
class Whole:
    """``earlier`` are the journal's numbers of the parts before the last one, () of a message that came whole."""

    message: Message
    earlier: tuple[int, ...] = ()


def whole(journal: Parts, last: Message, sender: Sender) -> Whole:
    """What ``last`` completes. Raises Held when a part is missing or another might be meant, Malformed when they do not
    fit together."""
    parts, ids, size = [last], list[int](), 0
    while before := continues(parts[0]):
        found = journal.parts_before(sender.name, before)
        if not found and not ids and _stands_alone(last):
            return Whole(last)
        id = _one(found, ids)
        raw = journal.raw(id)
        size += len(raw)
        if len(ids) >= _MOST or size > _BYTES_MOST:
            raise Held(SEGMENT_SEQUENCE, "The message has too many parts.", _POINTER)
        ids.insert(0, id)
        parts.insert(0, parse(raw, sender.charset))
    return Whole(joined(parts), tuple(ids)) if ids else Whole(last)


def _one(found: list[int], known: list[int]) -> int:
    if not found:
        raise Held(SEGMENT_SEQUENCE, "The part that this one continues has not come, or waits no more.", _POINTER)
    if len(found) > 1 or found[0] in known:
        raise Held(DUPLICATE_KEY, "More than one part waits under this continuation pointer.", _POINTER)
    return found[0]


def _stands_alone(message: Message) -> bool:
    """Whether it begins like a message: many senders write something into MSH-14 that points nowhere."""
    names = [segment.name for segment in message.segments[:12] if segment.name not in _HEADERS]
    return bool(names) and names[0] in ("PID", "SCH", "MSA")
