"""Lines and sessions for tests of one stream: what it sends is kept, nothing goes over a socket.

RFC 3550 section 5.1.
"""

from typing import Any

from video.media.counters import Counters
from video.media.limits import Limits
from video.media.rtp import HEADER
from video.media.sdp import Codec, Line
from video.ports import Source


class Kept:
    """The end of a stream in place of a session: lists of what went out."""

    def __init__(self) -> None:
        self.rtp: list[bytes] = []
        self.rtcp: list[bytes] = []
        self.counters, self.limits = Counters(), Limits()
        self.ssrc, self.round_trip, self.ready, self.member = 1, 0.02, True, "a"
        self.began_times = 0

    def send_rtp(self, packet: bytes) -> None:
        self.rtp.append(packet)

    def send_rtcp(self, packet: bytes) -> None:
        self.rtcp.append(packet)

    def began(self, uplink: Any) -> None:
        uplink.sending = True
        self.began_times += 1


def line(source: Source, slot: int, *codecs: Codec) -> Line:
    return Line(f"{slot}{source}", source, slot, codecs, {}, (), {})


VP8, OPUS = Codec("vp8", 96, 97, ""), Codec("opus", 111, -1, "")
KEY, DELTA = b"\x10\x00", b"\x10\x01"
"""Payloads of VP8 in which a key frame begins, and in which none does."""


def packet(sequence: int, timestamp: int, body: bytes = DELTA, kind: int = 96, ssrc: int = 5) -> bytes:
    return HEADER.pack(0x80, kind, sequence & 0xFFFF, timestamp, ssrc) + body


def sequence(sent: bytes) -> int:
    return int.from_bytes(sent[2:4], "big")
