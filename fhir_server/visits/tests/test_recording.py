"""A recording over the whole server: consents in the record, withdrawn in the middle by the API, and what is stored."""

import asyncio
import hashlib
import io
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import pytest

from fhir_server import video, wiring
from fhir_server.conftest import BASE, Client
from fhir_server.preparation import prepare
from fhir_server.settings import Settings, load
from fhir_server.tests.test_video import House, events
from fhir_server.tests.test_video_service import There, serving
from fhir_server.video import VisitRecord, sealer
from fhir_server.visits.recording import ARCHIVIST, FOLDER, WATCHER, Recorders
from fhir_server.wiring import Process
from resources.errors import Unavailable
from video.ports import Captured, Source
from video.visit.archive import Archive

Json = dict[str, Any]


@pytest.fixture
def settings(database_url: str, tmp_path: Path) -> Settings:
    given = {"DATA_DIR": str(tmp_path), "DATABASE": database_url, "OPEN": True, "PUBLIC_URL": BASE}
    made = load(given | {"VIDEO_PORT": 8081, "LOG_LEVEL": "error", "VIDEO_RECORDING": True, "AT_REST": "envelope"}, {})
    prepare(made)
    return made


@pytest.fixture
def process(settings: Settings) -> Iterator[Process]:
    with Process(settings) as made:
        video.take_turns(made)
        yield made


@pytest.fixture
def client(process: Process) -> Client:
    return Client(wiring.compose(process))


def samples() -> list[tuple[Source, str, bytes]]:
    """A second of VP8 and Opus, as RTP packets of one packet each: what a page would send."""
    picture = av.CodecContext.create("libvpx", "w")
    picture.width, picture.height, picture.pix_fmt = 64, 48, "yuv420p"
    picture.time_base = Fraction(1, 25)
    picture.options = {"deadline": "realtime", "cpu-used": "8", "lag-in-frames": "0"}
    found = []
    for number in range(25):
        frame = av.VideoFrame(64, 48, "yuv420p")
        for plane in frame.planes:
            plane.update(bytes([100 + number]) * plane.buffer_size)
        frame.pts = number
        for packet in picture.encode(frame):
            head = b"\x80\xe0" + number.to_bytes(2, "big") + (number * 3600).to_bytes(4, "big") + b"cam!"
            found.append((Source.CAMERA, "vp8", head + b"\x10" + bytes(packet)))
        head = b"\x80\x6f" + number.to_bytes(2, "big") + (number * 1920).to_bytes(4, "big") + b"mic!"
        found.append((Source.MICROPHONE, "opus", head + b"\xf8\xff\xfe"))
    return found


class Visit:
    """The two of them in a visit that the doctor asks to record."""

    def __init__(self, process: Process, house: House, there: There, folder: Path) -> None:
        self.process, self.house, self.there = process, house, there
        self.recorders = Recorders(
            process.repository(WATCHER), folder, sealer(process), there.service.visits, there.backend
        )
        self.samples, self.sent = samples(), 0

    async def begin(self) -> None:
        seat = self.house.join(self.house.appointment, self.house.doctor)
        self.doctor = await self.there.page(seat["ticket"])
        self.patient = await self.there.page(self.house.join(self.house.appointment, self.house.patient)["ticket"])
        self.encounter = self.doctor.seat["record"]["encounter"]
        await self.patient.do("ready")
        await self.doctor.do("admit", member=self.patient.seat["member"])
        for page in (self.doctor, self.patient):
            await page.send_media()
        await self.patient.hear("visit", phase="running")

    async def agree(self) -> None:
        assert (await self.doctor.do("record"))["done"]
        await self.patient.hear("recording", on=False, by=self.doctor.seat["member"])
        assert not self.tapped()
        assert (await self.patient.do("agree"))["done"]
        await self.patient.hear("recording", on=True)
        assert self.tapped() == {self.doctor.seat["member"], self.patient.seat["member"]}

    def tapped(self) -> frozenset[str]:
        return self.there.backend.taps.get(self.doctor.seat["room"], (frozenset(), None))[0]

    def send(self) -> None:
        """One packet of each source of the patient, when somebody listens."""
        sink = self.there.backend.taps.get(self.doctor.seat["room"], (frozenset(), None))[1]
        for source, codec, packet in self.samples[self.sent : self.sent + 2] if sink else ():
            now = asyncio.get_running_loop().time()
            sink(Captured(self.patient.seat["member"], source, codec, packet, None, now))
        self.sent += 2

    async def talk(self, until: Callable[[], Any]) -> None:
        while self.sent < 40 or not until():
            self.send()
            await asyncio.sleep(0.04)

    async def consents(self) -> list[Json]:
        query = f"Consent?patient={self.house.patient}&status=active"
        found = (await asyncio.to_thread(self.house.client.send, "GET", query)).json
        return [entry["resource"] for entry in found.get("entry", ())]


