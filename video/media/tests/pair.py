"""Two aiortc peers for the tests: real clients on loopback that send the lines of a page."""

import asyncio
from fractions import Fraction

import aioice.ice
import av
from aiortc import (
    AudioStreamTrack,
    RTCBundlePolicy,
    RTCConfiguration,
    RTCPeerConnection,
    RTCRtpReceiver,
    RTCSessionDescription,
    VideoStreamTrack,
)
from aiortc.mediastreams import MediaStreamTrack

from video.media.backend import ForwardingBackend

LOOPBACK = ("127.0.0.1",)


class Colour(VideoStreamTrack):
    """A picture of one brightness, so that whoever decodes it knows whose it is."""

    def __init__(self, brightness: int) -> None:
        super().__init__()
        self.brightness = brightness

    async def recv(self) -> av.VideoFrame:
        pts, base = await self.next_timestamp()
        frame = av.VideoFrame(160, 120, "yuv420p")
        for plane, value in zip(frame.planes, (self.brightness, 128, 128), strict=True):
            plane.update(bytes([value]) * plane.buffer_size)
        frame.pts, frame.time_base = pts, Fraction(base)
        return frame


class Peer:
    """One page: microphone, camera, screen, and ``slots`` times three lines to receive."""

    def __init__(
        self, backend: ForwardingBackend, room: str, member: str, brightness: int, slots: int = 1, codec: str = ""
    ) -> None:
        self.backend, self.room, self.member, self.slots = backend, room, member, slots
        self.pc = RTCPeerConnection(RTCConfiguration(iceServers=[], bundlePolicy=RTCBundlePolicy.MAX_BUNDLE))
        self.tracks: list[MediaStreamTrack] = []
        self.pc.on("track", self.tracks.append)
        self.pc.addTransceiver(AudioStreamTrack(), "sendonly")
        self.pc.addTransceiver(Colour(brightness), "sendonly")
        self.pc.addTransceiver("video", "sendonly")
        for _ in range(slots):
            for kind in ("audio", "video", "video"):
                self.pc.addTransceiver(kind, "recvonly")
        self.session = ""
        if codec:
            wanted = [c for c in RTCRtpReceiver.getCapabilities("video").codecs if c.mimeType == f"video/{codec}"]
            for transceiver in self.pc.getTransceivers():
                if transceiver.kind == "video":
                    transceiver.setCodecPreferences(wanted)

    async def join(self) -> None:
        await self.pc.setLocalDescription(await self.pc.createOffer())
        self.session, answer = await self.backend.offer(self.room, self.member, self.pc.localDescription.sdp)
        await self.pc.setRemoteDescription(RTCSessionDescription(answer, "answer"))

    async def closely(self, wanted: int) -> None:
        """Until the picture is as bright as ``wanted``."""
        while abs(await self.brightness() - wanted) >= 12:
            pass

    async def brightness(self, slot: int = 0) -> float:
        """Of the next picture in ``slot``."""
        frame = await asyncio.wait_for(self.tracks[3 * slot + 1].recv(), 15)
        plane = frame.planes[0]
        return sum(bytes(plane)[: plane.width]) / plane.width

    async def leave(self) -> None:
        await self.pc.close()


def on_loopback() -> None:
    """aioice does not gather 127.0.0.1 by itself."""
    aioice.ice.get_host_addresses = lambda use_ipv4, use_ipv6: ["127.0.0.1"]


class Numbered(MediaStreamTrack):
    """Packets that each carry their own number as their last eight bytes; nobody decodes them."""

    def __init__(self, kind: str, rate: int, clock: int) -> None:
        super().__init__()
        self.kind, self._rate, self._clock, self._number = kind, rate, clock, 0

    async def recv(self) -> av.Packet:
        await asyncio.sleep(1 / self._rate)
        self._number += 1
        packet = av.Packet(b"\xfc\0\0" + self._number.to_bytes(8, "big"))
        packet.pts, packet.time_base = self._number * self._clock // self._rate, Fraction(1, self._clock)
        return packet
