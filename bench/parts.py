"""With load on, each process of ``hearth serve`` is killed in turn: a table of what went on working.

`make bars ONLY=parts`. Reads, writes, HL7 v2 messages and a visit run beside each other all the while; what a killed
process serves comes back by the supervisor, what others serve may not notice.
"""

import asyncio
import os
import signal
import socket
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from uuid import uuid4

from bench.bar import Bar, Figure, Profile
from bench.deployment import deployed
from bench.hl7_bridge import Wire, result
from bench.processes import descendants
from bench.server import free_port
from bench.video_failures import Visit, visit
from bench.video_house import House, quiet_port, until

PARTS = ("hl7", "api", "video", "worker")
SERVED_BY = {"read": "api", "write": "api", "message": "hl7", "visit": "video"}
_WATCHED = 20
"""Seconds of load after a kill: longer than a process takes to come back."""
_NOTICED = 5.0
"""Seconds without an answer after which somebody would notice; a busy machine takes some by itself."""
_PAUSE = 0.1


@dataclass
class Probe:
    """Something that is asked again and again: ``answered`` and ``failed`` count, ``gap`` is the longest time between
    two answers, in seconds."""

    ask: Callable[[], Awaitable[None]]
    pause: float = _PAUSE
    answered: int = 0
    failed: int = 0
    gap: float = 0.0
    _last: float = field(default_factory=time.monotonic)

    def begin(self) -> None:
        self.answered = self.failed = 0
        self.gap, self._last = 0.0, time.monotonic()

    async def run(self) -> None:
        """Until it is cancelled."""
        while True:
            try:
                await self.ask()
                self.answered += 1
            except (OSError, RuntimeError, TimeoutError):
                self.failed += 1
            else:
                now = time.monotonic()
                self.gap, self._last = max(self.gap, now - self._last), now
            await asyncio.sleep(self.pause)

    @property
    def told(self) -> str:
        return f"{self.answered} answers, {self.failed} failed, longest wait {max(self.gap, self.waiting):.1f} s"

    @property
    def waiting(self) -> float:
        """Seconds since the last answer."""
        return time.monotonic() - self._last


def probes(house: House, talk: Visit, bridge: int) -> dict[str, Probe]:
    """By name, as in SERVED_BY."""
    patient = talk.booked.patient

    async def read() -> None:
        await asyncio.to_thread(house.ask, "GET", patient)

    async def write() -> None:
        code = {"coding": [{"system": "http://loinc.org", "code": "8867-4"}]}
        await asyncio.to_thread(
            lambda: house.create("Observation", status="final", code=code, subject={"reference": patient})
        )

    async def message() -> None:
        await asyncio.to_thread(_message, bridge)

    async def say() -> None:
        await asyncio.wait_for(talk.say(talk.patient), 30)

    # A member of a visit may say one thing a second.
    return {"read": Probe(read), "write": Probe(write), "message": Probe(message), "visit": Probe(say, 1.1)}


def _message(port: int) -> None:
    wire = Wire(port, 10.0)
    try:
        id = uuid4().hex[:18]
        if b"|AA|" not in wire.ask(result(id, f"I{id}")):
            raise RuntimeError("not accepted")
    finally:
        wire.close()


def _killed(root: int, part: str) -> None:
    """kill -9 of the process that serves ``part`` and of all below it."""
    for pid in descendants(root):
        words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
        if b"serve" in words and words[words.index(b"serve") + 1] == part.encode():
            for each in (*descendants(pid), pid):
                with suppress(ProcessLookupError):
                    os.kill(each, signal.SIGKILL)
            return
    raise RuntimeError(f"no process serves {part}")


async def _turn(house: House, asked: dict[str, Probe], part: str, seconds: float) -> tuple[str, list[str]]:
    assert house.api.process is not None
    for probe in asked.values():
        probe.begin()
    _killed(house.api.process.pid, part)
    await asyncio.sleep(seconds)
    said = "; ".join(f"{name}: {probe.told}" for name, probe in asked.items())
    noticed = [
        f"{part} killed, and {name} noticed: {probe.told}"
        for name, probe in asked.items()
        if SERVED_BY[name] != part and (probe.failed or probe.gap > _NOTICED or not probe.answered)
    ]
    gone = [
        f"{part} killed, and {name} did not come back"
        for name, probe in asked.items()
        if SERVED_BY[name] == part and (not probe.answered or probe.waiting > _NOTICED)
    ]
    return f"{part:<7} killed  {said}", noticed + gone


async def _in_turn(house: House, bridge: int, parts: Sequence[str], seconds: float) -> tuple[list[str], list[str]]:
    rows, problems = list[str](), list[str]()
    async with visit(house) as talk:
        asked = probes(house, talk, bridge)
        running = [asyncio.create_task(probe.run()) for probe in asked.values()]
        await asyncio.sleep(2)
        for part in parts:
            row, found = await _turn(house, asked, part, seconds)
            rows.append(row)
            problems += found
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
        problems += await talk.end()
    return rows, problems


def _isolated(profile: Profile) -> Figure:
    chosen = profile.databases if profile.scale == 1 else {"sqlite": "sqlite"}
    parts = PARTS[: profile.size(len(PARTS))]
    notes, problems = list[str](), list[str]()
    for name, database in chosen.items():
        video, bridge, media = quiet_port(socket.SOCK_STREAM), free_port(), quiet_port(socket.SOCK_DGRAM)
        words = ("--hl7-port", bridge, "--video-port", video, "--video-media-port", media, "--log-level", "warning")
        with deployed(database, *map(str, words), part="") as api:
            house = House(api, video, media)
            until(house.answers, "the video process did not come up")
            rows, found = asyncio.run(_in_turn(house, bridge, parts, profile.size(_WATCHED, 8)))
        notes += [f"{name}: {row}" for row in rows]
        problems += [f"{name}: {problem}" for problem in found]
    text = f"{', '.join(parts)} killed in turn, {len(problems)} times another noticed"
    return Figure(text, not problems, (*notes, *problems))


BARS = (
    Bar(
        "parts: each process killed in turn",
        "nothing fails that another process serves; what was killed comes back; the record of the visit is whole",
        _isolated,
        alone=True,
    ),
)
