"""DTLS-SRTP of one session: aiortc's transport on a queue instead of ICE, and the keys that come out of it.

RFC 5764 (DTLS-SRTP, section 5.1.2 for telling it from STUN and RTP by the first byte), RFC 8827 section 6.5.
"""

import asyncio
from collections.abc import Callable
from typing import Any, cast

from aiortc.rtcdtlstransport import RTCCertificate, RTCDtlsParameters, RTCDtlsTransport
from aiortc.rtcicetransport import RTCIceTransport

WAITING = 32
"""Datagrams of a handshake that may wait; more are a flood."""
PATIENCE = 20.0
"""Seconds for a handshake."""


class _Wire:
    """What RTCDtlsTransport takes for its ICE transport."""

    role = "controlled"

    def __init__(self, send: Callable[[bytes], None]) -> None:
        self._send_now = send
        self.arrived: asyncio.Queue[bytes] = asyncio.Queue(WAITING)

    async def _recv(self) -> bytes:
        return await self.arrived.get()

    async def _send(self, data: bytes) -> None:
        self._send_now(data)


class Dtls:
    """``send`` takes datagrams; ``ready`` is called once with nothing when keys are there, ``gone`` once at the end."""

    def __init__(
        self,
        certificate: RTCCertificate,
        remote: RTCDtlsParameters,
        send: Callable[[bytes], None],
        ready: Callable[[], None],
        gone: Callable[[], None],
    ) -> None:
        self._wire = _Wire(send)
        self._dtls = RTCDtlsTransport(cast(RTCIceTransport, self._wire), [certificate])
        self._dtls._set_role("server")
        self._remote, self._ready, self._gone = remote, ready, gone
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin the handshake; again does nothing."""
        if self._task is None:
            self._task = asyncio.create_task(self._shake())

    async def _shake(self) -> None:
        try:
            await asyncio.wait_for(self._dtls.start(self._remote), PATIENCE)
        except TimeoutError:
            return self._gone()
        if self._dtls.state != "connected":
            return self._gone()
        self._dtls.on("statechange", self._changed)
        return self._ready()

    def _changed(self) -> None:
        if self._dtls.state in ("closed", "failed"):
            self._gone()

    def received(self, datagram: bytes) -> bool:
        """Whether there was room for it."""
        if self._wire.arrived.full():
            return False
        self._wire.arrived.put_nowait(datagram)
        return True

    def keys(self) -> tuple[Any, Any]:
        """libsrtp sessions: of what is received, of what is sent."""
        return self._dtls._rx_srtp, self._dtls._tx_srtp

    async def stop(self) -> None:
        """Tell the other side and end."""
        self._dtls.remove_all_listeners()
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            await self._dtls.stop()


def fingerprint(certificate: RTCCertificate) -> str:
    """SHA-256 of the certificate, as in a=fingerprint."""
    return next(f.value for f in certificate.getFingerprints() if f.algorithm == "sha-256")
