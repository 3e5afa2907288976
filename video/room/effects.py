"""What a room wants done. The machine only says so; video.signalling.service does it.

Ours; facts are those of video.ports.
"""

from typing import Any

import msgspec

from video.ports import Fact, Recording, Source


class Tell(msgspec.Struct, frozen=True):
    """``member``'s page learns of ``event``."""

    member: str
    event: str
    fields: dict[str, Any] = {}


class Permit(msgspec.Struct, frozen=True):
    """Those who send to and receive from each other from now on."""

    members: frozenset[str]


class Silence(msgspec.Struct, frozen=True):
    """What of ``member`` is not forwarded; all else is."""

    member: str
    sources: frozenset[Source]


class HangUp(msgspec.Struct, frozen=True):
    """A media session ends."""

    member: str
    session: str


class Part(msgspec.Struct, frozen=True):
    """The member's socket closes once it has heard all; ``why`` is the word of the closing."""

    member: str
    why: str


class Record(msgspec.Struct, frozen=True):
    """The record is told."""

    fact: Fact


class Capture(msgspec.Struct, frozen=True):
    """Its members are recorded from now on, and nobody else."""

    recording: Recording


class Release(msgspec.Struct, frozen=True):
    """Nobody is any more; ``tail`` as of video.ports.Recorder."""

    number: int
    tail: bool


class Timer(msgspec.Struct, frozen=True):
    """When the room wants to be told that time has passed; None: not at all. Replaces the one before."""

    at: int | None


Effect = Tell | Permit | Silence | HangUp | Part | Record | Capture | Release | Timer
