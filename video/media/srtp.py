"""SRTP by libsrtp without what pylibsrtp makes anew for each packet: a buffer and a length for each direction.

RFC 3711 sections 3.3 and 3.4.
"""

from collections.abc import Callable
from typing import Any

import pylibsrtp
from pylibsrtp import Session
from pylibsrtp._binding import ffi, lib  # type: ignore[import-not-found]  # cffi, without stubs

LARGEST = 2048
TRAILER = 148
"""Octets that libsrtp may add to a packet (SRTP_MAXTRAILER_LEN and the index of SRTCP)."""

Turned = Callable[[bytes], bytes]


def _turning(session: Session, turn: Any) -> Turned:
    """``turn`` as a function of bytes that raises pylibsrtp.Error; for one thread."""
    buffer, length = ffi.new("char[]", LARGEST), ffi.new("int *")
    view, srtp, most = ffi.buffer(buffer), session._srtp, LARGEST - TRAILER

    def turned(packet: bytes) -> bytes:
        size = len(packet)
        if size > most:
            raise pylibsrtp.Error("too long")
        view[0:size] = packet
        length[0] = size
        if turn(srtp[0], buffer, length):
            raise pylibsrtp.Error("not authentic, or seen before")
        done: bytes = view[0 : length[0]]
        return done

    return turned


def opening(session: Session) -> tuple[Turned, Turned]:
    """(RTP, RTCP) as they came, to what they say."""
    return _turning(session, lib.srtp_unprotect), _turning(session, lib.srtp_unprotect_rtcp)


def sealing(session: Session) -> tuple[Turned, Turned]:
    """(RTP, RTCP) to what goes out."""
    return _turning(session, lib.srtp_protect), _turning(session, lib.srtp_protect_rtcp)
