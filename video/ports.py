"""What the parts of a visit say to each other: tickets, media events, facts. Each part knows these and no other part.

Ours; W3C WebRTC 1.0, RFC 9725 (WHIP) for media sessions, FHIR R4 Encounter (virtual) for what becomes of facts.
"""

from collections.abc import Callable
from enum import StrEnum
from typing import Protocol

import msgspec


class Role(StrEnum):
    """Who somebody is in a visit; only practitioners admit, end and record."""

    PATIENT = "patient"
    PRACTITIONER = "practitioner"
    RELATED = "related"
    INTERPRETER = "interpreter"
    GUEST = "guest"


class Ticket(msgspec.Struct, frozen=True):
    """A seat in a room, sealed by the FHIR server and used once: within ``expires`` (s since 1970 UTC), at most 10 min.

    ``room`` and ``member`` are opaque words that say nothing about anybody; ``name`` is shown to those admitted;
    ``actor`` is a reference such as Patient/1, '' for a guest of a link; ``encrypted``: the visit is end to end.
    """

    id: str
    room: str
    member: str
    role: Role
    name: str
    actor: str
    encounter: str
    appointment: str
    patient: str
    expires: int
    encrypted: bool = False


class Source(StrEnum):
    """What a participant sends."""

    MICROPHONE = "microphone"
    CAMERA = "camera"
    SCREEN = "screen"


class MediaState(StrEnum):
    """What the media server saw of one participant's session."""

    CONNECTED = "connected"  # DTLS is up
    SENDING = "sending"  # first packet of a source
    SILENT = "silent"  # a source that sent does so no more
    LOST = "lost"  # no packet and no consent for some seconds; the session may come back
    RETURNED = "returned"
    CLOSED = "closed"


class MediaEvent(msgspec.Struct, frozen=True):
    """``at`` in ms since 1970 UTC; ``source`` None where it is the session's."""

    state: MediaState
    room: str
    member: str
    session: str
    at: int
    source: Source | None = None


class MediaStats(msgspec.Struct, frozen=True):
    """Of one session since it began: packets, bytes, lost in per cent of what was due, jitter and round trip (ms)."""

    received: int = 0
    sent: int = 0
    bytes_received: int = 0
    bytes_sent: int = 0
    lost: float = 0.0
    jitter: float = 0.0
    round_trip: float = 0.0


class Slot(msgspec.Struct, frozen=True):
    """Where a participant hears and sees another: its receiving sections ``slot`` are ``member``'s, '' nobody's."""

    slot: int
    member: str


class Captured(msgspec.Struct, frozen=True):
    """One RTP packet in the clear, as a participant sent it: ``codec`` is vp8, h264 or opus; ``clock`` the sender's
    last report (NTP, RTP timestamp), if there was one; ``at`` in s of the event loop's clock."""

    member: str
    source: Source
    codec: str
    packet: bytes
    clock: tuple[int, int] | None
    at: float


Sink = Callable[[Captured], None]
"""Called in the event loop; it returns at once."""


class Recorded(msgspec.Struct, frozen=True):
    """Somebody who is recorded; ``agreement`` is the number of the fact with which they agreed."""

    member: str
    role: Role
    actor: str
    agreement: int


class Recording(msgspec.Struct, frozen=True):
    """One recording: ``number`` is that of the fact with which it started, ``at`` when (ms since 1970 UTC), ``by`` the
    reference of who asked for it, '' when the record has nobody."""

    room: str
    number: int
    at: int
    encounter: str
    appointment: str
    patient: str
    by: str
    members: tuple[Recorded, ...]


class Recorder(Protocol):
    """Keeps what is captured. All in the event loop; nothing waits."""

    def capture(self, recording: Recording) -> None:
        """From now on the packets of exactly its members; another call with the same number changes who they are."""
        ...

    def release(self, room: str, number: int, *, tail: bool) -> None:
        """Not one packet more; ``tail``: what was captured since the consents were last confirmed counts."""
        ...

    def confirm(self, room: str, at: float) -> None:
        """The consents held at ``at`` (s of the event loop's clock): what was captured before may be kept."""
        ...

    def listen(self, failed: Callable[[str, int], None]) -> None:
        """``failed`` is called with room and number of a recording that cannot go on."""
        ...


