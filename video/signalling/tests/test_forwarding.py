"""A visit with real media: two WebRTC clients, the built-in forwarding server, the service over loopback."""

import asyncio
from pathlib import Path
from typing import Any

import aioice.ice
import pytest
from aiortc import RTCBundlePolicy, RTCConfiguration, RTCPeerConnection, RTCSessionDescription
from aiortc.mediastreams import AudioStreamTrack

from video.media.backend import ForwardingBackend
from video.ports import Role
from video.signalling.tests.consult import PATIENCE, Consult, Page


class Client:
    """A page with a microphone."""

    def __init__(self, page: Page) -> None:
        self.page = page
        # The other policies of aiortc keep the candidates of the last section instead of the first.
        self.connection = RTCPeerConnection(RTCConfiguration([], bundlePolicy=RTCBundlePolicy.MAX_COMPAT))

    async def call(self) -> None:
        lines = [(AudioStreamTrack(), "sendonly"), ("video", "sendonly"), ("video", "sendonly")]
        for _ in range(self.page.seat["slots"]):
            lines += [("audio", "recvonly"), ("video", "recvonly"), ("video", "recvonly")]
        for kind, direction in lines:
            self.connection.addTransceiver(kind, direction=direction)
        await self.connection.setLocalDescription(await self.connection.createOffer())
        answer = await self.page.http.post(
            "/visit/media", data=self.connection.localDescription.sdp, headers={"Content-Type": "application/sdp"}
        )
        assert answer.status == 201, await answer.text()
        self.page.session = answer.headers["Location"].rpartition("/")[2].partition("?")[0]
        await self.connection.setRemoteDescription(RTCSessionDescription(await answer.text(), "answer"))

    async def hear(self, slot: int) -> Any:
        """A frame of who is in ``slot``."""
        track = self.connection.getTransceivers()[3 + 3 * slot].receiver.track
        return await asyncio.wait_for(track.recv(), PATIENCE)


def test_two_talk_and_the_record_knows_by_their_packets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(aioice.ice, "get_host_addresses", lambda use_ipv4, use_ipv6: ["127.0.0.1"])

    async def visit() -> None:
        there, backend = Consult(tmp_path, slots=1), ForwardingBackend(("127.0.0.1",), 0)
        there.backend = backend  # type: ignore[assignment]
        await there.start()
        doctor, patient = Client(await there.arrive("dr", Role.PRACTITIONER)), Client(await there.arrive("pt"))
        await patient.page.do("ready")
        await asyncio.gather(doctor.call(), patient.call())
        assert "started" not in there.spool.kinds()
        assert (await doctor.page.do("admit", member="pt"))["done"]
        for client, other in ((doctor, "pt"), (patient, "dr")):
            await client.page.hear("visit", phase="running")
            await client.page.hear("slots", slots=[{"slot": 0, "member": other}])
            assert (await client.hear(0)).samples > 0
        await doctor.page.do("end")
        await patient.page.hear("ended")
        await there.recorded("quality", 2)
        measured = [fact.detail for fact in there.spool.facts if fact.kind == "quality"]
        assert all(detail["received"] > 0 and detail["sent"] > 0 for detail in measured)
        for client in (doctor, patient):
            await client.connection.close()
            await client.page.close()
        await there.service.stop()
        assert not backend._sessions and not backend._rooms
        await backend.close()

    asyncio.run(visit())
