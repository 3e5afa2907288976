"""From real packets of aiortc clients to WebM that plays: of those who agreed, while they did, and of nobody else."""

import asyncio
import io
import multiprocessing
from collections.abc import Callable
from pathlib import Path
from typing import Any

import av
import pytest

from video.media.backend import ForwardingBackend
from video.media.tests.pair import LOOPBACK, Peer, on_loopback
from video.media.tests.test_backend import until
from video.ports import Recorded, Recording, Role
from video.recording.depacketise import frames
from video.recording.parts import Part, parts
from video.recording.recorder import VaultRecorder
from video.recording.vault import finished
from video.signalling.tests.consult import AesSealer

DARK, LIGHT, STRANGER = 60, 200, 130
BEGAN = 1_700_000_000_000


def recording(*members: str, number: int = 7) -> Recording:
    who = tuple(Recorded(id, Role.PATIENT, f"Patient/{id}", 1) for id in members)
    return Recording("r", number, BEGAN, "Encounter/1", "", "Patient/a", "Practitioner/b", who)


class Visit:
    """Two who talk, a third in front of the door, and a recorder."""

    def __init__(self, folder: Path) -> None:
        self.backend = ForwardingBackend(LOOPBACK, 0)
        self.recorder = VaultRecorder(folder, AesSealer(), self.backend)
        self.failures: list[tuple[str, int]] = []
        self.recorder.listen(lambda room, number: self.failures.append((room, number)))
        tones = {"a": DARK, "b": LIGHT, "c": STRANGER}
        self.peers = [Peer(self.backend, "r", name, tone, 2) for name, tone in tones.items()]
        self.loop = asyncio.get_running_loop()

    async def talk(self) -> None:
        await asyncio.gather(*(peer.join() for peer in self.peers))
        self.backend.permit("r", frozenset("ab"))
        await self.goes_on(20)

    async def goes_on(self, packets: int = 60) -> None:
        before = {name: stats.received for name, stats in self.backend.stats("r").items()}
        now = self.backend.stats
        await until(lambda: all(now("r")[name].received > count + packets for name, count in before.items()))

    def confirm(self) -> None:
        self.recorder.confirm("r", self.loop.time())

    async def end(self) -> None:
        for peer in self.peers:
            await peer.leave()
        await self.backend.close()
        self.recorder.close()


def play(folder: Path, do: Callable[[Visit], Any]) -> None:
    async def all_of_it() -> None:
        on_loopback()
        visit = Visit(folder)
        try:
            await visit.talk()
            await do(visit)
        finally:
            await visit.end()

    asyncio.run(asyncio.wait_for(all_of_it(), 60))


def made(folder: Path, largest: int = 1 << 24) -> tuple[list[Part], bool]:
    for one in finished(folder, AesSealer()):
        found = list(parts(frames(one.packets(), one.head.clock), {"a": "patient"}, BEGAN, largest))
        return found, one.whole
    raise AssertionError("no recording")


def seen(content: bytes) -> tuple[set[int], float]:
    """The brightnesses of all pictures, near one of the three, and how long it plays (s)."""
    tones = set()
    with av.open(io.BytesIO(content)) as file:
        assert file.duration is not None
        for stream in file.streams:
            for frame in (f for packet in file.demux(stream) for f in packet.decode()):
                if isinstance(frame, av.VideoFrame):
                    plane = frame.planes[0]
                    tone = sum(bytes(plane)[: plane.width]) / plane.width
                    tones.add(min((DARK, LIGHT, STRANGER), key=lambda one: abs(one - tone)))
            file.seek(0)
        return tones, file.duration / 1_000_000


