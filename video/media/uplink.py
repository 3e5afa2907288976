"""One section that a participant sends: what comes is counted, repaired and handed to those who receive it.

RFC 3550 section 6.4, RFC 4585 (NACK), RFC 4588 (RTX), RFC 5104 (key frames); never decoded.
"""

import asyncio
from typing import TYPE_CHECKING

from video.media import rtcp
from video.media.downlink import Downlink
from video.media.history import unwrapped
from video.media.keyframes import KeyFrames
from video.media.reception import Reception, patience
from video.media.rtp import HEADER
from video.media.sdp import CLOCK, Line
from video.ports import Captured, Sink

if TYPE_CHECKING:
    from video.media.session import Session

REPORTS = 0.05
"""Seconds between two of a publisher's reports that are passed on: each goes out once for everybody who receives."""


class Uplink:
    """``line`` of ``session``."""

    def __init__(self, session: "Session", line: Line) -> None:
        self.session, self.line, self.source = session, line, line.source
        self.outputs: tuple[Downlink, ...] = ()
        self.silenced = False
        self.tap: Sink | None = None
        self.reception: Reception | None = None
        self.clock: tuple[int, int] | None = None
        self.key_frames = KeyFrames(self._ask_key_frame)
        self.last, self._clocked = 0.0, float("-inf")
        self.sending = False
        self._codecs = {codec.payload_type: codec.name for codec in line.codecs}
        self._repairs = {codec.rtx: codec.payload_type for codec in line.codecs if codec.rtx >= 0}
        self._timer: asyncio.TimerHandle | None = None

    def speaks(self, payload_type: int) -> bool:
        """Whether it is a payload type of this line."""
        return payload_type in self._codecs or payload_type in self._repairs

    def repairs(self, payload_type: int) -> bool:
        return payload_type in self._repairs

    def received(self, packet: bytes, start: int, now: float) -> None:
        """One packet in the clear, its payload at ``start``."""
        _, kind, sequence, timestamp, ssrc = HEADER.unpack_from(packet)
        codec = self._codecs.get(kind & 0x7F)
        if codec is None:
            return
        reception = self.reception
        if reception is None or reception.ssrc != ssrc:
            reception = self._begin(ssrc, sequence)
        if not reception.add(sequence, timestamp, now):
            return
        reception.octets += len(packet)
        self.last = now
        if reception.missing and self._timer is None:
            self._ask_again()
        if not self.sending:
            self.session.began(self)
        if self.tap is not None:
            self.tap(Captured(self.session.member, self.source, codec, packet, self.clock, now))
        if self.silenced or not self.outputs:
            return
        send_time = int(now * 262144) & 0xFFFFFF
        for output in self.outputs:
            output.forward(packet, start, codec, now, send_time)

    def _begin(self, ssrc: int, sequence: int) -> Reception:
        """The first packet of a source, or of the one that took its place."""
        self.clock = None
        self.reception = Reception(ssrc, CLOCK[self.line.kind], sequence)
        return self.reception

    def repaired(self, packet: bytes, start: int, now: float) -> None:
        """A packet of the retransmission stream. Raises rtp.Malformed."""
        payload_type = self._repairs.get(packet[1] & 0x7F)
        if payload_type is None or self.reception is None:
            return
        inner = unwrapped(packet, payload_type, self.reception.ssrc)
        if inner and int.from_bytes(inner[2:4], "big") in self.reception.missing:
            self.received(inner, start, now)

    def give(self, outputs: tuple[Downlink, ...], now: float) -> None:
        """Those who receive it from now on; a newcomer gets a key frame."""
        fresh = [output for output in outputs if output.source is not self]
        for output in fresh:
            output.take(self, now)
        self.outputs = outputs
        if fresh:
            self.want_key_frame()

    def silence(self, silenced: bool, now: float) -> None:
        if silenced is self.silenced:
            return
        self.silenced = silenced
        for output in self.outputs:
            output.pause(now)
        if not silenced:
            self.want_key_frame()

    def want_key_frame(self) -> None:
        if self.line.kind == "video" and self.reception is not None and self.session.ready:
            self.key_frames.want()

    def _ask_key_frame(self) -> None:
        if self.reception is not None:
            self.session.send_rtcp(rtcp.picture_loss(self.session.ssrc, self.reception.ssrc))

    def _ask_again(self) -> None:
        """NACK what is missing, and again while something is."""
        self._timer = None
        if self.reception is None:
            return
        loop, pause, before = asyncio.get_running_loop(), patience(self.session.round_trip), self.reception.abandoned
        wanted = self.reception.wanted(loop.time(), pause)
        if wanted:
            self.session.send_rtcp(rtcp.nack(self.session.ssrc, self.reception.ssrc, wanted))
        if self.reception.abandoned > before:
            self.want_key_frame()
        if self.reception.missing:
            self._timer = loop.call_later(pause, self._ask_again)

    def clocked(self, report: rtcp.SenderReport, now: float) -> None:
        """The publisher's report, passed on in the terms of each who receives it."""
        if self.reception is None or now - self._clocked < REPORTS:
            return
        self._clocked = now
        self.reception.reported(report.ntp, now)
        self.clock = (report.ntp, report.timestamp)
        if not self.silenced:
            for output in self.outputs:
                output.report(report.ntp, report.timestamp, now)

    def worst(self) -> int:
        """The largest loss (256ths) of those who receive it: Opus sends more for repair then (RFC 7587, 3.3)."""
        return max((output.loss for output in self.outputs), default=0)

    def stop(self) -> None:
        self.key_frames.stop()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
