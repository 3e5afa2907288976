"""The private names of aiortc and aioice that video.media leans on: an update that changes them fails here first."""

import inspect
from importlib.metadata import version

import pylibsrtp
from aioice import stun
from aiortc.rate import AimdRateControl, OveruseDetector
from aiortc.rtcdtlstransport import RTCCertificate, RTCDtlsTransport
from aiortc.sdp import SessionDescription
from pylibsrtp._binding import ffi, lib

from video.media.srtp import TRAILER


def test_the_pinned_version() -> None:
    assert version("aiortc").startswith("1.16.")


def test_dtls_transport_takes_a_shim_and_gives_its_keys() -> None:
    class Shim:
        role = "controlled"

    transport = RTCDtlsTransport(Shim(), [RTCCertificate.generateCertificate()])
    transport._set_role("server")
    assert (transport._rx_srtp, transport._tx_srtp, transport.state) == (None, None, "new")
    source = inspect.getsource(RTCDtlsTransport)
    assert "self.transport._recv()" in source
    assert "self.transport._send(data)" in source
    assert 'self.emit("statechange")' in source


def test_stun_checks_integrity_over_what_was_read() -> None:
    request = stun.Message(stun.Method.BINDING, stun.Class.REQUEST, attributes={"USERNAME": "a:b"})
    request.add_message_integrity(b"secret")
    read = stun.parse_message(bytes(request))
    assert read.check_message_integrity(b"secret")
    assert not read.check_message_integrity(b"another")


def test_what_is_taken_of_the_estimator_and_the_parser() -> None:
    names = {"detect": ["self", "offset", "timestamp_delta_ms", "num_of_deltas", "now_ms"], "state": ["self"]}
    assert {name: list(inspect.signature(getattr(OveruseDetector, name)).parameters) for name in names} == names
    update = inspect.signature(AimdRateControl.update)
    assert list(update.parameters) == ["self", "bandwidth_usage", "estimated_throughput", "now_ms"]
    assert list(inspect.signature(SessionDescription.parse).parameters) == ["sdp"]


def test_libsrtp_is_called_as_pylibsrtp_calls_it() -> None:
    source = inspect.getsource(pylibsrtp)
    assert "func(self._srtp[0], self._cdata, len_p)" in source
    turns = [lib.srtp_protect, lib.srtp_unprotect, lib.srtp_protect_rtcp, lib.srtp_unprotect_rtcp]
    assert all(len(ffi.typeof(turn).args) == 3 for turn in turns)
    assert 2 * TRAILER >= pylibsrtp.SRTP_MAX_SRTCP_TRAILER_LEN + pylibsrtp.SRTP_MAX_TRAILER_LEN
