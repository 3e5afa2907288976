"""One incoming stream: what is missing is asked for, what never comes becomes a key frame, repeats go no further."""

import asyncio
from typing import Any, cast

from video.media import rtcp
from video.media.history import wrapped
from video.media.rtp import SHORTEST
from video.media.tests.streams import KEY, OPUS, VP8, Kept, line, packet
from video.media.uplink import Uplink
from video.ports import Source


class Output:
    """A receiver that notes numbers."""

    def __init__(self) -> None:
        self.source: Any = None
        self.numbers: list[int] = []
        self.loss = 0

    def take(self, source: Any, now: float) -> None:
        self.source = source

    def pause(self, now: float) -> None:
        self.numbers.append(-1)

    def forward(self, packet: bytes, start: int, codec: str, now: float, send_time: int) -> None:
        self.numbers.append(int.from_bytes(packet[2:4], "big"))


def said(kept: Kept) -> list[rtcp.Said]:
    return [each for packet in kept.rtcp for each in rtcp.parse(packet)]


def test_holes_in_sound_and_picture_are_asked_for_and_filled_once() -> None:
    async def body() -> None:
        for source, codec in ((Source.CAMERA, VP8), (Source.MICROPHONE, OPUS)):
            kept, output, kind = Kept(), Output(), codec.payload_type
            uplink = Uplink(cast(Any, kept), line(source, -1, codec))
            uplink.give((cast(Any, output),), 0.0)
            for number in (10, 12, 12, 11, 11):
                uplink.received(packet(number, 0, KEY, kind), SHORTEST, 0.0)
            assert output.numbers == [10, 12, 11]
            assert rtcp.Nack(5, (11,)) in said(kept)
            assert kept.began_times == 1
            uplink.stop()

    asyncio.run(body())


def test_a_repair_is_the_packet_itself() -> None:
    async def body() -> None:
        kept, output = Kept(), Output()
        uplink = Uplink(cast(Any, kept), line(Source.CAMERA, -1, VP8))
        uplink.give((cast(Any, output),), 0.0)
        for number in (10, 12):
            uplink.received(packet(number, 0, KEY), SHORTEST, 0.0)
        for number in (11, 11, 40):
            uplink.repaired(wrapped(packet(number, 0, KEY), 97, 1, 6), SHORTEST, 0.0)
        assert output.numbers == [10, 12, 11]
        uplink.stop()

    asyncio.run(body())


def test_what_never_comes_becomes_a_key_frame() -> None:
    async def body() -> None:
        kept = Kept()
        uplink = Uplink(cast(Any, kept), line(Source.CAMERA, -1, VP8))
        for number in (10, 12):
            uplink.received(packet(number, 0, KEY), SHORTEST, 0.0)
        while rtcp.PictureLoss(5) not in said(kept):
            await asyncio.sleep(0.02)
        assert uplink.reception is not None and not uplink.reception.missing
        assert said(kept).count(rtcp.Nack(5, (11,))) > 3
        uplink.stop()

    asyncio.run(asyncio.wait_for(body(), 30))


def test_whoever_is_silenced_goes_nowhere() -> None:
    async def body() -> None:
        kept, output = Kept(), Output()
        uplink = Uplink(cast(Any, kept), line(Source.CAMERA, -1, VP8))
        uplink.give((cast(Any, output),), 0.0)
        uplink.silence(True, 0.0)
        uplink.received(packet(10, 0, KEY), SHORTEST, 0.0)
        assert output.numbers == [-1]
        uplink.silence(False, 0.0)
        uplink.received(packet(11, 0, KEY), SHORTEST, 0.0)
        assert output.numbers == [-1, -1, 11]
        uplink.stop()

    asyncio.run(body())


def test_reports_of_a_publisher_are_not_passed_on_faster_than_anybody_needs() -> None:
    class Reported(Output):
        def report(self, ntp: int, timestamp: int, now: float) -> None:
            self.numbers.append(ntp)

    async def body() -> None:
        kept, output = Kept(), Reported()
        uplink = Uplink(cast(Any, kept), line(Source.CAMERA, -1, VP8))
        uplink.outputs = (cast(Any, output),)
        uplink.received(packet(1, 0, KEY), SHORTEST, 1.0)
        for number in range(100):
            uplink.clocked(rtcp.SenderReport(5, number, number), 1.0 + number / 1000)
        uplink.stop()
        assert 0 in output.numbers and len([number for number in output.numbers if number > 0]) <= 2

    asyncio.run(body())
