"""Whole sessions over real sockets: codecs, repair of what is lost, the clocks of sound and picture."""

import asyncio
from collections.abc import Callable
from typing import Any

from aiortc.rtp import RtcpSrPacket, RtpPacket

from video.media.backend import ForwardingBackend
from video.media.rtp import payload_start
from video.media.tests.pair import Numbered, Peer
from video.media.tests.wire import Watched

Run = Callable[..., None]


async def both(one: Peer, two: Peer) -> None:
    await asyncio.gather(one.join(), two.join())
    one.backend.permit(one.room, frozenset((one.member, two.member)))


def test_h264_goes_from_one_to_the_other(visit: Run) -> None:
    async def body(backend: ForwardingBackend, port: Watched) -> None:
        one, two = (Peer(backend, "r", m, light, codec="H264") for m, light in (("a", 60), ("b", 200)))
        await both(one, two)
        assert {c.name for line in backend._found(one.session).offer.lines[1:2] for c in line.codecs} == {"h264"}
        await asyncio.wait_for(asyncio.gather(one.closely(200), two.closely(60)), 20)
        await asyncio.gather(one.leave(), two.leave())

    visit(body)


def test_a_lost_packet_is_sent_again_in_its_own_stream(visit: Run) -> None:
    async def body(backend: ForwardingBackend, port: Watched) -> None:
        one, two = Peer(backend, "r", "a", 60), Peer(backend, "r", "b", 200)
        await both(one, two)
        await asyncio.wait_for(one.closely(200), 20)
        line = backend._found(one.session).offer.lines[4]
        ssrc, repair = backend._found(one.session).sending[line.mid].ssrc, line.codecs[0].rtx
        lost: list[int] = []
        repaired: list[int] = []

        def loses(datagram: bytes) -> bool:
            if len(lost) == 3 or datagram[8:12] != ssrc.to_bytes(4, "big"):
                return False
            lost.append(int.from_bytes(datagram[2:4], "big"))
            return True

        transport = one.pc.getTransceivers()[4].receiver.transport
        handle = transport._handle_rtp_data

        async def seen(data: bytes, arrival_time_ms: int) -> None:
            if data[1] & 0x7F == repair:
                repaired.append(int.from_bytes(data[payload_start(data) :][:2], "big"))
            await handle(data, arrival_time_ms)

        transport._handle_rtp_data = seen
        port.loses = loses
        while not set(lost) <= set(repaired) or len(lost) < 3:
            await asyncio.sleep(0.02)
        assert sum(d.resent for d in backend._found(one.session).downlinks.values()) >= 3
        await asyncio.gather(one.leave(), two.leave())

    visit(body)


class Clocks:
    """When packets with a number were taken, by one side: the NTP time that its reports give to their timestamps."""

    def __init__(self, clock: int) -> None:
        self.clock = clock
        self.reports: dict[int, int] = {}
        self.stamps: dict[int, int] = {}

    def report(self, packet: RtcpSrPacket) -> None:
        self.reports[packet.sender_info.ntp_timestamp] = packet.sender_info.rtp_timestamp

    def taken(self, number: int, ntp: int) -> int:
        """Ticks of the media clock from the report of ``ntp`` to the packet."""
        ahead = self.stamps[number] - self.reports[ntp] & 0xFFFFFFFF
        return ahead - (1 << 32) if ahead >> 31 else ahead


def listen(peer: Peer, index: int, clocks: Clocks) -> None:
    receiver = peer.pc.getTransceivers()[index].receiver

    async def came(packet: RtpPacket, arrival_time_ms: int) -> None:
        clocks.stamps[int.from_bytes(packet.payload[-8:], "big")] = packet.timestamp

    async def told(packet: Any) -> None:
        if isinstance(packet, RtcpSrPacket):
            clocks.report(packet)

    receiver._handle_rtp_packet, receiver._handle_rtcp_packet = came, told


def note(peer: Peer, sent: dict[int, Clocks]) -> None:
    """What ``peer`` sends, by the index of its line."""
    by_ssrc = {peer.pc.getTransceivers()[index].sender._ssrc: clocks for index, clocks in sent.items()}
    transport = peer.pc.getTransceivers()[0].sender.transport
    send = transport._send_rtp

    async def sending(data: bytes) -> None:
        if data[1] == 200:
            clocks = by_ssrc.get(int.from_bytes(data[4:8], "big"))
            if clocks is not None:
                clocks.reports[int.from_bytes(data[8:16], "big")] = int.from_bytes(data[16:20], "big")
        elif int.from_bytes(data[8:12], "big") in by_ssrc:
            clocks = by_ssrc[int.from_bytes(data[8:12], "big")]
            clocks.stamps[int.from_bytes(data[-8:], "big")] = int.from_bytes(data[4:8], "big")
        await send(data)

    transport._send_rtp = sending


def test_sound_and_picture_of_a_newcomer_keep_their_clocks(visit: Run) -> None:
    """After a slot changed hands the reports that come say of each packet the time that the newcomer said of it."""

    async def body(backend: ForwardingBackend, port: Watched) -> None:
        one, two, three = (Peer(backend, "r", member, 60) for member in "abc")
        senders = [t.sender for t in three.pc.getTransceivers()[:2]]
        senders[0].replaceTrack(Numbered("audio", 50, 48000))
        senders[1].replaceTrack(Numbered("video", 30, 90000))
        for peer in (one, two, three):
            await peer.join()
        backend.permit("r", frozenset("ab"))
        await asyncio.wait_for(one.closely(60), 20)
        sent, heard = ([Clocks(48000), Clocks(90000)] for _ in range(2))
        note(three, dict(enumerate(sent)))
        for index in (0, 1):
            listen(one, 3 + index, heard[index])
        backend.permit("r", frozenset("ac"))
        for there, here in zip(sent, heard, strict=True):
            while not (set(there.reports) & set(here.reports) and set(there.stamps) & set(here.stamps)):
                await asyncio.sleep(0.05)
            for ntp in set(there.reports) & set(here.reports):
                for number in set(there.stamps) & set(here.stamps):
                    assert here.taken(number, ntp) == there.taken(number, ntp)
        await asyncio.gather(*(peer.leave() for peer in (one, two, three)))

    visit(body)