def play(process: Process, client: Client, folder: Path, do: Callable[[Visit], Any]) -> Visit:
    """``folder`` of visits: the process that writes the record looks into its own alone."""

    async def all_of_it() -> Visit:
        async with serving(process) as there:
            visit = Visit(process, House(client), there, folder)
            watching = asyncio.create_task(visit.recorders.watch.run())
            try:
                await visit.begin()
                await do(visit)
            finally:
                watching.cancel()
                visit.recorders.recorder.close()
                for page in (visit.doctor, visit.patient):
                    await page.close()
            return visit

    return asyncio.run(asyncio.wait_for(all_of_it(), 90))


def archive(process: Process, folder: Path) -> Archive:
    return Archive(folder / FOLDER, sealer(process), VisitRecord(process, ARCHIVIST), video.now)


def documents(visit: Visit) -> list[Json]:
    found = visit.house.client.send("GET", f"DocumentReference?patient={visit.house.patient}").json
    return [entry["resource"] for entry in found.get("entry", ())]


def words(process: Process) -> list[str]:
    return [one["outcomeDesc"].split()[0] for one in events(process, "video-record")]


def test_a_consent_withdrawn_in_the_record_ends_the_recording(process: Process, client: Client) -> None:
    async def withdrawn(v: Visit, method: str, **changed: str) -> None:
        consents = {one["performer"][0]["reference"]: one for one in await v.consents()}
        assert set(consents) == {v.house.patient, v.house.doctor}
        mine = consents[v.house.patient]
        answer = await asyncio.to_thread(client.send, method, f"Consent/{mine['id']}", mine | changed)
        assert answer.status in (200, 204), answer.body
        await v.doctor.when(lambda: v.doctor.heard("recording")[-1].get("reason") == "withdrawn")
        told = v.doctor.heard("recording")[-1]
        assert v.patient.seat["member"] not in told["agreed"] and not told["on"] and not v.tapped()

    async def visit(v: Visit) -> None:
        await v.agree()
        await v.talk(lambda: True)
        await withdrawn(v, "PUT", status="rejected")
        v.doctor.events.clear(), v.patient.events.clear()
        await v.agree()
        await withdrawn(v, "DELETE")
        while not await asyncio.to_thread(documents, v) or len(await asyncio.to_thread(words, process)) < 7:
            await asyncio.sleep(0.1)

    v = play(process, client, video.folder(process.settings), visit)
    [document] = documents(v)  # of the second recording nothing was there
    assert document["context"]["encounter"] == [{"reference": v.encounter}]
    assert sorted(words(process)) == ["consent-given"] * 3 + ["recording-ended"] * 2 + ["recording-started"] * 2


def test_a_recording_becomes_a_document_once_and_nothing_stays_behind(
    process: Process, client: Client, tmp_path: Path
) -> None:
    async def visit(v: Visit) -> None:
        await v.agree()
        await v.talk(lambda: v.sent > 48)
        assert (await v.doctor.do("stop-recording"))["done"]
        await v.patient.hear("recording", on=False, reason="stopped")
        assert len(await v.consents()) == 2

    v = play(process, client, tmp_path / "own", visit)
    once, folder = archive(process, tmp_path / "own"), tmp_path / "own" / FOLDER
    record = once._record
    [file] = folder.iterdir()
    kept = file.read_bytes()
    commit = record.commit
    record.commit = lambda *given: (commit(*given), (_ for _ in ()).throw(Unavailable("killed")))  # type: ignore[method-assign,assignment,func-returns-value]
    assert not once.step() and not once.step()
    record.commit = commit  # type: ignore[method-assign]
    assert once.step() and list(folder.iterdir()) == []
    file.write_bytes(kept)  # as after a kill between the commit and the erasure
    assert once.step() and list(folder.iterdir()) == []
    [document] = documents(v)
    [attachment] = [content["attachment"] for content in document["content"]]
    assert attachment["contentType"] == "video/webm" and document["author"] == [{"reference": v.house.doctor}]
    place = attachment["url"].partition("/fhir/")[2] or attachment["url"]
    answer = client.send("GET", place)
    assert (answer.status, answer.headers["content-type"]) == (200, "video/webm")
    content = answer.body
    assert hashlib.sha1(content).digest() == b64decode(attachment["hash"]) and len(content) == attachment["size"]
    with av.open(io.BytesIO(content)) as played:
        assert {stream.codec_context.name for stream in played.streams} == {"vp8", "opus"}
    found = client.send("GET", f"Provenance?target=DocumentReference/{document['id']}").json
    [told] = [entry["resource"] for entry in found["entry"]]
    assert {one["what"]["type"] for one in told["entity"]} == {"Consent"} and len(told["entity"]) == 2
    rows = process.store.session().query("SELECT doc FROM resource WHERE type = 'Binary'")
    assert rows and not any(b64encode(content)[:60] in bytes(row[0]) for row in rows)
