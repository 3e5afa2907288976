"""What a room is: its members, its phase, and how long it waits for whom.

Ours; docs/adr/video-room.md has the states in words. All times are ms since 1970 UTC, given by the caller's clock.
"""

from enum import StrEnum

import msgspec

from video.ports import Role, Source


class Standing(StrEnum):
    """Where a member stands."""

    NOBODY = "nobody"  # no ticket for this member was used in this room
    CHECKING = "checking"  # has a seat in front of the door, tries camera and microphone
    WAITING = "waiting"  # passed the device check
    ADMITTED = "admitted"
    DENIED = "denied"  # not let in, or asked to go; another ticket is another try
    LEFT = "left"  # went, or was lost for longer than the grace; the session brings them back to ``back_to``


class Phase(StrEnum):
    """Where a visit stands."""

    OPEN = "open"  # nobody has talked with anybody yet
    RUNNING = "running"
    AWAY = "away"  # the patient's side or the last practitioner is gone for longer than the grace
    ENDED = "ended"


class Held(StrEnum):
    """Who put a member on hold: only a practitioner lifts what a practitioner laid on."""

    NO = ""
    SELF = "self"
    PRACTITIONER = "practitioner"


SEATED = frozenset({Standing.CHECKING, Standing.WAITING, Standing.ADMITTED})
"""Those who count as being here or coming back."""
PATIENT_SIDE = frozenset({Role.PATIENT, Role.RELATED})
TALK = frozenset({Source.MICROPHONE, Source.CAMERA})


class Member(msgspec.Struct, frozen=True):
    """One seat. ``session`` '' without media; ``up``: its transport carries packets; ``share``: may share the screen;
    ``sharing``: does so; ``absent_since`` while neither socket nor media is there; ``since`` of the standing;
    ``done`` and ``measured`` are the last commands and sessions, so that what comes twice is done once;
    ``agreed``: number of the fact with which they agreed to be recorded, ``consented``: the record has it active;
    ``off``: what they have turned off, as their page says."""

    id: str
    role: Role
    name: str
    actor: str
    standing: Standing
    since: int
    back_to: Standing = Standing.CHECKING
    socket: bool = False
    session: str = ""
    up: bool = False
    sending: frozenset[Source] = frozenset()
    share: bool = False
    sharing: bool = False
    held: Held = Held.NO
    absent_since: int | None = None
    done: tuple[str, ...] = ()
    measured: tuple[str, ...] = ()
    agreed: int = 0
    consented: bool = False
    off: frozenset[Source] = frozenset()

    @property
    def present(self) -> bool:
        return self.socket or self.up

    @property
    def admitted(self) -> bool:
        return self.standing is Standing.ADMITTED

    @property
    def practises(self) -> bool:
        return self.role is Role.PRACTITIONER


class Saying(msgspec.Struct, frozen=True):
    """One message of the chat; ``heard`` by those who were admitted then, and by nobody else later."""

    id: str
    member: str
    name: str
    at: int
    text: str
    heard: frozenset[str]


class SentFile(msgspec.Struct, frozen=True):
    """A file that was sent, stored under ``id``; ``heard`` as of Saying. ``sender`` is the member's name."""

    id: str
    member: str
    sender: str
    at: int
    name: str
    type: str
    size: int
    heard: frozenset[str]


SAYINGS, SAID = 100, 32_000
"""Messages and characters that a room keeps for who reloads; the record has them all."""


class Room(msgspec.Struct, frozen=True):
    """A visit; ``encrypted``: end to end, the server records nothing.
    ``facts`` is the number of the last fact; ``apart_since`` while the two sides of a running visit have
    no media between them; ``empty_since`` while nobody is here; ``opened`` with its first ticket;
    ``recorder``: who wants it recorded, ``recording``: number of the fact with which that started, of ``recorded``."""

    id: str
    encounter: str
    appointment: str
    patient: str
    phase: Phase = Phase.OPEN
    phase_since: int = 0
    started: int | None = None
    members: dict[str, Member] = {}
    facts: int = 0
    apart_since: int | None = None
    empty_since: int | None = None
    draining: bool = False
    opened: int | None = None
    chat: tuple[Saying, ...] = ()
    encrypted: bool = False
    recorder: str = ""
    recording: int = 0
    recording_since: int = 0
    recorded: frozenset[str] = frozenset()
    files: tuple[SentFile, ...] = ()


class Rules(msgspec.Struct, frozen=True):
    """How long a room waits and lasts at most (ms), how many it seats, and how many files and bytes it takes."""

    grace: int = 30_000
    expiry: int = 15 * 60_000
    seats: int = 6
    longest: int = 12 * 3600_000
    recording: bool = False
    files: int = 20
    file_bytes: int = 100 * 1024 * 1024