class MediaBackend(Protocol):
    """Carries media between the members of rooms. Nobody receives or is received before ``permit``.

    Every method raises video.errors.Refused for what it does not do, with a text for people.
    """

    async def offer(self, room: str, member: str, sdp: str) -> tuple[str, str]:
        """(session, answer) for an offer of the page; an earlier session of the member ends."""
        ...

    async def restart(self, session: str, fragment: str) -> str:
        """The answer's fragment (trickle-ice-sdpfrag, RFC 8840) to an ICE restart."""
        ...

    async def leave(self, session: str) -> None: ...

    def permit(self, room: str, members: frozenset[str]) -> None:
        """Those who send to and receive from each other from now on; all others do neither."""
        ...

    def silence(self, room: str, member: str, sources: frozenset[Source]) -> None:
        """``sources`` of ``member`` are not forwarded (hold); the empty set lifts it."""
        ...

    def slots(self, room: str, member: str) -> tuple[Slot, ...]:
        """Who is where for ``member`` just now."""
        ...

    def stats(self, room: str) -> dict[str, MediaStats]:
        """By member."""
        ...

    def listen(self, told: Callable[[MediaEvent], None]) -> None:
        """``told`` is called in the event loop with every event; it returns at once."""
        ...

    def tap(self, room: str, members: frozenset[str], sink: "Sink | None") -> None:
        """``sink`` gets what those of ``members`` send who are permitted, and nothing that is silenced, from now on and
        after the next key frame, which every call asks for; None: nobody gets anything any more."""
        ...


class FactKind(StrEnum):
    """What the record is told of a visit."""

    WAITING = "waiting"  # the patient passed the device check and waits
    JOINED = "joined"  # somebody is in the room (detail: role)
    ADMITTED = "admitted"
    DENIED = "denied"
    STARTED = "started"  # first two-way media between the patient's side and a practitioner
    AWAY = "away"  # the patient's or the last practitioner's media is gone longer than the grace
    BACK = "back"
    LEFT = "left"  # detail: reason
    SHARE_STARTED = "share-started"
    SHARE_ENDED = "share-ended"
    CONSENT_GIVEN = "consent-given"  # somebody agrees to be recorded in this visit
    CONSENT_WITHDRAWN = "consent-withdrawn"  # detail: agreement, the number of the fact with which it was given
    RECORDING_STARTED = "recording-started"
    RECORDING_ENDED = "recording-ended"  # detail: reason, recording (the number of the fact with which it started)
    CHAT = "chat"
    FILE = "file"
    QUALITY = "quality"
    ENDED = "ended"  # detail: reason (ended, expired, drained)


class Fact(msgspec.Struct, frozen=True):
    """One thing that happened, told to the record once: ``room`` and ``number`` name it for ever.

    ``at`` in ms since 1970 UTC, of when it happened; ``detail`` is JSON of the kind's own.
    """

    kind: FactKind
    room: str
    number: int
    at: int
    encounter: str
    appointment: str
    patient: str
    member: str = ""
    role: str = ""
    actor: str = ""
    detail: dict[str, str | int | float | bool] = {}


class Spool(Protocol):
    """Facts on their way to the record: durable when ``put`` returns."""

    def put(self, facts: "list[Fact]") -> None:
        """Called outside the event loop, by one thread at a time, not always the same one, so it may wait for the disk.
        A fact whose ``room`` and ``number`` are known already is passed over: after a kill it comes again. Whatever it
        raises, the same facts are tried again later."""
        ...


class Files(Protocol):
    """Content that was sent in a visit, until the record has it: sealed, and durable when ``put`` returns. Any thread
    may call; ``room`` and ``id`` are opaque words."""

    def put(self, room: str, id: str, content: bytes) -> None:
        """What is there already under ``id`` stays."""
        ...

    def discard(self, room: str, id: str) -> None:
        """What the room did not take."""
        ...

    def read(self, room: str, id: str) -> bytes:
        """Raises FileNotFoundError, and video.errors.Refused for what was not sealed here."""
        ...


class Sealer(Protocol):
    """Authenticated encryption by the keyring; ``purpose`` is bound in."""

    def seal(self, purpose: str, secret: bytes) -> bytes: ...

    def open(self, purpose: str, sealed: bytes) -> bytes:
        """Raises video.errors.Refused for what was not sealed here for ``purpose``."""
        ...


class Watch(Protocol):
    """Told what the service refused and did, for audit and gauges; returns at once."""

    def refused(self, what: str, room: str, member: str) -> None:
        """``what`` is one of video.signalling.words.Word; ``room`` and ``member`` are '' where nobody knows them."""
        ...
