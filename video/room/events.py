"""What happens to a room. Facts are what the server saw itself; commands are what a member asked for.

Ours; media states are those of video.ports.
"""

import msgspec

from video.ports import MediaState, MediaStats, Role, Source


class Event(msgspec.Struct, frozen=True):
    """``member`` is whom it is about, '' for the room."""

    member: str = ""


class Command(Event, frozen=True):
    """Asked for by ``by``; ``id`` is the page's own, so that a command that is sent again is done once."""

    by: str = ""
    id: str = ""


class Seat(Event, frozen=True, kw_only=True):
    """A ticket was used."""

    role: Role
    name: str
    actor: str = ""
    encounter: str = ""
    appointment: str = ""
    patient: str = ""
    encrypted: bool = False


class Connected(Event, frozen=True):
    """The member's WebSocket is open."""


class Disconnected(Event, frozen=True):
    """It is not."""


class Offered(Event, frozen=True, kw_only=True):
    """The media server answered an offer: this is the member's session now."""

    session: str


class Media(Event, frozen=True, kw_only=True):
    """What the media server saw."""

    session: str
    state: MediaState
    source: Source | None = None


class Measured(Event, frozen=True, kw_only=True):
    """What a session that is over was like; ``seconds`` it lasted."""

    session: str
    stats: MediaStats
    seconds: int = 0


class Lapsed(Event, frozen=True):
    """The grace of a member is over; raised by the machine itself."""


class Revoked(Event, frozen=True):
    """The link by which the member came was revoked."""


class Consents(Event, frozen=True, kw_only=True):
    """What the record says of agreements to be recorded, by the number of the fact: ``active`` holds, ``void`` holds no
    more; what is in neither is not there yet."""

    active: frozenset[int]
    void: frozenset[int] = frozenset()


class Unwatched(Event, frozen=True):
    """The record cannot be asked for too long."""


class CaptureFailed(Event, frozen=True, kw_only=True):
    """The recording cannot be kept, for want of a disk for instance."""

    recording: int


class Tick(Event, frozen=True):
    """Time has passed."""


class Drain(Event, frozen=True):
    """The server is about to stop."""


class Restored(Event, frozen=True):
    """The server was started again: no socket and no media session of before exists."""


class Ready(Command, frozen=True):
    """The device check is passed."""


class Leave(Command, frozen=True):
    """The member goes."""


class Admit(Command, frozen=True):
    """Let in."""


class Deny(Command, frozen=True):
    """Not let in, or asked to go."""


class AskMute(Command, frozen=True):
    """Asked to mute; only the member's own page can."""


class Hold(Command, frozen=True):
    """Neither heard nor hearing."""


class Unhold(Command, frozen=True):
    """Lifts it."""


class Off(Command, frozen=True, kw_only=True):
    """What of itself a member has turned off, by what its page says: shown to the others, decides nothing."""

    sources: frozenset[Source] = frozenset()


class Share(Command, frozen=True):
    """May share the screen from now on; that it does is seen from its media."""


class Unshare(Command, frozen=True):
    """May not any more."""


class Say(Command, frozen=True, kw_only=True):
    """Chat."""

    text: str


class SendFile(Command, frozen=True, kw_only=True):
    """A file that was stored under ``file`` is there for all; ``type`` is what its bytes say, ``size`` in bytes."""

    file: str
    name: str
    type: str
    size: int


class Pass(Command, frozen=True, kw_only=True):
    """Something for the page of ``to`` alone, which only an encrypted visit has: what the two agree keys by."""

    to: str
    text: str


class Record(Command, frozen=True):
    """Asks everybody whether the visit may be recorded."""


class StopRecording(Command, frozen=True):
    """It ends, or nobody is asked any more."""


class Agree(Command, frozen=True):
    """To be recorded in this visit."""


class Withdraw(Command, frozen=True):
    """Not any more, or not at all."""


class End(Command, frozen=True):
    """The visit is over."""
