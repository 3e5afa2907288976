"""The handshake of one session: what waits is bounded, and who never comes is given up."""

import asyncio

import pytest
from aiortc.rtcdtlstransport import RTCCertificate, RTCDtlsFingerprint, RTCDtlsParameters

from video.media import transport
from video.media.transport import WAITING, Dtls, fingerprint


def test_a_handshake_that_nobody_answers_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transport, "PATIENCE", 0.05)

    async def body() -> None:
        certificate = RTCCertificate.generateCertificate()
        remote = RTCDtlsParameters([RTCDtlsFingerprint("sha-256", fingerprint(certificate))], "client")
        ready: list[bool] = []
        gone = asyncio.Event()
        dtls = Dtls(certificate, remote, lambda datagram: None, lambda: ready.append(True), gone.set)
        dtls.start()
        dtls.start()
        await asyncio.wait_for(gone.wait(), 10)
        assert ready == []
        await dtls.stop()

    asyncio.run(body())


def test_datagrams_that_nobody_fetches_are_few() -> None:
    async def body() -> None:
        certificate = RTCCertificate.generateCertificate()
        remote = RTCDtlsParameters([RTCDtlsFingerprint("sha-256", fingerprint(certificate))], "client")
        dtls = Dtls(certificate, remote, lambda datagram: None, lambda: None, lambda: None)
        assert [dtls.received(b"\x16") for _ in range(WAITING + 2)] == [True] * WAITING + [False] * 2
        await dtls.stop()

    asyncio.run(body())
