"""MLLP without sockets: bytes in, events out, and a message framed to be sent.

HL7 v2.5.1 chapter 2, appendix C.4 (minimal lower layer protocol): start block VT, end block FS CR. What real peers do
beside it is taken too: noise between frames, a missing CR after FS, a new start block where an end block is missing.
"""

import io
from dataclasses import dataclass

START, END = b"\x0b", b"\x1c\r"
_FS = b"\x1c"
HEAD = 4096
"""Bytes kept of what is no whole message: enough for its MSH, so that it can be answered."""
FRAME_MAX = 64 * 1024 * 1024
_LARGE = 1 << 20
"""Bytes of an unfinished frame that stand in the buffer."""
_QUIET = b"\r\n \t\x00"
"""What between frames is no noise worth telling."""


@dataclass(frozen=True, slots=True)
class Frame:
    """A whole message."""

    raw: bytes


@dataclass(frozen=True, slots=True)
class Noise:
    """``size`` bytes outside of any frame, left out."""

    size: int


@dataclass(frozen=True, slots=True)
class Unfinished:
    """A message without end block: the peer began another or closed. ``head`` is its beginning."""

    head: bytes


@dataclass(frozen=True, slots=True)
class Oversize:
    """A message above the cap, told as soon as it is; the rest of it is left out. ``head`` is its beginning."""

    head: bytes


_UNFINISHED = 16
"""Messages without end block that are told of one frame."""
Event = Frame | Noise | Unfinished | Oversize


def encode(raw: bytes) -> bytes:
    """``raw`` as a frame. Raises ValueError for what would end the frame early."""
    if END in raw or START in raw:
        raise ValueError("a message must not hold a start or end block")
    return START + raw + END


class Decoder:
    """Of one connection. The time is linear in the bytes, however they are cut; memory is at most ``frame_max`` and
    what is fed at once."""

    def __init__(self, frame_max: int = FRAME_MAX) -> None:
        self._max = frame_max
        self._buffer = bytearray()
        self._before = io.BytesIO()
        """What of a large frame came before the buffer: it gives it as bytes without a copy of all of it."""
        self._inside = False
        self._skipping = False
        self._scanned = 0
        """Up to where the buffer holds no end block."""
        self._noise = 0

    @property
    def partial(self) -> bool:
        """Whether a message has begun and not ended."""
        return self._inside

    @property
    def held(self) -> int:
        """Bytes that wait for more."""
        return self._before.tell() + len(self._buffer)

    @property
    def noise(self) -> int:
        """Bytes since the last frame that belong to none."""
        return self._noise

    def receive(self, data: bytes) -> list[Event]:
        """The events that ``data`` completes."""
        self._buffer += data
        events: list[Event] = []
        while self._step(events):
            pass
        return events

    def pause(self) -> list[Event]:
        """The peer is silent: a frame whose FS has come is whole, even if the CR never comes."""
        if not self._inside or self._buffer[-1:] != _FS:
            return []
        return self.receive(b"\r")

    def end(self) -> list[Event]:
        """The connection is closed."""
        events = self.pause()
        if self._inside and not self._skipping:
            events += self._frames(self._taken(len(self._buffer)), whole=False)
        self._inside = self._skipping = False
        self._buffer.clear()
        self._before = io.BytesIO()
        return [*events, *self._told_noise()]

    def _step(self, events: list[Event]) -> bool:
        """Go on by one event; whether there may be another."""
        if not self._inside and not self._started(events):
            return False
        stop = self._end()
        if stop < 0:
            self._bound(events)
            return False
        size = stop - (2 if self._buffer.startswith(END, stop - 2) else 1)
        if self._skipping:
            del self._buffer[:stop]
        else:
            raw = self._taken(size)
            del self._buffer[: stop - size]
            events += self._frames(raw, whole=True)
        self._inside = self._skipping = False
        self._scanned = 0
        return True

    def _started(self, events: list[Event]) -> bool:
        """Leave out what stands before the start block; whether there is one."""
        start = self._buffer.find(START)
        outside = bytes(self._buffer if start < 0 else self._buffer[:start])
        self._noise += len(outside.strip(_QUIET))
        del self._buffer[: len(outside) + (start >= 0)]
        if start < 0:
            return False
        events += self._told_noise()
        self._inside, self._scanned = True, 0
        return True

    def _end(self) -> int:
        """Behind the end block, -1 while there is none. FS is one with CR, and before the next start block."""
        while True:
            at = self._buffer.find(_FS, self._scanned)
            if at < 0:
                self._scanned = len(self._buffer)
                return -1
            after = bytes(self._buffer[at + 1 : at + 2])
            if not after:
                self._scanned = at
                return -1
            if after == b"\r":
                return at + 2
            if after == START:
                return at + 1
            self._scanned = at + 1

    def _bound(self, events: list[Event]) -> None:
        """Keep no more of an unfinished message than may be."""
        if not self._skipping and self.held <= self._max:
            if len(self._buffer) >= _LARGE:
                self._set_by(len(self._buffer) - self._kept())
            return
        if not self._skipping:
            events.append(Oversize((self._before.getvalue()[:HEAD] + self._buffer[:HEAD])[:HEAD]))
            self._skipping = True
        self._before = io.BytesIO()
        del self._buffer[: len(self._buffer) - self._kept()]
        self._scanned = 0

    def _kept(self) -> int:
        """The last bytes of the buffer that may begin an end block."""
        return 1 if self._buffer[-1:] == _FS else 0

    def _set_by(self, size: int) -> None:
        with memoryview(self._buffer) as view:
            self._before.write(view[:size])
        del self._buffer[:size]
        self._scanned = 0

    def _taken(self, size: int) -> bytes:
        self._set_by(size)
        raw, self._before = self._before.getvalue(), io.BytesIO()
        return raw

    def _frames(self, raw: bytes, *, whole: bool) -> list[Event]:
        """The message in ``raw``, and those before it that the peer did not end."""
        parts = [raw]
        if START in raw:
            parts = [part for part in _cut(raw) if part]
        events: list[Event] = [Unfinished(part[:HEAD]) for part in parts[:-1][-_UNFINISHED:]]
        for last in parts[-1:]:
            if len(last) > self._max:
                events.append(Oversize(last[:HEAD]))
            else:
                events.append(Frame(last) if whole else Unfinished(last[:HEAD]))
        return events

    def _told_noise(self) -> list[Event]:
        size, self._noise = self._noise, 0
        return [Noise(size)] if size else []


_HEADERS = (b"MSH", b"FHS", b"BHS")


def _cut(raw: bytes) -> list[bytes]:
    """At each start block that a header segment follows; elsewhere it is a character of some text."""
    first, *rest = raw.split(START)
    parts = [[first]]
    for piece in rest:
        if piece.startswith(_HEADERS):
            parts.append([piece])
        else:
            parts[-1].append(piece)
    return [START.join(part) for part in parts]
