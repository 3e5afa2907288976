"""Bars of a visit between two pages of Chromium with fake cameras, before a real API and a real video process.

Pictures are counted where they are shown: each frame that the browser hands to the tile of the other
(HTMLVideoElement.requestVideoFrameCallback), on the clock of the machine, so that two pages can be compared.
"""

import asyncio
import statistics
import tempfile
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from playwright.async_api import Browser, BrowserContext, Error, Page, async_playwright, expect

from bench.bar import Bar, Figure, Profile, Skipped
from bench.server import free_port
from bench.video_house import House, house
from deploy import coturn, debian
from video.turn import configuration

ADMISSIONS, RELOADS, KILLS = 20, 5, 3
_FLAGS = ("--no-sandbox", "--disable-background-networking", "--use-fake-device-for-media-stream")
_ASKS_NOBODY = "--use-fake-ui-for-media-stream"
_PATIENCE = 60_000
_NAME = "Ada Okafor"
_HOOK = """
window.pictures = []; window.clicked = []; window.calls = [];
addEventListener("click", (event) => event.isTrusted && clicked.push(Date.now()), true);
const shows = (video) => video.requestVideoFrameCallback(() => (pictures.push(Date.now()), shows(video)));
const source = Object.getOwnPropertyDescriptor(HTMLMediaElement.prototype, "srcObject");
Object.defineProperty(HTMLMediaElement.prototype, "srcObject", { ...source, set(stream) {
  source.set.call(this, stream);
  // One's own picture and a screen have names, the tiles of others have none.
  if (this.tagName === "VIDEO" && !this.id && !this.watched) this.watched = shows(this) || true;
}});
window.RTCPeerConnection = class extends RTCPeerConnection { constructor(...of) { super(...of); calls.push(this); } };
"""
_FREEZES = """async () => {
  let found = 0;
  for (const stat of (await calls.at(-1).getStats()).values()) found += stat.freezeCount ?? 0;
  return found;
}"""


@dataclass
class Seen:
    """What was measured, in ms; ``admitted`` from the click on Admit to the first picture, of each of the two sides."""

    clicks: int = 0
    admitted: list[float] = field(default_factory=list)
    freezes: list[tuple[float, float]] = field(default_factory=list)
    reloads: list[float] = field(default_factory=list)
    kills: list[float] = field(default_factory=list)


@dataclass
class Pair:
    """Two pages in one visit."""

    clinician: Page
    patient: Page
    contexts: list[BrowserContext]

    @property
    def pages(self) -> tuple[Page, Page]:
        return self.clinician, self.patient

    async def close(self) -> None:
        for context in self.contexts:
            await context.close()


@asynccontextmanager
async def chromium() -> AsyncIterator[Browser]:
    try:
        program = debian.chromium()
    except debian.Missing as error:
        raise Skipped(str(error)) from None
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=program, args=[*_FLAGS, _ASKS_NOBODY])
        yield browser
        await browser.close()


async def _tab(browser: Browser, url: str, contexts: list[BrowserContext]) -> Page:
    context = await browser.new_context(viewport={"width": 1280, "height": 800}, reduced_motion="reduce")
    await context.add_init_script(_HOOK)
    context.set_default_timeout(_PATIENCE)
    contexts.append(context)
    page = await context.new_page()
    await page.goto(url)
    return page


async def _press(page: Page, name: str) -> None:
    await page.get_by_role("button", name=name, exact=True).click()


async def waiting(there: House, browser: Browser) -> Pair:
    """The patient in the waiting room, the clinician in the visit, the media of both connected."""
    booked = await asyncio.to_thread(there.book)
    contexts: list[BrowserContext] = []
    patient = await _tab(browser, await asyncio.to_thread(there.url, booked, booked.patient), contexts)
    await _press(patient, "Yes, test camera and microphone")
    await _press(patient, "Go to the waiting room")
    await expect(patient.get_by_role("heading", name="You are in the waiting room")).to_be_visible(timeout=_PATIENCE)
    clinician = await _tab(browser, await asyncio.to_thread(there.url, booked, booked.doctor), contexts)
    await _press(clinician, "Enter the visit")
    for page in (patient, clinician):
        await _when(page, "calls.at(-1)?.connectionState === 'connected'")
    await clinician.get_by_role("button", name=f"Admit {_NAME}").first.wait_for()
    await asyncio.sleep(1)  # pages that have nothing to do, as while somebody waits
    return Pair(clinician, patient, contexts)


async def _when(page: Page, words: str) -> Any:
    """What ``words`` come to once they are true; the policy of the page forbids what Playwright has for it."""
    end = time.monotonic() + _PATIENCE / 1000
    while not (found := await _asked(page, words)):
        if time.monotonic() > end:
            raise RuntimeError(f"never: {words}")
        await asyncio.sleep(0.03)
    return found


async def _asked(page: Page, words: str) -> Any:
    try:
        return await page.evaluate(words)
    except Error:  # just being loaded
        return None


async def _first(page: Page, after: float, of: int = 1) -> float:
    """When the page showed its ``of``th picture after ``after``; both in ms since 1970."""
    return float(await _when(page, f"pictures.filter((at) => at > {after})[{of - 1}]"))


async def admit(pair: Pair) -> list[float]:
    """ms from the click on Admit to the first picture of the other, on each side."""
    await pair.clinician.get_by_role("button", name=f"Admit {_NAME}").first.click()
    clicked = float(await pair.clinician.evaluate("clicked.at(-1)"))
    return [await _first(page, 0) - clicked for page in pair.pages]


async def _freezes(pair: Pair) -> float:
    return sum([float(await page.evaluate(_FREEZES)) for page in pair.pages])


