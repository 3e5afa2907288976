"""What ends under a visit and does not end it: the API, the database, the video process. The record is whole after it.

Real processes, scripted peers with sound (``bench.video_peer``); a page does what they do: comes back and asks again.
"""

import asyncio
import random
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from bench.bar import Bar, Figure, Profile, Skipped
from bench.video_house import Booked, House, house, log_of, until
from bench.video_peer import Peer
from deploy import postgres_cluster as cluster

KILLS = 20
AWAY_SECONDS = 60
VISITS = 10
_SOUND = 5.0
"""Seconds without sound after which a visit was interrupted; a busy machine takes some of that by itself."""


@dataclass
class Visit:
    """Two who talk; ``said`` are the messages whose answer was that they are done."""

    house: House
    booked: Booked
    patient: Peer
    doctor: Peer
    said: list[str] = field(default_factory=list)
    lags: dict[str, float] = field(default_factory=dict)

    async def say(self, peer: Peer) -> None:
        text = f"message {len(self.said)}"
        answer = await peer.do("chat", text=text)
        if not answer.get("done"):
            raise RuntimeError(f"the visit did not go on: {answer}")
        self.said.append(text)

    async def reached(self, status: str) -> None:
        """Waits for the record and keeps how long after the event it said so, in seconds."""

        def seen() -> float:
            try:
                found = self.house.ask("GET", self.booked.encounter)
            except (OSError, RuntimeError):  # the API comes back itself
                return 0.0
            turns = {turn["status"]: turn["period"]["start"] for turn in found.get("statusHistory", ())}
            return time.time() - datetime.fromisoformat(turns[status]).timestamp() if status in turns else 0.0

        self.lags[status] = await asyncio.to_thread(until, seen, f"the record never said {status}")

    async def end(self) -> list[str]:
        """Ends the visit; what is wrong with the record of it."""
        await self.doctor.do("end")
        await self.reached("finished")
        return await asyncio.to_thread(self.house.wrong, self.booked, self.said)


@asynccontextmanager
async def visit(there: House) -> AsyncIterator[Visit]:
    """From the waiting room to where both hear each other."""
    booked = await asyncio.to_thread(there.book)
    patient, doctor = Peer(there.page), Peer(there.page)
    made = Visit(there, booked, patient, doctor)
    try:
        await patient.join(await asyncio.to_thread(there.url, booked, booked.patient))
        await patient.do("ready")
        await made.reached("arrived")
        await doctor.join(await asyncio.to_thread(there.url, booked, booked.doctor))
        await doctor.do("admit", member=patient.member)
        await asyncio.gather(made.reached("in-progress"), patient.send_media(), doctor.send_media())
        await _heard(patient, doctor)
        yield made
    finally:
        await patient.close()
        await doctor.close()


async def _heard(*peers: Peer, packets: int = 20) -> None:
    """Until each has so much sound more."""
    for peer in peers:
        peer.listen_anew()
    end = time.monotonic() + 60
    while any(peer.packets < packets for peer in peers):
        if time.monotonic() > end:
            raise RuntimeError("no sound")
        await asyncio.sleep(0.02)


async def _meanwhile(made: Visit, seconds: float) -> list[str]:
    """Chat and sound for so long; what of it was interrupted."""
    for peer in (made.patient, made.doctor):
        peer.listen_anew()
    sockets, end = made.patient.sockets + made.doctor.sockets, time.monotonic() + seconds
    while time.monotonic() < end:
        await made.say(made.patient if len(made.said) % 2 else made.doctor)
        await asyncio.sleep(0.6)  # a member may say one thing a second
    found = ["no sound"] if max(made.patient.gap, made.doctor.gap) > _SOUND or not made.patient.packets else []
    return found + (["the sockets broke"] if made.patient.sockets + made.doctor.sockets != sockets else [])


# --- the bars

Story = Callable[[House, Profile], Awaitable[tuple[str, list[str]]]]


def _told(story: Story, there: House, profile: Profile) -> tuple[str, list[str]]:
    try:
        return asyncio.run(story(there, profile))
    except RuntimeError as error:
        return "", [f"{error}; {log_of(there)[-600:]}"]


