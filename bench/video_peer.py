"""A page of a visit without a browser: HTTP, the WebSocket, sound by aiortc; it comes back whatever ends.

docs/video.md, "The protocol of the page".
"""

import asyncio
import secrets
import time
from contextlib import suppress
from typing import Any

import aiohttp
import aioice.ice
from aiortc import RTCBundlePolicy, RTCConfiguration, RTCPeerConnection, RTCSessionDescription
from aiortc.rtp import RtpPacket

from bench.video_load import Encoded

_PATIENCE = 90.0
_SHOWN = ("state", "recording")
_SDP = {"Content-Type": "application/sdp"}


class Peer:
    """One member. ``packets`` of sound came; ``gap`` is the longest time between two of them, in seconds;
    ``told``: the last state and what changed of the recording since."""

    def __init__(self, page: str) -> None:
        aioice.ice.get_host_addresses = lambda use_ipv4, use_ipv6: ["127.0.0.1"]
        jar = aiohttp.CookieJar(unsafe=True)
        self._http = aiohttp.ClientSession(page, headers={"Origin": page}, cookie_jar=jar)
        self._answers: dict[str, asyncio.Future[dict[str, Any]]] = {}
        self._socket: aiohttp.ClientWebSocketResponse | None = None
        self._pc: RTCPeerConnection | None = None
        self._last, self._heard = -1, 0.0
        self._sends = False
        self._running: asyncio.Task[None] | None = None
        self.seat: dict[str, Any] = {}
        self.gap, self.packets, self.sockets = 0.0, 0, 0
        self.told: dict[str, dict[str, Any]] = {}
        self.over = asyncio.Event()

    async def join(self, url: str) -> None:
        async with self._http.post("/visit/join", json={"ticket": url.partition("=")[2]}) as answer:
            assert answer.status == 200, await answer.text()
            self.seat = await answer.json()
        self._last = self.seat["events"]
        self._running = asyncio.create_task(self._run())

    @property
    def member(self) -> str:
        return str(self.seat["member"])

    async def do(self, do: str, **fields: Any) -> dict[str, Any]:
        """Asked for until it is answered, over as many sockets as it takes, with the same id."""
        id, end = secrets.token_urlsafe(9), time.monotonic() + _PATIENCE
        while time.monotonic() < end and not self.over.is_set():
            answer = self._answers[id] = asyncio.get_running_loop().create_future()
            with suppress(ConnectionError, TimeoutError):
                if self._socket is not None:
                    await self._socket.send_json({"id": id, "do": do, **fields})
                    return await asyncio.wait_for(answer, 2)
            await asyncio.sleep(0.05)
        return {"refused": "ended" if self.over.is_set() else "unanswered"}

    async def send_media(self) -> None:
        """From now on, and again whenever the server has forgotten it."""
        self._sends = True
        await self._offer()

    # what goes on meanwhile

    async def _run(self) -> None:
        while not self.over.is_set():
            with suppress(aiohttp.ClientError, ConnectionError, TimeoutError):
                await self._connected()
            await asyncio.sleep(0.1)

    async def _connected(self) -> None:
        try:
            async with self._http.ws_connect("/visit/events", params={"after": str(self._last)}) as socket:
                self._socket, self.sockets = socket, self.sockets + 1
                async for message in socket:
                    await self._hear(message.json())
                if socket.close_code == 4000:
                    self.over.set()
        except aiohttp.WSServerHandshakeError as error:
            if error.status == 410:
                self.over.set()
        finally:
            self._socket = None

    async def _hear(self, told: dict[str, Any]) -> None:
        if "event" not in told:
            waiting = self._answers.pop(told["id"], None)
            if waiting is not None and not waiting.done():
                waiting.set_result(told)
            return
        self._last = told["n"]
        if told["event"] in _SHOWN:
            self.told = self.told | {told["event"]: told} if told["event"] != "state" else {"state": told}
        if told["event"] == "state" and self._sends:  # the server may be another, which knows no media session
            await self._offer()

    async def _offer(self) -> None:
        if self._pc is not None:
            await self._pc.close()
        pc = self._pc = RTCPeerConnection(RTCConfiguration(iceServers=[], bundlePolicy=RTCBundlePolicy.MAX_BUNDLE))
        pc.addTransceiver(Encoded("audio", [b"\xfc" + bytes(40)], 50, 48000), "sendonly")
        for _ in range(2):
            pc.addTransceiver("video", "sendonly")
        for kind in ("audio", "video", "video"):
            pc.addTransceiver(kind, "recvonly")
        pc.getTransceivers()[3].receiver._handle_rtp_packet = self._came
        await pc.setLocalDescription(await pc.createOffer())
        async with self._http.post("/visit/media", data=pc.localDescription.sdp, headers=_SDP) as answer:
            if answer.status == 201:
                await pc.setRemoteDescription(RTCSessionDescription(await answer.text(), "answer"))

    async def _came(self, packet: RtpPacket, arrival_time_ms: int) -> None:
        now = time.monotonic()
        if self.packets:
            self.gap = max(self.gap, now - self._heard)
        self._heard, self.packets = now, self.packets + 1

    def listen_anew(self) -> None:
        """``gap`` and ``packets`` are of what comes from now on."""
        self.gap, self.packets = 0.0, 0

    async def close(self) -> None:
        if self._running is not None:
            self._running.cancel()
            await asyncio.gather(self._running, return_exceptions=True)
        if self._pc is not None:
            await self._pc.close()
        await self._http.close()