async def _restarted(pair: Pair) -> tuple[float, float]:
    """Freezes that both pages counted within 3 s of an ICE restart of the patient's page, and in 3 s before it."""
    for page in pair.pages:
        await _first(page, time.time() * 1000, of=20)
    earlier = await _freezes(pair)
    await asyncio.sleep(3)
    before = await _freezes(pair)
    fragment = await pair.patient.evaluate("calls.at(-1).localDescription.sdp.match(/ice-ufrag:(.*)/)[1]")
    await pair.patient.evaluate("dispatchEvent(new Event('online'))")
    words = f"calls.at(-1).currentLocalDescription.sdp.match(/ice-ufrag:(.*)/)[1] !== {fragment!r}"
    await _when(pair.patient, words)
    await asyncio.sleep(3)
    return await _freezes(pair) - before, before - earlier


async def _reloaded(pair: Pair) -> float:
    begun = time.time() * 1000
    await pair.patient.reload(wait_until="commit")
    return await _first(pair.patient, begun) - begun


async def _killed(there: House, pair: Pair) -> float:
    """ms from the kill until both pages show pictures again; the process is started at once, as by its supervisor."""
    await asyncio.to_thread(there.kill_video)
    begun = time.time() * 1000
    await asyncio.to_thread(there.start_video)
    # What was on its way is shown within half a second, which no new process can be up in.
    return max([await _first(page, begun + 500) for page in pair.pages]) - begun


async def _visits(there: House, profile: Profile) -> Seen:
    seen = Seen()
    async with chromium() as browser:
        for number in range(count := profile.size(ADMISSIONS)):
            pair = await waiting(there, browser)
            seen.clicks = int(await pair.patient.evaluate("clicked.length"))
            seen.admitted += await admit(pair)
            if number == count - 1:
                await _troubles(there, pair, profile, seen)
            await pair.close()
    return seen


async def _troubles(there: House, pair: Pair, profile: Profile, seen: Seen) -> None:
    for _ in range(profile.size(RELOADS)):
        seen.freezes.append(await _restarted(pair))
        seen.reloads.append(await _reloaded(pair))
    for _ in range(profile.size(KILLS)):
        seen.kills.append(await _killed(there, pair))


_SEEN: dict[Profile, Seen | Exception] = {}


def _seen(profile: Profile) -> Seen:
    """All in one go: starting the processes and the browser costs more than what is measured."""
    if profile not in _SEEN:
        try:
            with house("sqlite") as there:
                _SEEN[profile] = asyncio.run(_visits(there, profile))
        except Exception as error:  # noqa: BLE001 (told by each of the bars, tried once)
            _SEEN[profile] = error
    found = _SEEN[profile]
    if isinstance(found, Exception):
        raise found
    return found


def _joined(profile: Profile) -> Figure:
    found = sorted(_seen(profile).admitted)
    middle, most = statistics.median(found), found[max(0, round(0.95 * len(found)) - 1)]
    text = f"p50 {middle:.0f} ms, p95 {most:.0f} ms of {len(found)}, from the click on Admit, both sides"
    return Figure(text, middle <= 300 and most <= 1000)


def _restart(profile: Profile) -> Figure:
    found = _seen(profile).freezes
    frozen, without = (sum(each) for each in zip(*found, strict=True))
    text = f"{frozen:.0f} freezes in {len(found)} restarts, {without:.0f} in as long without one, both sides"
    return Figure(text, not frozen)


def _longest(of: Callable[[Seen], list[float]], goal: float) -> Callable[[Profile], Figure]:
    def measured(profile: Profile) -> Figure:
        found = of(_seen(profile))
        return Figure(f"{max(found) / 1000:.2f} s at most of {len(found)}", max(found) <= goal * 1000)

    return measured


def _clicks(profile: Profile) -> Figure:
    clicks = _seen(profile).clicks
    return Figure(f"{clicks} from the opened link", clicks <= 2)


def _relayed(profile: Profile) -> Figure:
    port = free_port()
    url, secret = f"turn:127.0.0.1:{port}?transport=udp", "of the bar"
    words = ("--video-ice-servers", url, "--video-ice-secret", secret, "--video-relay-only")
    with tempfile.TemporaryDirectory(prefix="hearth-bars-") as name:
        try:
            text = configuration((url,), secret, ("127.0.0.1",), "t")
            with coturn.running(Path(name), text, port), house("sqlite", *words) as there:
                return asyncio.run(_through(there))
        except debian.Missing as error:
            raise Skipped(str(error)) from None


async def _through(there: House) -> Figure:
    async with chromium() as browser:
        pair = await waiting(there, browser)
        took = await admit(pair)
        ways = [set(await page.evaluate(_WAYS)) for page in pair.pages]
        for page in pair.pages:
            await _first(page, 0, of=10)
        await pair.close()
    return Figure(f"first pictures after {took[0]:.0f} and {took[1]:.0f} ms by {ways}", ways == [{"relay"}] * 2)


_WAYS = """async () => {
  const stats = await calls.at(-1).getStats(), found = [];
  for (const pair of stats.values())
    if (pair.type === "candidate-pair" && pair.nominated) found.push(stats.get(pair.localCandidateId).candidateType);
  return found;
}"""

BARS = (
    Bar("visit: join to first remote frame", "p50 at most 300 ms, p95 at most 1 s", _joined, timing=True),
    Bar("visit: ICE restart", "0 freezes", _restart, timing=True),
    Bar("visit: reload and back", "at most 2 s", _longest(lambda seen: seen.reloads, 2), timing=True),
    Bar("visit: media server killed", "media again within 5 s", _longest(lambda seen: seen.kills, 5), timing=True),
    Bar("visit: clicks to the waiting room", "at most 2", _clicks, timing=True),
    Bar("visit: forced relay", "pictures on both sides, by the relay alone", _relayed, timing=True),
)
