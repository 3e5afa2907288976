"""RTCP as bytes: any bytes are read or refused, and what is written says what was meant to aiortc as well."""

from aiortc import rtp
from hypothesis import given
from hypothesis import strategies as st

from video.media import rtcp
from video.media.rtp import Malformed

NUMBERS = st.integers(0, 65535)
SSRC = st.integers(1, (1 << 32) - 1)
PACKETS = st.builds(
    lambda count, kind, body: bytes([0x80 | count, kind]) + (len(body) // 4).to_bytes(2, "big") + body,
    st.integers(0, 63),
    st.integers(199, 208),
    st.binary(max_size=80).map(lambda body: body[: len(body) // 4 * 4]),
)


@given(st.binary(max_size=120) | st.lists(PACKETS, max_size=4).map(b"".join))
def test_any_bytes_are_read_or_refused(compound: bytes) -> None:
    try:
        said = rtcp.parse(compound)
    except Malformed:
        return
    assert all(isinstance(one, rtcp.Said) for one in said)


@given(SSRC, st.sets(NUMBERS, min_size=1, max_size=20))
def test_a_nack_names_what_is_missing(ssrc: int, lost: set[int]) -> None:
    written = rtcp.nack(5, ssrc, sorted(lost))
    (said,) = rtcp.parse(written)
    assert isinstance(said, rtcp.Nack)
    assert (said.ssrc, set(said.sequences)) == (ssrc, lost)
    (theirs,) = rtp.RtcpPacket.parse(written)
    assert set(theirs.lost) == lost


@given(st.integers(1, 10**9), st.lists(SSRC, min_size=1, max_size=4))
def test_a_bitrate_is_told_as_aiortc_reads_it(bitrate: int, ssrcs: list[int]) -> None:
    written = rtcp.remb(5, bitrate, ssrcs)
    (said,) = rtcp.parse(written)
    (theirs,) = rtp.RtcpPacket.parse(written)
    assert rtp.unpack_remb_fci(theirs.fci) == (said.bitrate, ssrcs)
    assert bitrate * 0.9999 <= said.bitrate + 1 <= bitrate + 1


def test_reports_are_read_by_aiortc() -> None:
    block = rtcp.Block(9, 12, 34, 56, 78, 90, 11)
    (theirs,) = rtp.RtcpPacket.parse(rtcp.receiver_report(5, [block]))
    assert (theirs.reports[0].fraction_lost, theirs.reports[0].packets_lost) == (12, 34)
    report, names = rtp.RtcpPacket.parse(rtcp.sender_report(5, 1 << 40, 77, 3, 400, b"slot-0"))
    assert (report.sender_info.ntp_timestamp, report.sender_info.rtp_timestamp) == (1 << 40, 77)
    assert names.chunks[0].items == [(1, b"slot-0")]
