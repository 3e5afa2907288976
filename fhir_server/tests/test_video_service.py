"""A whole visit over the whole server: operations, links, the video service, and the process that writes the record.

Only the media is a twin (video.signalling.tests.consult): it says what a media server would have seen.
"""

import asyncio
import os
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from msgspec.structs import replace

from fhir_server import video, wiring
from fhir_server.conftest import BASE, Client
from fhir_server.preparation import prepare
from fhir_server.settings import SettingError, Settings, load
from fhir_server.tests.test_video import House, events, values
from fhir_server.video_service import Scribe, _media, _tls, options_of, service_of
from fhir_server.wiring import Process
from video.signalling.tests.consult import MemoryBackend, Page

PATIENCE = 60


@pytest.fixture
def settings(database_url: str, tmp_path: Path) -> Settings:
    given = {"DATA_DIR": str(tmp_path), "DATABASE": database_url, "OPEN": True, "PUBLIC_URL": BASE}
    made = load(given | {"VIDEO_PORT": 8081, "LOG_LEVEL": "error"}, {})
    prepare(made)
    return made


@pytest.fixture
def process(settings: Settings) -> Iterator[Process]:
    with Process(settings) as made:
        video.take_turns(made)
        yield made


@pytest.fixture
def house(process: Process) -> House:
    return House(Client(wiring.compose(process)))


class There:
    """The service on a port of its own, with its scribe."""

    def __init__(self, process: Process, scribe: Scribe) -> None:
        self.backend, self.scribe = MemoryBackend(), scribe
        self.service = service_of(process, self.backend)
        options = self.service._options
        self.service._options = replace(options, port=0, origins=())

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.service.port}"

    async def page(self, ticket: str) -> Page:
        page = Page(self)  # type: ignore[arg-type]
        assert (await page.join(ticket)).status == 200
        return await page.connect()


@asynccontextmanager
async def serving(process: Process) -> AsyncIterator[There]:
    scribe = Scribe(process.settings)
    there = There(process, scribe)
    writing = asyncio.create_task(scribe.run())
    await there.service.start()
    try:
        yield there
    finally:
        await there.service.stop()
        writing.cancel()
        await asyncio.gather(writing, return_exceptions=True)
        await asyncio.to_thread(scribe.stop, 30.0)


async def until(true: Callable[[], Any]) -> Any:
    async with asyncio.timeout(PATIENCE):
        while not (found := true()):
            await asyncio.sleep(0.05)
        return found


def played(process: Process, play: Callable[[There], Awaitable[None]]) -> None:
    async def scenario() -> None:
        async with serving(process) as there:
            await play(there)

    asyncio.run(scenario())


