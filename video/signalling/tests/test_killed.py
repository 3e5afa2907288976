"""A real process, killed in the middle of a visit and stopped in the middle of another: everybody resumes."""

import asyncio
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from video.ports import Role
from video.signalling.tests.consult import Consult, Page
from video.signalling.tests.serving import spooled

ROOT = Path(__file__).resolve().parents[3]
PDF = b"%PDF-1.7 a letter"


class Server:
    """The process; ``there`` makes tickets and pages for it."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.there = folder, Consult(folder)
        self.port = 0
        self.start()

    def start(self) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "video.signalling.tests.serving", str(self.folder), str(self.port)],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self.process.stdout is not None
        self.port = int(self.process.stdout.readline())
        self.there.url = f"http://127.0.0.1:{self.port}"

    def end(self, number: int) -> None:
        self.process.send_signal(number)
        self.process.wait(20)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    made = Server(tmp_path)
    yield made
    made.end(signal.SIGKILL)


async def talk(server: Server) -> tuple[Page, Page]:
    doctor, patient = await server.there.arrive("dr", Role.PRACTITIONER), await server.there.arrive("pt")
    await patient.do("ready")
    await doctor.do("admit", member="pt")
    for page in (doctor, patient):
        assert (await page.offer()).status == 201
    for page in (doctor, patient):
        await page.hear("visit", phase="running")
    assert (await patient.do("chat", text="before"))["done"]
    async with patient.http.post("/visit/file", data=PDF, params={"name": "a.pdf"}) as answer:
        assert answer.status == 201
    return doctor, patient


async def resume(server: Server, page: Page, after: int) -> None:
    seat = await (await page.http.get("/visit/session")).json()
    assert seat["state"]["own"]["standing"] == "admitted"
    assert seat["state"]["visit"]["phase"] == "running"
    assert [said["text"] for said in seat["state"]["chat"]] == ["before"]
    async with page.http.get(f"/visit/file/{seat['state']['files'][0]['id']}") as answer:
        assert await answer.read() == PDF
    page.events.clear()
    await page.connect(after)
    await page.hear("state")
    assert (await page.offer()).status == 201


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_everybody_resumes_in_the_next_process(server: Server, number: int) -> None:
    async def visit() -> None:
        pages = await talk(server)
        seen = [page.events[-1]["n"] for page in pages]
        await asyncio.to_thread(server.end, number)
        for page in pages:
            await page.when(lambda page=page: page.closed is not None)
        await asyncio.to_thread(server.start)
        for page, after in zip(pages, seen, strict=True):
            await resume(server, page, after)
        doctor, patient = pages
        await doctor.when(lambda: doctor.heard("slots") and doctor.heard("slots")[-1]["slots"])
        assert (await doctor.do("end"))["done"]
        await patient.hear("ended")
        await asyncio.to_thread(server.end, signal.SIGTERM)
        for page in pages:
            await page.close()

    asyncio.run(visit())
    facts = spooled(server.folder / "facts")
    assert [number for number, _ in facts] == list(range(1, len(facts) + 1))
    kinds = [kind for _, kind in facts]
    assert [kinds.count(kind) for kind in ("started", "chat", "file", "ended", "left", "away")] == [1, 1, 1, 1, 0, 0]
