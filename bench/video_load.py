"""The load of ``bench.video_media``: aiortc peers that send what was encoded before and count what comes, undecoded.

VP8 640x480 at 30 pictures a second and 1 Mbit/s, Opus at 50 packets a second.
``python -m bench.video_load PORT ROOMS SECONDS PID`` prints one line of JSON.
"""

import asyncio
import json
import os
import random
import statistics
import sys
import time
from collections.abc import Awaitable, Callable
from fractions import Fraction
from typing import Any

import aioice.ice
import av
from aiohttp import ClientSession
from aiortc import RTCBundlePolicy, RTCConfiguration, RTCPeerConnection, RTCSessionDescription
from aiortc.mediastreams import MediaStreamTrack
from aiortc.rtcrtpreceiver import RTCRtpReceiver
from aiortc.rtcrtpsender import RTCRtpSender
from aiortc.rtp import RtpPacket

PICTURES, BUSY = 150, 96
"""Pictures that are sent again and again; columns of noise in each, so many that the bitrate is met."""
_TICK = os.sysconf("SC_CLK_TCK")


def encoded() -> list[bytes]:
    """Five seconds of VP8, the first a key frame."""
    codec = av.CodecContext.create("libvpx", "w")
    codec.width, codec.height, codec.pix_fmt, codec.bit_rate = 640, 480, "yuv420p", 1_000_000
    codec.time_base, codec.framerate = Fraction(1, 30), Fraction(30)
    codec.options = {"deadline": "realtime", "cpu-used": "8", "lag-in-frames": "0", "g": str(PICTURES)}
    noise, found = random.Random(1), list[bytes]()
    for number in range(PICTURES):
        frame = av.VideoFrame(640, 480, "yuv420p")
        for plane in frame.planes:
            plain, busy = bytes([100 + number % 30]) * plane.line_size, plane.height // 8
            rows = [noise.randbytes(BUSY) + plain[BUSY:] for _ in range(busy)]
            plane.update(b"".join(rows) + plain * (plane.height - busy))
        frame.pts = number
        found += [bytes(packet) for packet in codec.encode(frame)]
    return found


class Encoded(MediaStreamTrack):
    """Gives out ``packets`` again and again, ``rate`` a second on a clock of ``clock`` Hz."""

    def __init__(self, kind: str, packets: list[bytes], rate: int, clock: int) -> None:
        super().__init__()
        self.kind, self._packets, self._rate, self._clock = kind, packets, rate, clock
        self._number, self._begun = 0, time.monotonic()

    async def recv(self) -> av.Packet:
        self._number += 1
        await asyncio.sleep(max(0.0, self._begun + self._number / self._rate - time.monotonic()))
        packet = av.Packet(self._packets[self._number % len(self._packets)])
        packet.pts, packet.time_base = self._number * self._clock // self._rate, Fraction(1, self._clock)
        return packet


class Counted:
    """What all receivers of this process got, and how long each packet of sound was on its way."""

    def __init__(self) -> None:
        self.on = False
        self.sound = self.pictures = self.lost = 0
        self.delays: list[float] = []
        self.last: dict[int, int] = {}
        self.sent: dict[bytes, float] = {}

    def came(self, receiver: Any, packet: RtpPacket) -> None:
        if receiver._RTCRtpReceiver__kind == "video":
            self.pictures += self.on and packet.marker
            return
        gap = packet.sequence_number - self.last.get(packet.ssrc, packet.sequence_number - 1) - 1 & 0xFFFF
        self.last[packet.ssrc] = packet.sequence_number
        self.lost += gap if self.on and gap < 1000 else 0
        self.sound += self.on
        sent = self.sent.pop(packet.payload, None)
        if sent is not None and self.on:
            self.delays.append(time.perf_counter() - sent)


def hook(counted: Counted) -> None:
    """Receivers count instead of decoding; senders note when a marked packet of sound leaves."""

    async def handle(self: Any, packet: RtpPacket, arrival_time_ms: int) -> None:
        counted.came(self, packet)

    send, stamp = RTCRtpSender._next_encoded_frame, iter(range(1 << 40))

    async def encoded_frame(self: Any, codec: Any) -> Any:
        frame = await send(self, codec)
        if frame is not None and codec.name == "opus":
            frame.payloads = [b"\xfc" + next(stamp).to_bytes(8, "big") * 10]
            counted.sent[frame.payloads[0]] = time.perf_counter()
        return frame

    RTCRtpReceiver._handle_rtp_packet = handle
    RTCRtpSender._next_encoded_frame = encoded_frame


Join = Callable[[ClientSession, int, int, str, list[bytes]], Awaitable[object]]


def sender(pictures: list[bytes]) -> RTCPeerConnection:
    """A side with its sound and its picture."""
    pc = RTCPeerConnection(RTCConfiguration(iceServers=[], bundlePolicy=RTCBundlePolicy.MAX_BUNDLE))
    pc.addTransceiver(Encoded("audio", [b"\xfc" + bytes(80)], 50, 48000), "sendonly")
    pc.addTransceiver(Encoded("video", pictures, 30, 90000), "sendonly")
    return pc


async def join(client: ClientSession, port: int, room: int, member: str, pictures: list[bytes]) -> RTCPeerConnection:
    pc = sender(pictures)
    pc.addTransceiver("video", "sendonly")
    for kind in ("audio", "video", "video"):
        pc.addTransceiver(kind, "recvonly")
    await pc.setLocalDescription(await pc.createOffer())
    place = f"http://127.0.0.1:{port}/offer/{room}/{member}"
    async with client.post(place, data=pc.localDescription.sdp) as reply:
        await pc.setRemoteDescription(RTCSessionDescription(await reply.text(), "answer"))
    return pc


def used(pid: int) -> float:
    """CPU seconds of a process."""
    with open(f"/proc/{pid}/stat") as file:
        fields = file.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICK


async def load(port: int, rooms: int, seconds: int, pid: int, join: Join = join) -> dict[str, float]:
    counted, pictures = Counted(), encoded()
    hook(counted)
    async with ClientSession() as client:
        joined = [await join(client, port, room, member, pictures) for room in range(rooms) for member in "ab"]
        assert len(joined) == 2 * rooms
        await asyncio.sleep(3)
        counted.on, before, begun = True, used(pid), time.monotonic()
        await asyncio.sleep(seconds)
        took, streams = time.monotonic() - begun, 2 * rooms
        return {
            "cpu": (used(pid) - before) / took / streams * 100,
            "sound": counted.sound / took / streams,
            "pictures": counted.pictures / took / streams,
            "delay": statistics.median(counted.delays) * 1000 if counted.delays else 1e9,
            "lost": counted.lost,
        }


if __name__ == "__main__":
    aioice.ice.get_host_addresses = lambda use_ipv4, use_ipv6: ["127.0.0.1"]
    print(json.dumps(asyncio.run(load(*map(int, sys.argv[1:5])))), flush=True)
    os._exit(0)
