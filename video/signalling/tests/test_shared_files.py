"""Files over HTTP: from those admitted to those admitted, sealed on the disk, there again after a kill."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from video.room.model import Rules
from video.signalling.tests.consult import AesSealer, Consult, Page, consult
from video.visit.files import FileStore

PDF = b"%PDF-1.7\n" + b"a letter " * 100


class Sent:
    """A consult that keeps files in ``store``."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "files"
        self.store = FileStore(self.folder, AesSealer())

    @asynccontextmanager
    async def visit(self, **options: Any) -> AsyncIterator[Consult]:
        async with consult(self.folder.parent, files=self.store, file_largest=5000, **options) as made:
            yield made


async def send(page: Page, content: bytes = PDF, **query: str) -> tuple[int, dict[str, Any]]:
    query = {"name": "Brief.pdf"} | query
    async with page.http.post("/visit/file", data=content, params=query) as answer:
        return answer.status, await answer.json()


def test_a_file_goes_to_those_admitted_and_to_nobody_else(tmp_path: Path) -> None:
    async def play() -> None:
        sent = Sent(tmp_path)
        async with sent.visit() as visit:
            doctor, patient = await visit.talking()
            guest = await visit.arrive("gs")
            assert patient.seat["longest"]["file"] == 5000
            status, told = await send(patient, id="c9")
            assert status == 201
            assert await send(patient, id="c9") == (200, told)
            event = await doctor.hear("file")
            assert {
                "from": "pt",
                "file": "Brief.pdf",
                "type": "application/pdf",
                "size": len(PDF),
            }.items() <= event.items()
            for page in (doctor, patient):
                async with page.http.get(f"/visit/file/{event['id']}") as answer:
                    assert (answer.status, await answer.read()) == (200, PDF)
                    assert answer.headers["Content-Disposition"].startswith("attachment;")
                    assert answer.headers["Content-Security-Policy"] == "sandbox; default-src 'none'"
                    assert answer.headers["X-Content-Type-Options"] == "nosniff"
            async with guest.http.get(f"/visit/file/{event['id']}") as answer:
                assert answer.status == 404
            assert (await send(guest))[0] == 409 and guest.heard("file") == []
            await guest.do("ready")
            await doctor.do("admit", member="gs")
            await guest.hear("admitted")
            async with guest.http.get(f"/visit/file/{event['id']}") as answer:
                assert answer.status == 404  # sent before they were in the visit
            [path] = (sent.folder / "room").iterdir()
            assert b"letter" not in path.read_bytes()
            await visit.recorded("file")
            assert visit.spool.kinds().count("file") == 1

    asyncio.run(play())


@pytest.mark.parametrize(
    ("content", "status", "code"),
    [(b"MZ\x90\0", 415, "file-type"), (b"", 400, "empty"), (b"%PDF-1.7" + bytes(5000), 413, "too-large")],
)
def test_what_is_not_taken_leaves_nothing(tmp_path: Path, content: bytes, status: int, code: str) -> None:
    async def play() -> None:
        sent = Sent(tmp_path)
        async with sent.visit() as visit:
            _, patient = await visit.talking()
            got, told = await send(patient, content)
            assert (got, told["refused"], bool(told["text"])) == (status, code, True)

            async def endless() -> AsyncIterator[bytes]:
                for _ in range(10):
                    yield PDF

            async with patient.http.post("/visit/file", data=endless()) as answer:
                assert answer.status == 413  # without a length
            async with patient.http.post("/visit/file", data=PDF, headers={"Origin": "https://evil.example"}) as answer:
                assert answer.status == 403
            assert sent.store.rooms() == []

    asyncio.run(play())


def test_a_full_room_keeps_no_file_that_it_did_not_take(tmp_path: Path) -> None:
    async def play() -> None:
        sent = Sent(tmp_path)
        async with sent.visit(rules=Rules(files=1)) as visit:
            _, patient = await visit.talking()
            _, told = await send(patient)
            assert (await send(patient))[1]["refused"] == "files-full"
            assert [path.name for path in (sent.folder / "room").iterdir()] == [told["id"]]

    asyncio.run(play())


def test_a_file_under_the_id_of_another_command_is_refused_and_not_kept(tmp_path: Path) -> None:
    """The room does each id once: what it passes over must not lie on the disk, beside what a visit may hold."""

    async def play() -> None:
        sent = Sent(tmp_path)
        async with sent.visit() as visit:
            _, patient = await visit.talking()
            await patient.do("chat", id="twice", text="hello")
            status, told = await send(patient, id="twice")
            assert (status, told["refused"]) == (409, "not-now")
            assert list((sent.folder / "room").iterdir()) == []

    asyncio.run(play())


def test_after_a_kill_the_file_is_there_and_told(tmp_path: Path) -> None:
    async def play() -> None:
        sent = Sent(tmp_path)
        async with sent.visit() as visit:
            _, patient = await visit.talking()
            _, told = await send(patient)
            await visit.kill()
            await visit.start()
            async with patient.http.get(f"{visit.url}/visit/session") as answer:
                assert [file["id"] for file in (await answer.json())["state"]["files"]] == [told["id"]]
            async with patient.http.get(f"{visit.url}/visit/file/{told['id']}") as answer:
                assert await answer.read() == PDF

    asyncio.run(play())


def test_a_service_that_takes_no_files_says_so(tmp_path: Path) -> None:
    async def play() -> None:
        async with consult(tmp_path) as visit:
            _, patient = await visit.talking()
            assert patient.seat["longest"]["file"] == 0
            assert (await send(patient))[1]["refused"] == "no-files"

    asyncio.run(play())
