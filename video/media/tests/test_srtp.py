"""SRTP by libsrtp: what goes out comes in, once, and nothing else does."""

import pylibsrtp
import pytest
from pylibsrtp import Policy, Session

from video.media.srtp import LARGEST, opening, sealing

KEY = bytes(range(30))
RTP = b"\x80\x60\0\1\0\0\0\2\0\0\0\3" + b"picture" * 150
RTCP = b"\x81\xc9\0\7" + bytes(28)


def session(direction: int) -> Session:
    return Session(Policy(key=KEY, ssrc_type=direction))


def test_what_goes_out_comes_in_once() -> None:
    for turn, packet in enumerate((RTP, RTCP)):
        sealed = sealing(session(Policy.SSRC_ANY_OUTBOUND))[turn](packet)
        opened = opening(session(Policy.SSRC_ANY_INBOUND))[turn]
        assert packet not in sealed
        assert opened(sealed) == packet
        with pytest.raises(pylibsrtp.Error):
            opened(sealed)


def test_it_is_what_pylibsrtp_makes() -> None:
    sealed = sealing(session(Policy.SSRC_ANY_OUTBOUND))[0](RTP)
    assert sealed == session(Policy.SSRC_ANY_OUTBOUND).protect(RTP)


@pytest.mark.parametrize("packet", [b"", b"\x80", RTP, bytes(LARGEST), bytes(LARGEST * 40)], ids=len)
def test_whatever_is_not_authentic_is_refused(packet: bytes) -> None:
    for opened in opening(session(Policy.SSRC_ANY_INBOUND)):
        with pytest.raises(pylibsrtp.Error):
            opened(packet)
