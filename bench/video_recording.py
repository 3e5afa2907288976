"""A recording ends with the Consent that is revoked over the API, and is in the record once, whatever was killed.

Real processes and scripted peers with sound; FHIR R4 Consent, DocumentReference, Binary, Provenance.
"""

import asyncio
import time

from bench.bar import Bar, Figure, Profile
from bench.video_failures import Story, Visit, _told, visit
from bench.video_house import House, Json, house, until
from bench.video_peer import Peer

REVOCATIONS, KILLS = 20, 10
_ON = 3.0
"""Seconds that a recording is on before something happens to it."""


async def _heard(made: Visit, on: bool) -> None:
    """Until both pages say so."""
    end = time.monotonic() + 60
    while any(_says(peer) is not on for peer in (made.patient, made.doctor)):
        if time.monotonic() > end:
            raise RuntimeError(f"the recording never was {'on' if on else 'off'}")
        await asyncio.sleep(0.005)


def _says(peer: Peer) -> bool:
    """What its page shows; after a restart the whole state is told, with numbers that begin anew."""
    last = list(peer.told.values())
    known = [one["on"] if one["event"] == "recording" else one.get("recording", {}).get("on", False) for one in last]
    return bool(known and known[-1])


async def _record(made: Visit) -> None:
    await made.doctor.do("record")
    await made.patient.do("agree")
    await _heard(made, True)


def _consent(made: Visit) -> Json:
    """The patient's, of the recording that is on."""
    found = made.house.search(f"Consent?patient={made.booked.patient}&status=active")
    return next(one for one in found if one["performer"][0].get("reference") == made.booked.patient)


def _documents(made: Visit) -> list[Json]:
    return made.house.search(f"DocumentReference?patient={made.booked.patient}")


async def _revoked(there: House, profile: Profile) -> tuple[str, list[str]]:
    took: list[float] = []
    async with visit(there) as made:
        for number in range(1 + profile.size(REVOCATIONS, 3)):
            await _record(made)
            consent = await asyncio.to_thread(_consent, made)
            rejected = consent | {"status": "rejected"}
            await asyncio.to_thread(there.ask, "PUT", f"Consent/{consent['id']}", rejected)
            answered = time.monotonic()
            await _heard(made, False)
            took += [time.monotonic() - answered] if number else []
        await made.end()
    took.sort()
    words = f"p50 {took[len(took) // 2] * 1000:.0f} ms, longest {took[-1] * 1000:.0f} ms of {len(took)}"
    return words, [] if took[-1] <= 1 else ["too late"]


async def _killed(there: House, profile: Profile) -> tuple[str, list[str]]:
    kills = profile.size(KILLS, 1)
    async with visit(there) as made:
        for number in range(kills):
            await _record(made)
            await asyncio.sleep(_ON if number == 0 else 1.0)
            await asyncio.to_thread(there.kill_video)
            await asyncio.to_thread(there.start_video)
            await _heard(made, False)
        await asyncio.to_thread(until, lambda: len(_documents(made)) >= kills, "a recording is not in the record")
        await made.end()
    return await asyncio.to_thread(_counted, made, kills)


def _counted(made: Visit, kills: int) -> tuple[str, list[str]]:
    """What the record has, and what is wrong with it."""
    documents = _documents(made)
    urls = [content["attachment"]["url"] for one in documents for content in one["content"]]
    sources = [len(made.house.search(f"Provenance?target=DocumentReference/{one['id']}")) for one in documents]
    left = list((made.house.api.folder / "video" / "recordings").iterdir())
    wrong = [] if len(documents) == kills else [f"{len(documents)} documents of {kills} recordings"]
    wrong += [] if sources == [1] * kills else [f"Provenance {sources}"]
    wrong += [f"left behind: {[path.name for path in left]}"] if left else []
    size = sum(content["attachment"]["size"] for one in documents for content in one["content"])
    return f"{kills} kills, {len(documents)} recordings of {len(set(urls))} parts, {size // 1000} kB", wrong


def _measured(story: Story, profile: Profile) -> Figure:
    chosen = profile.databases if profile.scale == 1 else {"sqlite": "sqlite"}
    texts, problems = list[str](), list[str]()
    for name, database in chosen.items():
        with house(database, "--video-recording") as there:
            text, found = _told(story, there, profile)
        texts.append(f"{name}: {text}")
        problems += [f"{name}: {problem}" for problem in found]
    return Figure("; ".join(texts), not problems, tuple(problems[:20]))


def _end(profile: Profile) -> Figure:
    return _measured(_revoked, profile)


def _once(profile: Profile) -> Figure:
    return _measured(_killed, profile)


BARS = (
    Bar("visit: recording killed in the middle", "what was written is in the record, once", _once),
    Bar("visit: recording after a revoked Consent", "off in at most 1 s", _end, timing=True),
)
