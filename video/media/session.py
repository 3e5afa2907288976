"""One media session: a participant's transport, what it sends and what it receives.

RFC 9725 (the session), RFC 5761 (RTP and RTCP on one port), RFC 3550 section 6 (reports).
"""

import asyncio
import secrets
from collections.abc import Callable
from typing import Any, Protocol

import pylibsrtp
from aiortc.rtcdtlstransport import RTCCertificate

from video.media import rtcp, rtp
from video.media.counters import Counters, Dropped
from video.media.downlink import AGAIN, Downlink
from video.media.estimate import Estimate
from video.media.ice import Address
from video.media.limits import Limits
from video.media.sdp import Credentials, Offer, Sending
from video.media.srtp import Turned, opening, sealing
from video.media.transport import Dtls
from video.media.uplink import Uplink
from video.ports import MediaState, MediaStats, Source

Stream = Callable[[bytes, int, float], None]
"""What becomes of a packet in the clear whose payload begins at a place."""


class Wire(Protocol):
    """Where datagrams go out."""

    def send(self, datagram: bytes, address: Address) -> None: ...


class Session:
    """``told`` hears what happens; ``gone`` is called once when the other side ended it."""

    def __init__(
        self, room: str, member: str, offer: Offer, wire: Wire, certificate: RTCCertificate,
        counters: Counters, limits: Limits, told: "Callable[[Session, MediaState, Source | None], None]",
        gone: "Callable[[Session], None]",
    ) -> None:  # fmt: skip
        self.id, self.room, self.member, self.offer = secrets.token_urlsafe(12), room, member, offer
        self.counters, self.limits, self._told, self._gone = counters, limits, told, gone
        self.wire = wire
        self.address: Address | None = None
        self.addresses: list[Address] = []
        self.ssrc = secrets.randbits(31) | 1
        self.ufrags: list[Credentials] = []
        self.ready = self.lost = self.closed = False
        self.checks = self.strange = limits.checks
        self.budget, self.words = limits.session_packets, limits.control_octets
        self._ssrcs: set[bytes] = set()
        self.born = self.seen = asyncio.get_running_loop().time()
        self.octets_in = self.octets_out = self.packets_out = 0
        self.round_trip, self.estimate, self.takes = 0.0, 0, 0
        self._dtls = Dtls(certificate, offer.dtls, self._send, self._keyed, lambda: self._gone(self))
        self._estimator = Estimate()
        self.uplinks = {line.source: Uplink(self, line) for line in offer.lines if line.slot < 0 and line.codecs}
        self.downlinks: dict[tuple[int, Source], Downlink] = {}
        self.sending: dict[str, Sending] = {}
        self._arrange()
        self._streams: dict[bytes, Stream] = {}
        self._declare()
        self._unprotect: Turned = _no_keys
        self._unprotect_rtcp: Turned = _no_keys
        self._protect: Turned = _no_keys
        self._protect_rtcp: Turned = _no_keys

    def _arrange(self) -> None:
        """SSRCs of what is sent, all different."""
        ssrcs = iter({secrets.randbits(31) | 1 << 31 for _ in range(64)})
        for line in self.offer.lines:
            if line.slot >= 0 and line.codecs:
                repaired = line.kind == "video" and any(codec.rtx >= 0 for codec in line.codecs)
                sending = self.sending[line.mid] = Sending(next(ssrcs), next(ssrcs) if repaired else 0)
                self.downlinks[line.slot, line.source] = Downlink(self, line, sending)
        self._by_ssrc = {downlink.sending.ssrc: downlink for downlink in self.downlinks.values()}
        self._times = {u.line.mid: u.line.extensions.get("time", 0) for u in self.uplinks.values()}
        self._time = next((number for number in self._times.values() if number), 0)
        self._mid = next((n for u in self.uplinks.values() if (n := u.line.extensions.get("mid", 0))), 0)

    def _declare(self) -> None:
        """The SSRCs that the offer names."""
        for uplink in self.uplinks.values():
            for ssrc in uplink.line.ssrcs[:4]:
                self._streams[ssrc.to_bytes(4, "big")] = uplink.received
            for ssrc in list(uplink.line.repairs)[:4]:
                self._streams[ssrc.to_bytes(4, "big")] = uplink.repaired

    def checked(self, address: Address, nominated: bool, now: float) -> bool:
        """A connectivity check came from ``address``; whether the address is new."""
        self._alive(now)
        fresh = address not in self.addresses
        if fresh:
            self.addresses.append(address)
        if nominated or not self.address:
            self.address = address
        self._dtls.start()
        return fresh

    def handshake(self, datagram: bytes) -> None:
        if not self._dtls.received(datagram):
            self.counters[Dropped.FLOOD] += 1

    def _keyed(self) -> None:
        received, sent = self._dtls.keys()
        self._unprotect, self._unprotect_rtcp = opening(received)
        self._protect, self._protect_rtcp = sealing(sent)
        self.ready = True
        self._told(self, MediaState.CONNECTED, None)

    def _alive(self, now: float) -> None:
        self.seen = now
        if self.lost:
            self.lost = False
            self._told(self, MediaState.RETURNED, None)

    def received(self, datagram: bytes, now: float) -> None:
        """SRTP or SRTCP, the hot path."""
        self.budget -= 1
        if self.budget < 0 or not self.ready:
            self.counters[Dropped.CAP if self.ready else Dropped.UNKNOWN] += 1
            return
        try:
            if len(datagram) > 1 and 192 <= datagram[1] <= 223:
                self._controlled(datagram, now)
                return
            stream = self._streams.get(datagram[8:12])
            if stream is None and not self._affordable(datagram[8:12]):
                self.counters[Dropped.STRANGE] += 1
                return
            packet = self._unprotect(datagram)
            if stream is None:
                self._ssrcs.add(packet[8:12])
                stream = self._bind(packet)
            if stream is None:
                self.counters[Dropped.STRANGE] += 1
                return
            if self.lost:
                self._alive(now)
            self.seen = now
            self.octets_in += len(datagram)
            start, sent = rtp.opened(packet, self._time)
            if sent >= 0:
                self.estimate = self._estimator.add(sent, len(packet), now)
            stream(packet, start, now)
        except pylibsrtp.Error:
            self.counters[Dropped.SRTP] += 1
        except rtp.Malformed:
            self.counters[Dropped.MALFORMED] += 1

    def _affordable(self, ssrc: bytes) -> bool:
        """libsrtp keeps a stream for good for each SSRC that it ever opened a packet of."""
        return ssrc in self._ssrcs or len(self._ssrcs) < self.limits.ssrcs

    def _controlled(self, datagram: bytes, now: float) -> None:
        """SRTCP, of which few octets ask for much work: so much of it in a second and no more."""
        self.words -= len(datagram)
        ssrc = datagram[4:8]
        if self.words < 0 or not self._affordable(ssrc):
            self.counters[Dropped.CAP if self.words < 0 else Dropped.STRANGE] += 1
            return
        compound = self._unprotect_rtcp(datagram)
        self._ssrcs.add(ssrc)
        self._control(compound, now)

    def _bind(self, packet: bytes) -> Stream | None:
        """An SSRC that the offer did not name: by its mid, then by its payload type (RFC 8843 section 9.2)."""
        if len(packet) < rtp.SHORTEST or len(self._streams) >= self.limits.streams:
            return None
        mid = rtp.extensions(packet).get(self._mid, b"").decode("ascii", "replace") if self._mid else ""
        kind = packet[1] & 0x7F
        fit = [u for u in self.uplinks.values() if u.speaks(kind)]
        named = [u for u in fit if u.line.mid == mid] if mid else []
        chosen = named or (fit if len(fit) == 1 else [])
        if not chosen:
            return None
        stream = chosen[0].repaired if chosen[0].repairs(kind) else chosen[0].received
        self._streams[packet[8:12]] = stream
        return stream

    def _control(self, compound: bytes, now: float) -> None:
        if self.lost:
            self._alive(now)
        self.seen = now
        for said in rtcp.parse(compound):
            _HEARD[type(said)](self, said, now)

    def _heard_block(self, block: rtcp.Block, now: float) -> None:
        downlink = self._by_ssrc.get(block.ssrc)
        took = downlink.reported(block, now) if downlink is not None else None
        if took is not None:
            self.round_trip = took if not self.round_trip else self.round_trip * 0.875 + took * 0.125

    def _heard_report(self, report: rtcp.SenderReport, now: float) -> None:
        for uplink in self.uplinks.values():
            if uplink.reception is not None and uplink.reception.ssrc == report.ssrc:
                uplink.clocked(report, now)

    def _heard_nack(self, asked: rtcp.Nack, now: float) -> None:
        downlink = self._by_ssrc.get(asked.ssrc)
        if downlink is not None:
            downlink.resend(asked.sequences)

    def _heard_picture_loss(self, asked: rtcp.PictureLoss, now: float) -> None:
        downlink = self._by_ssrc.get(asked.ssrc)
        if downlink is not None and downlink.source is not None:
            downlink.source.want_key_frame()

    def _heard_remb(self, limit: rtcp.Remb, now: float) -> None:
        self.takes = limit.bitrate

    def _heard_bye(self, bye: rtcp.Bye, now: float) -> None:
        """A source that ends is seen to be silent soon enough."""

    def began(self, uplink: Uplink) -> None:
        """The first packet of a source, or the first after silence."""
        uplink.sending = True
        self._told(self, MediaState.SENDING, uplink.source)
        if uplink.outputs:
            uplink.want_key_frame()

    def _send(self, datagram: bytes) -> None:
        if self.address:
            self.wire.send(datagram, self.address)

    def send_rtp(self, packet: bytes) -> None:
        if self.ready and self.address is not None:
            datagram = self._protect(packet)
            self.packets_out += 1
            self.octets_out += len(datagram)
            self.wire.send(datagram, self.address)

    def send_rtcp(self, packet: bytes) -> None:
        if self.ready:
            self._send(self._protect_rtcp(packet))

    def tick(self, now: float, budget: int) -> None:
        """Once a second: allowances, reports, who fell silent."""
        self.checks = self.strange = self.limits.checks
        self.budget, self.words = budget, self.limits.control_octets
        for downlink in self.downlinks.values():
            downlink.again = AGAIN
        if not self.ready:
            return
        self._report(now)
        for uplink in self.uplinks.values():
            if uplink.sending and now - uplink.last > self.limits.silent_after:
                uplink.sending = False
                self._told(self, MediaState.SILENT, uplink.source)
        if not self.lost and now - self.seen > self.limits.lost_after:
            self.lost = True
            self._told(self, MediaState.LOST, None)

    def _report(self, now: float) -> None:
        active = [u for u in self.uplinks.values() if u.reception is not None]
        blocks = [u.reception.block(now, u.worst()) for u in active if u.reception is not None and u.sending]
        compound = rtcp.receiver_report(self.ssrc, blocks)
        videos = [u.reception.ssrc for u in active if u.line.kind == "video" and u.reception is not None]
        bitrate = self.bitrate()
        if bitrate and videos:
            compound += rtcp.remb(self.ssrc, bitrate, videos)
        self.send_rtcp(compound)

    def bitrate(self) -> int:
        """What this side should send at most (bit/s): by its own way, and by the ways of those who receive it."""
        receivers = {output.session for uplink in self.uplinks.values() for output in uplink.outputs}
        shares = [receiver.takes // max(1, receiver.sources()) for receiver in receivers if receiver.takes]
        limits = [limit for limit in (self.estimate, *shares) if limit]
        return max(self.limits.least_bitrate, min(limits)) if limits else 0

    def sources(self) -> int:
        """From how many members pictures come to this one."""
        return len({d.source.session for d in self.downlinks.values() if d.source is not None and d.source.sending})

    def stats(self) -> MediaStats:
        got = [u.reception for u in self.uplinks.values() if u.reception is not None]
        due, count = sum(r.due for r in got), sum(r.count for r in got)
        return MediaStats(
            received=count,
            sent=self.packets_out,
            bytes_received=self.octets_in,
            bytes_sent=self.octets_out,
            lost=round(max(0.0, (due - count) * 100 / due), 2) if due else 0.0,
            jitter=round(max((r.jitter for r in got), default=0.0), 1),
            round_trip=round(self.round_trip * 1000, 1),
        )

    async def stop(self) -> None:
        self.closed, self.ready = True, False
        for uplink in self.uplinks.values():
            uplink.stop()
        await self._dtls.stop()


def _no_keys(packet: bytes) -> bytes:
    raise pylibsrtp.Error("no keys yet")


_HEARD: dict[type, Callable[[Session, Any, float], None]] = {
    rtcp.Block: Session._heard_block,
    rtcp.SenderReport: Session._heard_report,
    rtcp.Nack: Session._heard_nack,
    rtcp.PictureLoss: Session._heard_picture_loss,
    rtcp.Remb: Session._heard_remb,
    rtcp.Bye: Session._heard_bye,
}
