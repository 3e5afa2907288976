"""What the bridge needs from its surroundings and what its parts pass each other.

HL7 v2.5.1 section 2.9 (message processing). The wiring gives a Repository per sender, a Journal over the database and
a Sealer.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple, Protocol


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
    direction: str = "in"
    """``out``: to the receiver ``sender``, in the order of its lanes."""
    state: State = State.RECEIVED
    """REJECTED for what the listener refuses: kept to be shown, never applied, and no message is its duplicate."""
    reason: str = ""
    ack: bytes = b""
    pointer: str = ""
    """DSC-1 of a part that another continues."""
    continues: str = ""
    """MSH-14 of a part that continues another."""


@dataclass(frozen=True, slots=True)
class Receipt:
    """What the journal made of an Incoming. ``id`` orders messages; ``duplicate`` of an earlier one, whose stored
    acknowledgement is ``ack`` (b'' while there is none); ``changed`` when only the control id was seen before."""

    id: int
    duplicate: bool = False
    changed: bool = False
    ack: bytes = b""


@dataclass(slots=True)
class Work:
    """A message to apply, leased to this worker; ``attempt`` counts from 1, ``failures`` how often it was postponed.
    Whoever has read ``raw`` may leave only its beginning: a large message is not to lie there twice."""

    id: int
    sender: str
    raw: bytes
    received: int
    attempt: int
    failures: int = 0


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a message: its state, and its acknowledgement once there is one."""

    state: State
    ack: bytes
    reason: str = ""


class Ended(NamedTuple):
    """A worker's word about a message: its end, or None when it will be tried again."""

    id: int
    sender: str
    received: int
    outcome: Outcome | None


class Applying(Protocol):
    """Those who apply what waits in the journal."""

    def start(self) -> None: ...

    def wake(self) -> None:
        """There is something new. From any thread, at once."""
        ...

    def stop(self, seconds: float) -> None:
        """Let each finish what it is at."""
        ...


class Journal(Protocol):
    """The durable record of every message in and out. Every method raises resources.errors.FhirError only."""

    def receive(self, incoming: Sequence[Incoming]) -> list[Receipt]:
        """Make all durable in one transaction (group commit); duplicates are found by (sender, MSH-10, hash)."""
        ...

    def claim(self, count: int, lease_seconds: float, direction: str = "in") -> list[Work]:
        """The oldest messages that wait and whose lanes hold no earlier one that waits, leased to the caller."""
        ...

    def settle(self, id: int, state: State, reason: str = "", ack: bytes = b"") -> None:
        """End a message without a commit of the record: held, rejected or dead."""
        ...

    def postpone(self, id: int, reason: str, seconds: float) -> None:
        """Try again later; the lane waits, other lanes go on."""
        ...

    def outcomes(self, ids: Sequence[int]) -> dict[int, Outcome]:
        """Of those that are known, where they stand now."""
        ...


APPLIED = "hl7.applied"
"""The Mark that a commit carries: params ``id``, ``at`` (ms), ``reason``, ``ack``. A commit whose message is no longer
RECEIVED (another worker was faster) fails as a whole."""

JOINED = "hl7.joined"
"""The Mark of an earlier part of the message that a commit applies: params ``id``, ``at``, ``reason``. A part that does
not wait as HELD any more fails the commit."""

STAMP = "hl7.stamp"
"""The Mark that keeps stamps: ``rows`` is a JSON object of any names to [type, id, version, revision, stamps]. A row
whose revision does not follow the one that is kept is left alone, so the Mark says how many rows it must change."""

ANCHOR = "hl7.anchor"
"""The Mark that lets a commit pass only while nobody changed some stamps: ``rows`` to [type, id, revision]."""

FOLLOW_UP = "hl7.follow_up"
"""The Mark that asks for follow-ups: ``rows`` to [kind, type, id, key, due]; one that is there becomes due anew."""

FOLLOWED = "hl7.followed"
"""The Mark that ends a follow-up unless it was asked for anew: params ``kind``, ``type``, ``id``, ``key``, ``due``."""


class Stamp(NamedTuple):
    """What the bridge knows of a resource: the ``version`` it last wrote (0: none), ``revision`` of this row, and
    ``stamps`` as JSON text."""

    version: int
    revision: int
    stamps: str


class FollowUp(NamedTuple):
    """Something to be done to ``type``/``id`` once it can be; ``key`` hashes the identity it waits for, or is ''.
    ``due`` in ms since 1970 UTC, ``tries`` counts from 1."""

    kind: str
    type: str
    id: str
    key: str
    due: int
    tries: int


class Stamps(Protocol):
    """The tables behind STAMP and FOLLOW_UP. Every method raises resources.errors.Unavailable only."""

    def read(self, resources: Iterable[tuple[str, str]]) -> dict[tuple[str, str], Stamp]:
        """Stamps by (type, id), those that are there; read them after the resource."""
        ...

    def waiting(self, keys: Iterable[str]) -> list[FollowUp]:
        """Follow-ups that wait for one of ``keys``."""
        ...

    def claim(self, now: int, lease_ms: int, count: int) -> list[FollowUp]:
        """Those that are due, oldest first; they come back as due after the lease unless they are ended before."""
        ...

    def put_off(self, follow_up: FollowUp, due: int) -> None:
        """Let it be due at another time, unless it was asked for anew."""
        ...


TOLD = "hl7.told"
"""The Mark that renews what a receiver knows of a resource: params ``receiver``, ``type``, ``id``, ``version``,
``status``, ``start`` and ``content``."""
