"""One section that a participant receives: whatever source it is given leaves as one stream without a break.

RFC 3550 section 7.1, RFC 4588 (RTX), RFC 4585 (NACK), RFC 8285 (abs-send-time, for the receiver's estimate).
"""

import secrets
from typing import TYPE_CHECKING

from video.media import rtcp
from video.media.counters import Dropped
from video.media.history import LAST, History, wrapped
from video.media.rewriting import Rewriter
from video.media.rtp import HEADER, STARTS_PICTURE, WITH_TIME
from video.media.sdp import CLOCK, Line, Sending, stream

if TYPE_CHECKING:
    from video.media.session import Session
    from video.media.uplink import Uplink

PATIENCE = 3.0
"""Seconds to wait for a key frame: a picture that is encrypted end to end may not show where it starts."""
AGAIN = 300
"""Packets sent again in a second, at most."""


class Downlink:
    """``line`` of ``session``; ``sending`` are its SSRCs."""

    def __init__(self, session: "Session", line: Line, sending: Sending) -> None:
        self.session, self.line, self.sending = session, line, sending
        self.source: Uplink | None = None
        self.types = {codec.name: codec.payload_type for codec in line.codecs}
        self._rtx = {codec.payload_type: codec.rtx for codec in line.codecs}
        self._time_id = line.extensions.get("time", 0)
        self._time_word = self._time_id << 28 | 2 << 24
        self._rewriter = Rewriter(CLOCK[line.kind], secrets.randbits(16), secrets.randbits(32))
        self._history = History()
        self._kept = self._history.ring
        self._rtx_sequence = secrets.randbits(15)
        self._unsettled = self._waiting = True
        self._since, self._before = 0.0, 0
        self.again = AGAIN
        self.packets = self.octets = self.resent = 0
        self.loss = 0
        self._reports: dict[int, float] = {}

    def take(self, source: "Uplink | None", now: float) -> None:
        """From now on packets of ``source``; a picture begins with the next key frame."""
        if source is self.source:
            return
        self.source = source
        self.pause(now)

    def pause(self, now: float) -> None:
        """There is a hole: what comes next goes on where the last packet ended."""
        self._unsettled = self._waiting = True
        self._since = now

    def forward(self, packet: bytes, start: int, codec: str, now: float, send_time: int) -> None:
        """The hot path: ``packet`` in the clear, its payload at ``start``; ``send_time`` in 2**-18 s, 24 bits."""
        flags, kind, sequence, timestamp, _ = HEADER.unpack_from(packet)
        payload_type = self.types.get(codec)
        if payload_type is None:
            self.session.counters[Dropped.CODEC] += 1
            return
        rewriter = self._rewriter
        if self._unsettled and not self._settle(packet, start, codec, now):
            return
        sequence = sequence + rewriter.sequence & 0xFFFF
        timestamp = timestamp + rewriter.timestamp & 0xFFFFFFFF
        if codec == "vp8":
            packet = rewriter.picture(packet, start)
        kind = kind & 0x80 | payload_type
        if self._time_id:
            word = self._time_word | send_time
            head = WITH_TIME.pack(flags & 0x20 | 0x90, kind, sequence, timestamp, self.sending.ssrc, 0xBEDE, 1, word)
        else:
            head = HEADER.pack(flags & 0x20 | 0x80, kind, sequence, timestamp, self.sending.ssrc)
        out = head + packet[start:]
        self._kept[sequence & LAST] = out
        rewriter.sent(sequence, timestamp, now)
        self.packets += 1
        self.octets += len(out)
        self.session.send_rtp(out)

    def _settle(self, packet: bytes, start: int, codec: str, now: float) -> bool:
        """Whether ``packet`` may go out although the source was taken only just now."""
        if self._waiting:
            begins = STARTS_PICTURE.get(codec)
            if begins is not None and not begins(packet, start) and now - self._since < PATIENCE:
                return False
            self._begin(packet, start, codec, now)
            return True
        if self._rewriter.late(int.from_bytes(packet[2:4], "big")):
            return False
        self._unsettled = not self._rewriter.settled
        return True

    def _begin(self, packet: bytes, start: int, codec: str, now: float) -> None:
        _, _, sequence, timestamp, ssrc = HEADER.unpack_from(packet)
        another = ssrc != self._before
        self._rewriter.begin(sequence, timestamp, now, another)
        if another and codec == "vp8":
            self._rewriter.begin_picture(packet, start)
        self._before, self._waiting = ssrc, False
        if self.source is not None and self.source.clock is not None:
            self.report(*self.source.clock, now)

    def report(self, ntp: int, timestamp: int, now: float) -> None:
        """The publisher's clocks as they are in this stream: sound and picture of one stay together."""
        if self._waiting or not self.packets:
            return
        self._reports[ntp >> 16 & 0xFFFFFFFF] = now
        while len(self._reports) > 8:
            del self._reports[next(iter(self._reports))]
        there = timestamp + self._rewriter.timestamp & 0xFFFFFFFF
        name = stream(self.line).encode()
        self.session.send_rtcp(rtcp.sender_report(self.sending.ssrc, ntp, there, self.packets, self.octets, name))

    def reported(self, block: rtcp.Block, now: float) -> float | None:
        """What the receiver says; the round trip (s) when it answers a report of ours."""
        self.loss = block.fraction
        sent = self._reports.get(block.last) if block.last else None
        return max(0.0, now - sent - block.delay / 65536) if sent is not None else None

    def resend(self, sequences: tuple[int, ...]) -> None:
        """What the receiver misses, when it is still there and not too much of it."""
        for sequence in sequences:
            packet = self._history.get(sequence)
            if packet and self.again > 0:
                self.again -= 1
                self.resent += 1
                self.session.send_rtp(self._repaired(packet))

    def _repaired(self, packet: bytes) -> bytes:
        rtx = self._rtx.get(packet[1] & 0x7F, -1)
        if rtx < 0 or not self.sending.rtx:
            return packet
        self._rtx_sequence = self._rtx_sequence + 1 & 0xFFFF
        return wrapped(packet, rtx, self._rtx_sequence, self.sending.rtx)
