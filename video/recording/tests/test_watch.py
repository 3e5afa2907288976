"""The watch over consents: what cannot be looked at, or not in time, ends the recording and its last moments."""

import asyncio
import threading
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path

import pytest

from video.ports import Captured, Source
from video.recording.recorder import VaultRecorder
from video.recording.vault import finished
from video.recording.watch import Found, Watch
from video.room.model import Rules
from video.signalling.tests.consult import AesSealer, Consult, Page

ROOM = "room"


class Database:
    """Holds every agreement; ``down`` raises, ``hung`` never answers until it is released."""

    def __init__(self) -> None:
        self.down, self.looks = False, 0
        self.free = threading.Event()
        self.free.set()

    def look(self, asked: Mapping[str, frozenset[int]]) -> Mapping[str, Found]:
        self.free.wait(30)
        if self.down:
            raise OSError("gone")
        self.looks += 1
        return {room: Found(numbers, frozenset()) for room, numbers in asked.items()}


async def recorded(consult: Consult, doctor: Page, patient: Page) -> None:
    await doctor.do("record")
    await patient.do("agree")
    await patient.hear("recording", on=True)


def say(consult: Consult) -> float:
    """One packet of the patient; when (s of the loop's clock)."""
    now, (_, sink) = asyncio.get_running_loop().time(), consult.backend.taps[ROOM]
    if sink is not None:
        sink(Captured("pt", Source.MICROPHONE, "opus", b"\x80\x6f" + bytes(10) + b"sound", None, now))
    return now


def play(folder: Path, do: Callable[[Consult, Database, Page, Page], Awaitable[None]]) -> None:
    async def all_of_it() -> None:
        database, consult = Database(), Consult(folder, rules=Rules(recording=True))
        await consult.start()
        recorder = VaultRecorder(folder / "kept", consult.sealer, consult.backend)
        consult.service.visits.record_with(recorder)
        watch = asyncio.create_task(Watch(consult.service.visits, recorder, database.look, patience=1.0).run())
        try:
            doctor, patient = await consult.talking()
            await recorded(consult, doctor, patient)
            await do(consult, database, doctor, patient)
        finally:
            database.free.set()
            watch.cancel()
            recorder.close()
            for page in consult.pages:
                await page.close()
            await consult.service.stop()

    asyncio.run(asyncio.wait_for(all_of_it(), 60))


@pytest.mark.parametrize("trouble", ["down", "hung"])
def test_a_database_that_does_not_answer_ends_the_recording(tmp_path: Path, trouble: str) -> None:
    last = []

    async def visit(consult: Consult, database: Database, doctor: Page, patient: Page) -> None:
        say(consult)
        seen = database.looks
        await _until(lambda: database.looks > seen + 1)
        database.down = trouble == "down"
        if trouble == "hung":
            database.free.clear()
        await asyncio.sleep(0.3)  # a look that was under way may still have been answered
        last.append(say(consult))
        await patient.hear("recording", on=False, reason="unknown")
        assert consult.backend.taps[ROOM] == (frozenset(), None)
        await _until(lambda: any(fact.detail.get("reason") == "unknown" for fact in consult.spool.facts))

    play(tmp_path, visit)
    packets = [packet for one in finished(tmp_path / "kept", AesSealer()) for packet in one.packets()]
    assert len(packets) == 1 and packets[0].at < last[0]


def test_when_it_answers_again_it_can_be_asked_for_again(tmp_path: Path) -> None:
    async def visit(consult: Consult, database: Database, doctor: Page, patient: Page) -> None:
        database.down = True
        await patient.hear("recording", on=False, reason="unknown")
        patient.events.clear()
        await doctor.do("record")
        await patient.hear("recording", on=False, by="dr")
        database.down = False
        await patient.hear("recording", on=True)

    play(tmp_path, visit)


async def _until(true: Callable[[], bool]) -> None:
    while not true():
        await asyncio.sleep(0.02)
