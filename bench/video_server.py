"""A media server in a process of its own for ``bench.video_media``: ours, or aiortc's MediaRelay behind the same door.

POST /offer/{room}/{member} answers an offer of a page with one slot (RFC 9725).
``python -m bench.video_server forward``
"""

import asyncio
import sys
from collections.abc import Awaitable, Callable

import aioice.ice
from aiohttp import web
from aiortc import RTCBundlePolicy, RTCConfiguration, RTCPeerConnection, RTCSessionDescription
from aiortc.contrib.media import MediaRelay
from aiortc.mediastreams import MediaStreamTrack

from video.media.backend import ForwardingBackend

Offered = Callable[[str, str, str], Awaitable[str]]
MEMBERS = ("a", "b")


def forward() -> Offered:
    backend = ForwardingBackend(("127.0.0.1",), 0)

    async def offered(room: str, member: str, sdp: str) -> str:
        backend.permit(room, frozenset(MEMBERS))
        return (await backend.offer(room, member, sdp))[1]

    return offered


def relay() -> Offered:
    """Each member gets the other's tracks decoded and encoded again: what aiortc does by itself."""
    relays, peers = MediaRelay(), dict[tuple[str, str], RTCPeerConnection]()
    tracks: dict[tuple[str, str, str], asyncio.Future[MediaStreamTrack]] = {}
    loop = asyncio.get_running_loop()

    def track(room: str, member: str, kind: str) -> "asyncio.Future[MediaStreamTrack]":
        return tracks.setdefault((room, member, kind), loop.create_future())

    async def give(pc: RTCPeerConnection, room: str, other: str) -> None:
        for transceiver in pc.getTransceivers()[3:5]:
            transceiver.sender.replaceTrack(relays.subscribe(await track(room, other, transceiver.kind)))

    async def offered(room: str, member: str, sdp: str) -> str:
        pc = peers[room, member] = RTCPeerConnection(
            RTCConfiguration(iceServers=[], bundlePolicy=RTCBundlePolicy.MAX_BUNDLE)
        )

        @pc.on("track")
        def came(arrived: MediaStreamTrack) -> None:
            known = track(room, member, arrived.kind)
            if not known.done():
                known.set_result(arrived)

        await pc.setRemoteDescription(RTCSessionDescription(sdp, "offer"))
        for transceiver in pc.getTransceivers()[3:5]:
            transceiver.direction = "sendonly"
        await pc.setLocalDescription(await pc.createAnswer())
        pc.giving = asyncio.create_task(give(pc, room, MEMBERS[member == "a"]))
        return pc.localDescription.sdp

    return offered


async def serve(kind: str) -> None:
    aioice.ice.get_host_addresses = lambda use_ipv4, use_ipv6: ["127.0.0.1"]
    offered = {"forward": forward, "relay": relay}[kind]()

    async def post(request: web.Request) -> web.Response:
        return web.Response(text=await offered(*request.match_info.values(), await request.text()))

    application = web.Application()
    application.add_routes([web.post("/offer/{room}/{member}", post)])
    runner = web.AppRunner(application, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    print(runner.addresses[0][1], flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(serve(sys.argv[1]))
