"""The private names of aiortc and aioice that video.media leans on: an update that changes them fails here first."""

import inspect
from importlib.metadata import version

from aioice import stun
from aiortc.rate import RemoteBitrateEstimator
from aiortc.rtcdtlstransport import RTCCertificate, RTCDtlsTransport
from aiortc.sdp import SessionDescription


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


def test_the_estimator_and_the_parser_have_their_signatures() -> None:
    names = list(inspect.signature(RemoteBitrateEstimator.add).parameters)
    assert names == ["self", "arrival_time_ms", "abs_send_time", "payload_size", "ssrc"]
    assert list(inspect.signature(SessionDescription.parse).parameters) == ["sdp"]
