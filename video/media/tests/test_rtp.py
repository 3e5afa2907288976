"""RTP as bytes: any bytes at all are read or refused; what aiortc wrote is read."""

from aiortc.rtcrtpparameters import RTCRtpHeaderExtensionParameters, RTCRtpParameters
from aiortc.rtp import HeaderExtensions, HeaderExtensionsMap, RtpPacket
from hypothesis import given
from hypothesis import strategies as st

from video.media import rtp

HEADS = st.builds(bytes.__add__, st.sampled_from([b"\x80", b"\x90", b"\xb0", b"\x9f"]), st.binary(max_size=60))


@given(st.binary(max_size=80) | HEADS)
def test_any_bytes_are_read_or_refused(packet: bytes) -> None:
    try:
        start = rtp.payload_start(packet)
        rtp.extensions(packet)
        if len(packet) >= rtp.SHORTEST:
            assert rtp.opened(packet, 3)[0] == start
        rtp.payload(packet, start)
    except rtp.Malformed:
        return
    for starts in rtp.STARTS_PICTURE.values():
        assert starts(packet, start) in (True, False)


@given(st.integers(0, 65535), st.binary(min_size=1, max_size=50), st.integers(0, (1 << 24) - 1))
def test_what_aiortc_writes_is_read(sequence: int, body: bytes, sent: int) -> None:
    names = HeaderExtensionsMap()
    uri = "http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time"
    names.configure(RTCRtpParameters(headerExtensions=[RTCRtpHeaderExtensionParameters(id=3, uri=uri)]))
    packet = RtpPacket(payload_type=97, sequence_number=sequence, timestamp=5, ssrc=7, payload=body)
    packet.extensions = HeaderExtensions(abs_send_time=sent)
    wire = packet.serialize(names)
    assert wire[rtp.payload_start(wire) :] == body
    assert rtp.extensions(wire)[3] == sent.to_bytes(3, "big")
    assert rtp.opened(wire, 3) == (rtp.payload_start(wire), sent)
    assert rtp.opened(wire, 4)[1] == rtp.opened(wire, 0)[1] == -1


@given(st.dictionaries(st.integers(1, 14), st.binary(min_size=1, max_size=5), max_size=6), st.booleans())
def test_an_element_is_found_wherever_it_is(elements: dict[int, bytes], wide: bool) -> None:
    head = (lambda n, v: bytes([n, len(v)])) if wide else (lambda n, v: bytes([n << 4 | len(v) - 1]))
    block = b"".join(b"\0" + head(number, value) + value for number, value in elements.items())
    block += bytes(-len(block) % 4)
    profile = b"\x10\0" if wide else b"\xbe\xde"
    wire = (
        rtp.HEADER.pack(0x91, 96, 1, 2, 3) + b"csrc" + profile + (len(block) // 4).to_bytes(2, "big") + block + b"body"
    )
    for number in range(1, 15):
        value = elements.get(number, b"")
        assert rtp.opened(wire, number) == (len(wire) - 4, int.from_bytes(value, "big") if len(value) == 3 else -1)


def test_a_key_frame_is_told_from_another() -> None:
    assert rtp.starts_vp8_picture(bytes(12) + bytes([0x90, 0x80, 0x81, 2, 0x10, 0]), 12)
    assert not rtp.starts_vp8_picture(bytes(12) + bytes([0x90, 0x80, 0x81, 2, 0x11, 0]), 12)
    assert rtp.starts_h264_picture(bytes([0x7C, 0x85]), 0)
    assert rtp.starts_h264_picture(bytes([0x78, 0, 9, 0x67]), 0)
    assert not rtp.starts_h264_picture(bytes([0x61, 1]), 0)
