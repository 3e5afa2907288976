"""Frames out of RTP packets, nothing decoded: put in order, whole frames alone, pictures from a key frame on.

RFC 3550 section 5.1, RFC 7741 (VP8 over RTP), RFC 7587 (Opus over RTP).
"""

from collections.abc import Iterable, Iterator

from video.media.rtp import HEADER, Malformed, payload, payload_start, vp8_descriptor
from video.ports import Captured
from video.recording.webm import Frame, Track

RATES = {"vp8": 90_000, "opus": 48_000}
"""Of RTP timestamps. H.264 fits into no WebM: every answer prefers VP8, so nobody who can send it sends another."""
PATIENCE = 1.0
"""Seconds for which what comes later waits for a packet that is missing."""
_FAR = 10.0
"""Seconds that the sender's clock may be off from when packets came before it counts as broken."""


class _Packet:
    __slots__ = ("at", "begins", "body", "marked", "sequence", "time")

    def __init__(self, captured: Captured, start: int) -> None:
        _, kind, self.sequence, self.time, _ = HEADER.unpack_from(captured.packet)
        self.marked, self.at, self.begins = kind > 127, captured.at, False
        self.body = payload(captured.packet, start)
        if captured.codec == "vp8" and self.body:
            self.begins = self.body[0] & 0x17 == 0x10
            self.body = self.body[vp8_descriptor(self.body, 0) :]


class Clocks:
    """When something happened, by the sender's reports, so that the sources of one member stay together."""

    def __init__(self, began: float) -> None:
        self._began = began
        self._offsets: dict[str, float] = {}

    def at(self, captured: Captured, time: int, rate: int, base: tuple[float, int]) -> float:
        """s since the beginning; ``base`` is when the stream's first packet came, and its timestamp."""
        if captured.clock is None:
            told = base[0] + _ahead(time, base[1]) / rate
        else:
            sent = captured.clock[0] / 2**32 + _ahead(time, captured.clock[1]) / rate
            told = sent + self._offsets.setdefault(captured.member, captured.at - sent)
        return (told if abs(told - captured.at) < _FAR else captured.at) - self._began


def _ahead(time: int, of: int) -> int:
    return (time - of + 0x80000000 & 0xFFFFFFFF) - 0x80000000


class Stream:
    """One SSRC of a track. ``add`` gives the frames that are whole with the packet."""

    def __init__(self, track: Track, first: Captured, clocks: Clocks) -> None:
        self.ssrc = HEADER.unpack_from(first.packet)[4]
        self._track, self._clocks, self._rate = track, clocks, RATES[track.codec]
        self._base = (first.at, HEADER.unpack_from(first.packet)[3])
        self._next = HEADER.unpack_from(first.packet)[2]
        self._kept: dict[int, tuple[Captured, _Packet]] = {}
        self._parts: list[bytes] = []
        self._time, self._broken, self._last = -1, track.codec == "vp8", -1

    def add(self, captured: Captured) -> Iterator[Frame]:
        try:
            packet = _Packet(captured, payload_start(captured.packet))
        except Malformed:
            return
        ahead = packet.sequence - self._next & 0xFFFF
        if ahead >= 0x8000:
            return
        self._kept[packet.sequence] = (captured, packet)
        yield from self._ready(captured.at)

    def _ready(self, now: float) -> Iterator[Frame]:
        """In order; a hole is given up when what follows it waited long enough."""
        while self._kept:
            found = self._kept.pop(self._next, None)
            if found is None:
                first = min(self._kept, key=lambda sequence: sequence - self._next & 0xFFFF)
                if now - self._kept[first][1].at < PATIENCE:
                    return
                self._next, self._parts, self._broken = first, [], self._track.codec == "vp8"
                continue
            self._next = self._next + 1 & 0xFFFF
            if found[1].body:
                yield from self._frame(*found)

    def rest(self) -> Iterator[Frame]:
        """What waited for packets that never came."""
        yield from self._ready(float("inf"))

    def _frame(self, captured: Captured, packet: _Packet) -> Iterator[Frame]:
        if self._track.codec == "opus":
            yield self._made(captured, packet.time, True, packet.body)
            return
        if packet.begins and packet.time != self._time:
            self._parts, self._time = [packet.body], packet.time
        elif self._parts and packet.time == self._time:
            self._parts.append(packet.body)
        else:
            self._parts = []
        if packet.marked and self._parts:
            data, self._parts = b"".join(self._parts), []
            key = not data[0] & 1
            self._broken = self._broken and not key
            if not self._broken:
                yield self._made(captured, packet.time, key, data)

    def _made(self, captured: Captured, time: int, key: bool, data: bytes) -> Frame:
        at = round(self._clocks.at(captured, time, self._rate, self._base) * 1000)
        self._last = max(at, self._last + 1, 0)
        return Frame(self._track, self._last, key, data)


def frames(packets: Iterable[Captured], began: float) -> Iterator[Frame]:
    """Of all tracks, each in order; ``began`` on the clock of ``Captured.at``."""
    clocks, streams = Clocks(began), dict[Track, Stream]()
    for captured in packets:
        if captured.codec not in RATES:
            continue
        track = Track(captured.member, captured.source.value, captured.codec)
        stream = streams.get(track)
        if stream is None or stream.ssrc != HEADER.unpack_from(captured.packet)[4]:
            if stream is not None:
                yield from stream.rest()
            last = stream._last if stream is not None else -1
            stream = streams[track] = Stream(track, captured, clocks)
            stream._last = last
        yield from stream.add(captured)
    for stream in streams.values():
        yield from stream.rest()
