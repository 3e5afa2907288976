"""What was sent a moment ago, to send it again: a ring of packets, and retransmission in a stream of its own.

RFC 4585 section 6.2.1 (generic NACK), RFC 4588 sections 4 and 8 (RTX, SSRC multiplexing).
"""

from video.media.rtp import HEADER, payload_start

SIZE = 512
LAST = SIZE - 1
"""Packets kept; a power of two. At 1.5 Mbit/s about three seconds."""


class History:
    """The last SIZE packets of one outgoing stream: that of a sequence number at its last bits (LAST) in ``ring``."""

    __slots__ = ("ring",)

    def __init__(self) -> None:
        self.ring: list[bytes] = [b""] * SIZE

    def get(self, sequence: int) -> bytes:
        """The packet, b'' when it is not kept (any more)."""
        packet = self.ring[sequence & LAST]
        return packet if packet and int.from_bytes(packet[2:4], "big") == sequence else b""


def wrapped(packet: bytes, payload_type: int, sequence: int, ssrc: int) -> bytes:
    """``packet`` as one of the retransmission stream: its own sequence number leads the payload."""
    start = payload_start(packet)
    flags, marker, original, timestamp, _ = HEADER.unpack_from(packet)
    head = HEADER.pack(flags, marker & 0x80 | payload_type, sequence, timestamp, ssrc)
    return bytes(head + packet[HEADER.size : start] + original.to_bytes(2, "big") + packet[start:])


def unwrapped(packet: bytes, payload_type: int, ssrc: int) -> bytes:
    """The packet that was sent again, b'' for a probe of padding only. Raises rtp.Malformed."""
    start = payload_start(packet)
    end = len(packet) - (packet[-1] if packet[0] & 0x20 else 0)
    if end < start + 3:
        return b""
    flags, marker, _, timestamp, _ = HEADER.unpack_from(packet)
    original = int.from_bytes(packet[start : start + 2], "big")
    head = HEADER.pack(flags & 0xDF, marker & 0x80 | payload_type, original, timestamp, ssrc)
    return head + packet[HEADER.size : start] + packet[start + 2 : end]