def _measured(story: Story, profile: Profile, quick: str) -> Figure:
    """On each database; on ``quick`` alone where little is measured, since starting both processes is most of it."""
    texts, problems = list[str](), list[str]()
    chosen = profile.databases if profile.scale == 1 else {quick: profile.databases.get(quick, "sqlite")}
    for name, database in chosen.items():
        with house(database) as there:
            text, found = _told(story, there, profile)
        texts.append(f"{name}: {text}")
        problems += [f"{name}: {problem}" for problem in found]
    return Figure("; ".join(texts), not problems, tuple(problems[:20]))


async def _api_killed(there: House, profile: Profile) -> tuple[str, list[str]]:
    async with visit(there) as made:
        there.api.kill()
        away = await _meanwhile(made, profile.size(20, 2))
        await asyncio.to_thread(there.api.start)
        again = await _meanwhile(made, 1)
        wrong = await made.end()
    return f"{len(made.said)} messages, longest gap of sound {_gap(made)}", away + again + wrong


async def _video_killed(there: House, profile: Profile) -> tuple[str, list[str]]:
    chance, kills = random.Random(5), profile.size(KILLS, 3)
    async with visit(there) as made:
        for _ in range(kills):
            talk = asyncio.create_task(_talk(made, chance.randint(3, 12)))
            await asyncio.sleep(chance.uniform(0, 0.6))
            await asyncio.to_thread(there.kill_video)
            await asyncio.to_thread(there.start_video)
            await talk
            await _heard(made.patient, made.doctor)
        wrong = await made.end()
    return f"{kills} kills, {len(made.said)} messages", wrong


async def _talk(made: Visit, count: int) -> None:
    """Chat, and holds in between: each makes facts or room states that a kill may cut."""
    for number in range(count):
        await made.say(made.patient if number % 2 else made.doctor)
        if number % 4 == 3:
            await made.doctor.do("hold")
            await made.doctor.do("unhold")


def _api(profile: Profile) -> Figure:
    return _measured(_api_killed, profile, "sqlite")


def _video(profile: Profile) -> Figure:
    return _measured(_video_killed, profile, "postgresql")


def _database(profile: Profile) -> Figure:
    """A cluster of its own, since the others of this machine go on."""
    with tempfile.TemporaryDirectory(prefix="hearth-bars-") as name:
        Path(name).chmod(0o711)
        folder = Path(name) / "pg"
        try:
            url = cluster.start(folder)
        except cluster.NoPostgres as error:
            raise Skipped(str(error)) from None
        try:
            with house(url) as there:
                text, problems = _told(_database_stopped(folder), there, profile)
        finally:
            cluster.stop(folder)
    return Figure(text, not problems, tuple(problems[:20]))


def _database_stopped(folder: Path) -> Story:
    async def story(there: House, profile: Profile) -> tuple[str, list[str]]:
        seconds = profile.size(AWAY_SECONDS, 5)
        async with visit(there) as made:
            await asyncio.to_thread(cluster.stop, folder)
            try:
                away = await _meanwhile(made, seconds)
                waited = await asyncio.to_thread(there.owed)
            finally:
                await asyncio.to_thread(cluster.start, folder)
            wrong = await made.end()
        text = f"{seconds} s without it, {waited} facts waited, longest gap of sound {_gap(made)}"
        return text, away + wrong + ([] if waited else ["no fact waited"])

    return story


def _gap(made: Visit) -> str:
    return f"{max(made.patient.gap, made.doctor.gap) * 1000:.0f} ms"


async def _in_time(there: House, profile: Profile) -> tuple[str, list[str]]:
    lags: dict[str, list[float]] = {}
    for number in range(1 + profile.size(VISITS)):
        async with visit(there) as made:
            await made.end()
        for status, lag in made.lags.items() if number else ():  # during the first the writing process starts
            lags.setdefault(status, []).append(lag)
    words = [f"{status} {max(found) * 1000:.0f} ms" for status, found in lags.items()]
    late = [f"{status} after {max(found):.2f} s" for status, found in lags.items() if max(found) > 1]
    return ", ".join(words), late


def _lag(profile: Profile) -> Figure:
    return _measured(_in_time, profile, "sqlite")


BARS = (
    Bar("visit: FHIR API killed in the middle", "the visit goes on, 0 facts lost, 0 twice", _api),
    Bar("visit: PostgreSQL stopped in the middle", "the visit goes on, 0 facts lost, 0 twice", _database),
    Bar("visit: video process killed at random", "0 facts lost, 0 twice", _video),
    Bar("visit: record after the media event", "at most 1 s each", _lag, timing=True),
)
