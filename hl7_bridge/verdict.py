"""What an acknowledgement says, and whether one is due.

HL7 v2.5.1 section 2.9 (original and enhanced mode), tables 0008 and 0155.
"""

from collections.abc import Sequence
from enum import StrEnum

from hl7_bridge.er7 import Segment
from hl7_bridge.errors import Hl7Error, Refused, Unreadable


class Level(StrEnum):
    """Who answers: ACCEPT for the message being safely kept, APPLICATION for what came of it."""

    APPLICATION = "A"
    ACCEPT = "C"


class Verdict(StrEnum):
    """The second letter of table 0008."""

    ACCEPTED = "A"
    ERROR = "E"
    REJECTED = "R"


_DUE = {
    "AL": frozenset(Verdict),
    "NE": frozenset[Verdict](),
    "SU": frozenset({Verdict.ACCEPTED}),
    "ER": frozenset({Verdict.ERROR, Verdict.REJECTED}),
}
"""Table 0155. What is none of these is answered: silence would stop a sender that waits."""
_FIELD = {Level.ACCEPT: 15, Level.APPLICATION: 16}


def is_enhanced(header: Segment | None) -> bool:
    """Whether MSH asks for enhanced mode: MSH-15 or MSH-16 says anything."""
    return header is not None and any(header.text(number) for number in _FIELD.values())


def is_due(header: Segment | None, level: Level, verdict: Verdict) -> bool:
    """Whether MSH asks for this acknowledgement. In original mode there is one, of the application; in enhanced mode a
    field that is empty beside a filled one asks for none. A reply gets no reply but where it asks itself."""
    if header is None or not is_enhanced(header):
        return level is Level.APPLICATION and (header is None or header.text(9) != "ACK")
    asked = header.text(_FIELD[level]).strip().upper()
    return verdict in _DUE.get(asked, frozenset(Verdict) if asked else frozenset())


def verdict_of(errors: Sequence[Hl7Error]) -> Verdict:
    """Rejected when sending the same again changes nothing and the content is not the reason, else an error."""
    if not errors:
        return Verdict.ACCEPTED
    return Verdict.REJECTED if any(isinstance(each, Refused | Unreadable) for each in errors) else Verdict.ERROR
