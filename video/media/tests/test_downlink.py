"""One outgoing stream: it begins with a key frame, repeats what is asked for within bounds, and keeps its clocks."""

from typing import Any, cast

from video.media import rtcp
from video.media.counters import Dropped
from video.media.downlink import AGAIN, PATIENCE, Downlink
from video.media.history import unwrapped
from video.media.rtp import SHORTEST
from video.media.sdp import Sending
from video.media.tests.streams import DELTA, KEY, OPUS, VP8, Kept, line, packet, sequence
from video.ports import Source


class Publisher:
    clock = (7 << 32, 1000)


def downlink(kept: Kept) -> Downlink:
    made = Downlink(cast(Any, kept), line(Source.CAMERA, 0, VP8), Sending(70, 71))
    made.take(cast(Any, Publisher()), 1.0)
    return made


def test_a_picture_begins_with_a_key_frame_or_after_patience() -> None:
    for body, now, sent in ((DELTA, 1.1, 0), (KEY, 1.1, 1), (DELTA, 1.0 + PATIENCE, 1)):
        kept = Kept()
        downlink(kept).forward(packet(9, 0, body), SHORTEST, "vp8", now, 0)
        assert len(kept.rtp) == sent


def test_what_is_asked_for_is_sent_again_and_not_without_end() -> None:
    kept = Kept()
    made = downlink(kept)
    for number in range(3):
        made.forward(packet(number, 0, KEY), SHORTEST, "vp8", 1.1, 0)
    first = sequence(kept.rtp[0])
    made.resend((first + 1 & 0xFFFF, first + 9 & 0xFFFF))
    assert unwrapped(kept.rtp[3], 96, 70) == kept.rtp[1]
    made.resend((first,) * 2 * AGAIN)
    assert len(kept.rtp) == 3 + AGAIN == 3 + made.resent


def test_a_codec_that_was_not_offered_is_counted() -> None:
    kept = Kept()
    downlink(kept).forward(packet(9, 0, kind=OPUS.payload_type), SHORTEST, "h264", 1.1, 0)
    assert (kept.rtp, kept.counters[Dropped.CODEC]) == ([], 1)


def test_reports_move_the_publishers_clock_by_the_offset_of_the_stream() -> None:
    kept = Kept()
    made = downlink(kept)
    made.report(*Publisher.clock, 1.0)
    assert kept.rtcp == []
    made.forward(packet(9, 4000, KEY), SHORTEST, "vp8", 1.1, 0)
    made.report(8 << 32, 5000, 1.2)
    (said,) = (s for s in rtcp.parse(kept.rtcp[-1]) if isinstance(s, rtcp.SenderReport))
    there = int.from_bytes(kept.rtp[0][4:8], "big")
    assert (said.ssrc, said.ntp, said.timestamp - there & 0xFFFFFFFF) == (70, 8 << 32, 1000)
    took = made.reported(rtcp.Block(70, 12, 0, 0, 0, said.ntp >> 16 & 0xFFFFFFFF, 6554), 1.5)
    assert took is not None and abs(took - 0.2) < 0.001
    assert made.loss == 12