def test_a_recording_plays_for_as_long_as_it_was_on(tmp_path: Path) -> None:
    times = []

    async def visit(v: Visit) -> None:
        v.recorder.capture(recording("a", "b"))
        times.append(v.loop.time())
        await v.goes_on()
        v.confirm()
        await v.goes_on()
        v.recorder.release("r", 7, tail=True)
        times.append(v.loop.time())
        await v.goes_on(10)
        assert v.failures == []

    play(tmp_path, visit)
    [part], whole = made(tmp_path)
    assert whole and part.seen == part.heard == {"a", "b"}
    tones, length = seen(part.content)
    assert tones == {DARK, LIGHT}
    # On a busy machine what was on air before arrives in the recording, by its own clock.
    assert times[1] - times[0] - 1 < length < times[1] - times[0] + 2
    clear = [packet.packet[20:] for one in finished(tmp_path, AesSealer()) for packet in one.packets()]
    stored = next(tmp_path.iterdir()).read_bytes()
    assert clear and not any(body in stored for body in clear if len(body) > 8)


def test_nobody_else_and_nothing_after_the_withdrawal_is_kept(tmp_path: Path) -> None:
    """The doctor alone agrees; the patient is permitted and the third one named, but neither may be heard of."""
    last = []

    async def visit(v: Visit) -> None:
        v.recorder.capture(recording("b", "c"))
        await v.goes_on()
        v.confirm()
        last.append(v.loop.time())
        await v.goes_on()
        v.recorder.release("r", 7, tail=False)
        await v.goes_on(20)
        v.confirm()

    play(tmp_path, visit)
    packets = [packet for one in finished(tmp_path, AesSealer()) for packet in one.packets()]
    assert {packet.member for packet in packets} == {"b"}
    assert max(packet.at for packet in packets) <= last[0]
    [part], _ = made(tmp_path)
    assert seen(part.content)[0] == {LIGHT}


def test_nothing_that_was_never_confirmed_is_kept(tmp_path: Path) -> None:
    async def visit(v: Visit) -> None:
        v.recorder.capture(recording("a", "b"))
        await v.goes_on()
        v.recorder.release("r", 7, tail=False)

    play(tmp_path, visit)
    assert made(tmp_path) == ([], True)


def test_a_disk_that_refuses_ends_the_recording(tmp_path: Path) -> None:
    folder = tmp_path / "no folder"
    folder.write_text("a file is in the way")

    async def visit(v: Visit) -> None:
        v.recorder.capture(recording("a", "b"))
        await until(lambda: bool(v.failures))
        assert v.failures == [("r", 7)] and v.recorder.running() == 0

    play(folder, visit)


def _killed(folder: Path, ready: Any) -> None:
    async def visit(v: Visit) -> None:
        v.recorder.capture(recording("a", "b"))
        while True:
            await v.goes_on(30)
            v.confirm()
            if next(folder.glob("*.recording")).stat().st_size > 60_000:
                ready.set()

    play(folder, visit)


def test_after_a_kill_what_was_written_is_there(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    ready = context.Event()
    process = context.Process(target=_killed, args=(tmp_path, ready))
    process.start()
    try:
        assert ready.wait(60)
        assert list(finished(tmp_path, AesSealer())) == []  # somebody still writes it
    finally:
        process.kill()
        process.join()
    found, whole = made(tmp_path, largest=10_000)
    assert not whole and found
    assert {tone for part in found for tone in seen(part.content)[0]} == {DARK, LIGHT}


@pytest.mark.parametrize("cut", [1, 100])
def test_a_file_that_was_cut_or_changed_gives_what_is_before(tmp_path: Path, cut: int) -> None:
    async def visit(v: Visit) -> None:
        v.recorder.capture(recording("a"))
        for _ in range(3):
            await v.goes_on(20)
            v.confirm()
        v.recorder.release("r", 7, tail=True)

    play(tmp_path, visit)
    path = next(tmp_path.iterdir())
    whole = path.read_bytes()
    path.write_bytes(whole[:-cut])
    assert made(tmp_path)[1] is False
    path.write_bytes(whole[:-cut] + bytes([whole[-cut] ^ 1]) + whole[len(whole) - cut + 1 :])
    assert made(tmp_path)[1] is False
    path.write_bytes(b"something else")
    assert list(finished(tmp_path, AesSealer())) == []
    assert [left.suffix for left in tmp_path.iterdir()] == [".damaged"]
