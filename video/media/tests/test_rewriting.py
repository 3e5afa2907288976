"""One stream out of several: numbers rise by one, timestamps never go back, late packets of before are left out."""

from hypothesis import given
from hypothesis import strategies as st

from video.media.history import LAST, History, unwrapped, wrapped
from video.media.rewriting import Rewriter
from video.media.rtp import HEADER

NUMBER, STAMP = st.integers(0, 65535), st.integers(0, (1 << 32) - 1)


@given(st.lists(st.tuples(NUMBER, STAMP), min_size=2, max_size=5), NUMBER, STAMP)
def test_sources_follow_each_other_without_a_break(sources: list[tuple[int, int]], top: int, stamp: int) -> None:
    rewriter = Rewriter(90000, top, stamp)
    expected, before, now = top, stamp, 1.0
    for sequence, timestamp in sources:
        rewriter.begin(sequence, timestamp, now, True)
        for step in range(3):
            out = sequence + step + rewriter.sequence & 0xFFFF
            clock = timestamp + 3000 * step + rewriter.timestamp & 0xFFFFFFFF
            expected = expected + 1 & 0xFFFF
            assert out == expected
            assert clock != before and clock - before & 0x80000000 == 0
            rewriter.sent(out, clock, now)
            before, now = clock, now + 0.033
        assert rewriter.late(sequence - 1 & 0xFFFF)
        assert not rewriter.late(sequence + 1 & 0xFFFF)


def vp8(picture: int, layer: int) -> bytes:
    return bytes(12) + bytes([0x90, 0xC0]) + (0x8000 | picture).to_bytes(2, "big") + bytes([layer, 0x10, 0])


@given(st.integers(0, 0x7FFF), st.integers(0, 255), st.integers(0, 0x7FFF), st.integers(0, 255))
def test_pictures_of_another_source_go_on_counting(one: int, layer: int, other: int, other_layer: int) -> None:
    rewriter = Rewriter(90000, 0, 0)
    rewriter.begin_picture(vp8(one, layer), 12)
    assert rewriter.picture(vp8(one, layer), 12) == vp8(one, layer)
    rewriter.begin_picture(vp8(other, other_layer), 12)
    assert rewriter.picture(vp8(other, other_layer), 12) == vp8(one + 1 & 0x7FFF, layer + 1 & 0xFF)


@given(st.binary(max_size=30))
def test_any_payload_passes_the_picture_rewriter(body: bytes) -> None:
    rewriter = Rewriter(90000, 0, 0)
    rewriter.begin_picture(vp8(7, 7), 12)
    rewriter.picture(vp8(7, 7), 12)
    if body:
        rewriter.begin_picture(bytes(12) + body, 12)
        assert len(rewriter.picture(bytes(12) + body, 12)) == 12 + len(body)


@given(NUMBER, st.binary(min_size=1, max_size=40))
def test_what_is_sent_again_is_what_was_sent(sequence: int, body: bytes) -> None:
    packet = HEADER.pack(0x80, 0x80 | 97, sequence, 9, 11) + body
    assert unwrapped(wrapped(packet, 98, 5, 12), 97, 11) == packet
    history = History()
    history.ring[sequence & LAST] = packet
    assert history.get(sequence) == packet
    assert history.get(sequence + 512 & 0xFFFF) == b""