def test_a_visit_from_the_link_to_the_finished_record(house, process):
    invited = house.client.send("POST", f"{house.appointment}/$invite?role=patient&participant={house.patient}")
    link = values(invited.json)["url"].rpartition("=")[2]
    encounter = f"Encounter/{house.start()['id']}"

    def status() -> tuple[str, str]:
        return tuple(house.client.send("GET", place).json["status"] for place in (encounter, house.appointment))

    async def visit(there: There) -> None:
        async with aiohttp.ClientSession(there.url, headers={"Origin": there.url}) as http:
            for guess in ("", "guessed", link + "x"):
                answer = await http.post("/visit/invitation", json={"invitation": guess})
                assert (answer.status, (await answer.json())["refused"]) == (403, "invitation")
            assert (await http.post("/visit/invitation", data=b"{")).status == 415
            ticket = (await (await http.post("/visit/invitation", json={"invitation": link})).json())["ticket"]
        patient = await there.page(ticket)
        assert (await patient.do("ready"))["done"]
        await until(lambda: status() == ("arrived", "arrived"))
        doctor = await there.page(house.join(house.appointment, house.doctor)["ticket"])
        assert doctor.seat["record"]["encounter"] == encounter
        assert (await doctor.do("admit", member=patient.seat["member"]))["done"]
        await until(lambda: status() == ("arrived", "checked-in"))
        await patient.send_media()
        await doctor.send_media()
        await until(lambda: status() == ("in-progress", "checked-in"))
        assert (await patient.do("chat", text="good morning"))["done"]
        async with patient.http.post("/visit/file", data=b"%PDF-1.7", params={"name": "letter.pdf"}) as answer:
            assert answer.status == 201
        assert there.scribe.process is not None and there.scribe.process.pid
        os.kill(there.scribe.process.pid, signal.SIGKILL)  # the record's writer dies, the visit goes on
        assert (await doctor.do("end"))["done"]
        await until(lambda: status() == ("finished", "fulfilled"))
        await until(lambda: house.client.send("GET", f"Observation?encounter={encounter}").json.get("entry"))
        await until(lambda: not video.files(process).rooms())
        for page in (patient, doctor):
            await page.close()

    played(process, visit)
    [document] = house.client.send("GET", f"DocumentReference?encounter={encounter}").json["entry"]
    [content] = document["resource"]["content"]
    assert house.client.send("GET", content["attachment"]["url"]).body == b"%PDF-1.7"
    [message] = house.client.send("GET", f"Communication?encounter={encounter}").json["entry"]
    assert message["resource"]["payload"] == [{"contentString": "good morning"}]
    made = house.client.send("GET", encounter).json
    assert made["period"].keys() == {"start", "end"}
    assert [one["individual"]["reference"] for one in made["participant"]] == [house.doctor]
    assert {one["outcomeDesc"].split()[0] for one in events(process, "video-join")} == {"joined", "waiting"}
    assert len(events(process, "video-admit")) == 1
    told = [one["outcomeDesc"] for one in events(process, "video-ticket")]
    assert sum(text == "invitation: invitation" for text in told) == 3
    assert sum(text.startswith("invitation patient") for text in told) == 1


def test_what_the_service_refuses_is_in_the_trail(house, process):
    async def visit(there: There) -> None:
        ticket = house.join(house.appointment, house.patient)["ticket"]
        page = await there.page(ticket)
        for bad in (ticket, "forged", ticket[:-2] + "AA"):
            again = Page(there)  # type: ignore[arg-type]
            assert (await again.join(bad)).status == 403
            await again.close()
        await page.close()

    played(process, visit)
    refused = [one["outcomeDesc"] for one in events(process, "video-join") if one["outcome"] == "4"]
    assert sorted(refused) == ["ticket-forged", "ticket-forged", "ticket-replayed"]


def test_the_database_is_away_and_the_record_catches_up(house, process, monkeypatch):
    """The scribe is held up, as by a database that is away; the visit does not notice."""
    encounter = f"Encounter/{house.start()['id']}"

    async def visit(there: There) -> None:
        await until(lambda: there.scribe.process and there.scribe.process.pid)
        pid = there.scribe.process.pid  # type: ignore[union-attr]
        os.kill(pid, signal.SIGSTOP)
        patient = await there.page(house.join(house.appointment, house.patient)["ticket"])
        assert (await patient.do("ready"))["done"]
        facts = video.spool(process)
        await until(lambda: facts.counts()[0] == 2)
        assert house.client.send("GET", encounter).json["status"] == "planned"
        os.kill(pid, signal.SIGCONT)
        await until(lambda: house.client.send("GET", encounter).json["status"] == "arrived")
        await until(lambda: facts.counts() == (0, 0))
        facts.close()
        await patient.close()

    played(process, visit)


