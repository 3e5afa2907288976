"""What the bridge needs from its surroundings and what its parts pass each other.

HL7 v2.5.1 section 2.9 (message processing). The wiring gives a Repository per sender, a Journal over the database and
a Sealer.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol


class State(StrEnum):
    """Where a message stands. RECEIVED is durable and waits; the others are ends, which replay can reopen."""

    RECEIVED = "received"
    APPLIED = "applied"
    HELD = "held"
    REJECTED = "rejected"
    DEAD = "dead"


@dataclass(frozen=True, slots=True)
class Incoming:
    """A message as it came off the wire: ``raw`` bytes without framing, from ``sender`` (its name in the site kit).

    ``lanes`` are what orders it: the sorted identities of all PID-3 and MRG-1 it names (``authority|value``), or one
    lane of its own. ``index`` holds what the journal can be searched by (type, event, control id, patient, orders).
    """

    sender: str
    raw: bytes
    received: int
    """Milliseconds since 1970 UTC."""
    control_id: str
    type: str
    event: str
    version: str
    lanes: tuple[str, ...]
    patient: str = ""
    placer: str = ""
    filler: str = ""


@dataclass(frozen=True, slots=True)
class Receipt:
    """What the journal made of an Incoming. ``id`` orders messages; ``duplicate`` of an earlier one, whose stored
    acknowledgement is ``ack`` (b'' while there is none); ``changed`` when only the control id was seen before."""

    id: int
    duplicate: bool = False
    changed: bool = False
    ack: bytes = b""


@dataclass(frozen=True, slots=True)
class Work:
    """A message to apply, leased to this worker; ``attempt`` counts from 1."""

    id: int
    sender: str
    raw: bytes
    received: int
    attempt: int


class Journal(Protocol):
    """The durable record of every message in and out. Every method raises resources.errors.FhirError only."""

    def receive(self, incoming: Sequence[Incoming]) -> list[Receipt]:
        """Make all durable in one transaction (group commit); duplicates are found by (sender, MSH-10, hash)."""
        ...

    def claim(self, count: int, lease_seconds: float) -> list[Work]:
        """The oldest messages that wait and whose lanes hold no earlier one that waits, leased to the caller."""
        ...

    def settle(self, id: int, state: State, reason: str = "", ack: bytes = b"") -> None:
        """End a message without a commit of the record: held, rejected or dead."""
        ...

    def postpone(self, id: int, reason: str, seconds: float) -> None:
        """Try again later; the lane waits, other lanes go on."""
        ...


APPLIED = "hl7.applied"
"""The Mark that a commit carries: params ``id``, ``at`` (ms), ``reason``, ``ack``."""
