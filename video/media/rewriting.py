"""One outgoing stream out of many incoming ones: sequence numbers, timestamps and VP8 picture ids that never break off.

RFC 3550 sections 5.1 and 7.1 (a translator's duties), RFC 7741 section 4.2 (PictureID, TL0PICIDX).
"""

from video.media.rtp import vp8_descriptor

_FORGOTTEN = 2048
"""Packets after a change of source before its first number is no longer compared with."""


class Rewriter:
    """Offsets of the source that is forwarded now. ``clock`` in Hz."""

    __slots__ = (
        "_at",
        "_first",
        "_picture",
        "_shown",
        "_top_picture",
        "clock",
        "sequence",
        "timestamp",
        "top",
        "top_timestamp",
    )

    def __init__(self, clock: int, sequence: int, timestamp: int) -> None:
        self.clock, self.top, self.top_timestamp = clock, sequence, timestamp
        self.sequence = self.timestamp = 0
        self._at, self._first = 0.0, -1
        self._picture: tuple[int, int] | None = None
        self._shown: tuple[bytes, int] = (b"", 0)
        self._top_picture = (-1, -1)

    def begin(self, sequence: int, timestamp: int, now: float, another: bool) -> None:
        """``sequence`` and ``timestamp`` come next; ``another`` says that their source is not that of before."""
        self.sequence = self.top + 1 - sequence & 0xFFFF
        self._first = sequence
        if another:
            since = max(1, round((now - self._at) * self.clock)) if self._at else 1
            self.timestamp = self.top_timestamp + since - timestamp & 0xFFFFFFFF

    def late(self, sequence: int) -> bool:
        """Whether a packet was sent before its source was taken: its number is another's by now."""
        if self._first < 0:
            return False
        ahead = sequence - self._first & 0xFFFF
        if _FORGOTTEN < ahead < 0x8000:
            self._first = -1
        return ahead >= 0x8000

    @property
    def settled(self) -> bool:
        """No packet can be late any more."""
        return self._first < 0

    def sent(self, sequence: int, timestamp: int, now: float) -> None:
        """``sequence`` and ``timestamp`` as they went out."""
        if sequence - self.top & 0x8000 == 0:
            self.top, self.top_timestamp, self._at = sequence, timestamp, now

    def begin_picture(self, packet: bytes, start: int) -> None:
        """The first VP8 packet of another source: its picture follows the last one."""
        picture, layer = _read(packet, start)
        last = _read(*self._shown)
        top_picture, top_layer = self._top_picture = last if last[0] >= 0 else self._top_picture
        by_picture = top_picture + 1 - picture & 0x7FFF if min(picture, top_picture) >= 0 else 0
        by_layer = top_layer + 1 - layer & 0xFF if min(layer, top_layer) >= 0 else 0
        self._picture = (by_picture, by_layer) if by_picture or by_layer else None

    def picture(self, packet: bytes, start: int) -> bytes:
        """``packet`` with its picture's numbers as they go out; marked as the last."""
        if self._picture is not None:
            packet = self._moved(packet, start, *self._picture)
        self._shown = packet, start
        return packet

    @staticmethod
    def _moved(packet: bytes, start: int, by_picture: int, by_layer: int) -> bytes:
        picture, layer = _read(packet, start)
        if picture < 0:
            return packet
        wide = bool(packet[start + 2] & 0x80)
        picture = picture + by_picture & (0x7FFF if wide else 0x7F)
        return _written(packet, start, wide, picture, layer + by_layer & 0xFF if layer >= 0 else -1)


def _read(packet: bytes, start: int) -> tuple[int, int]:
    """PictureID and TL0PICIDX, -1 for what is not there."""
    if len(packet) < start + 6 or not packet[start] & 0x80 or len(packet) < start + vp8_descriptor(packet, start):
        return -1, -1
    parts = packet[start + 1]
    if not parts & 0x80:
        return -1, -1
    wide = packet[start + 2] & 0x80
    picture = (packet[start + 2] & 0x7F) << 8 | packet[start + 3] if wide else packet[start + 2]
    return picture, packet[start + (4 if wide else 3)] if parts & 0x40 else -1


def _written(packet: bytes, start: int, wide: bool, picture: int, layer: int) -> bytes:
    at = start + 2
    numbers = (0x8000 | picture).to_bytes(2, "big") if wide else bytes([picture])
    if layer >= 0:
        numbers += bytes([layer])
    return packet[:at] + numbers + packet[at + len(numbers) :]