def test_options_are_those_of_the_settings(process, tmp_path):
    given = {"DATA_DIR": str(tmp_path / "other"), "OPEN": True, "VIDEO_PUBLIC_URL": "https://visit.example.org"}
    given |= {"VIDEO_ICE_SERVERS": "turn:turn.example.org", "VIDEO_ICE_SECRET": "secret", "PUBLIC_URL": BASE}
    made = load(given, {})
    prepare(made)
    with Process(made) as other:
        options = options_of(other, None)
    assert (options.port, options.secure, options.origins) == (8081, True, ("https://visit.example.org",))
    assert options.connect == ("https://fhir.example.org",)
    assert options.files is not None and options.file_largest == 10 * 1024 * 1024
    [server] = options.ice("member")
    assert server["username"].endswith(":member")


def test_tls_files_that_are_not_there():
    with pytest.raises(SettingError, match="VIDEO_TLS_CERT"):
        _tls(load({"VIDEO_TLS_CERT": "absent.pem", "VIDEO_TLS_KEY": "absent.pem"}, {}))
    assert _tls(load({}, {})) is None


def test_media_that_cannot_be_had():
    async def made(**given: Any) -> None:
        await _media(load(given, {})).close()

    with pytest.raises(SettingError, match="VIDEO_MEDIA"):
        asyncio.run(made(VIDEO_MEDIA_ADDRESSES="nowhere"))
    holder = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    holder.bind(("127.0.0.1", 0))
    with pytest.raises(SettingError, match="VIDEO_MEDIA"):
        asyncio.run(made(VIDEO_MEDIA_PORT=str(holder.getsockname()[1])))
    holder.close()


def free(kind: socket.SocketKind) -> int:
    with socket.socket(socket.AF_INET, kind) as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port


def test_hearth_serve_holds_visits_beside_the_api(tmp_path):
    """The real command: both answer, a link leads to the page and to a seat, and it stops when it is told to."""
    api, page, media = free(socket.SOCK_STREAM), free(socket.SOCK_STREAM), free(socket.SOCK_DGRAM)
    words = ["serve", "--open", "--port", str(api), "--video-port", str(page), "--media-port", str(media)]
    log = (tmp_path / "log").open("wb")
    server = subprocess.Popen(
        [sys.executable, "-m", "fhir_server.cli", *words, "--data-dir", str(tmp_path / "var")], stdout=log, stderr=log
    )
    try:
        asyncio.run(_visit(f"http://127.0.0.1:{api}/fhir", f"http://127.0.0.1:{page}"))
    finally:
        server.send_signal(signal.SIGTERM)
        assert server.wait(PATIENCE) == 0
        log.close()


async def _visit(api: str, page: str) -> None:
    async with aiohttp.ClientSession(headers={"Origin": page}) as http, asyncio.timeout(PATIENCE):
        while not (await _status(http, f"{api}/metadata") == 200 == await _status(http, f"{page}/visit/health")):
            await asyncio.sleep(0.1)
        assert await _status(http, f"{page}/visit") == 200

        async def post(path: str, body: Any = None) -> Any:
            async with http.post(f"{api}/{path}", json=body, headers={"Accept": "application/fhir+json"}) as answer:
                assert answer.status < 300, await answer.text()
                return await answer.json(content_type=None)

        patient = "Patient/" + (await post("Patient", {"resourceType": "Patient"}))["id"]
        person = {"actor": {"reference": patient}, "status": "accepted"}
        booked = {"resourceType": "Appointment", "status": "booked", "participant": [person]}
        booked |= {"start": "2026-01-05T10:00:00Z", "end": "2026-01-05T10:30:00Z"}
        place = "Appointment/" + (await post("Appointment", booked))["id"]
        seat = values(await post(f"{place}/$join?participant={patient}"))
        assert seat["url"].startswith(f"{page}/visit#ticket=")
        async with http.post(f"{page}/visit/join", json={"ticket": seat["ticket"]}) as answer:
            assert (answer.status, (await answer.json())["role"]) == (200, "patient")


async def _status(http: aiohttp.ClientSession, url: str) -> int:
    try:
        async with http.get(url) as answer:
            return answer.status
    except aiohttp.ClientError:
        return 0
