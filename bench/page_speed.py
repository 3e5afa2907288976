"""Bars of the pages over a large record, in Chromium: first paint, answers to keys and clicks, faults that axe finds.

W3C Paint Timing (first-contentful-paint), Event Timing (from an input to the next frame), WCAG 2.2.
Each page is opened in a context of its own, with nothing cached.
"""

import asyncio
import json
import os
import statistics
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from playwright.async_api import Browser, Page

from bench.api_client import Api
from bench.bar import Bar, Figure, Profile, Skipped
from bench.deployment import Deployment
from bench.scaled import record
from bench.server import free_port
from bench.video_browser import chromium
from video.page.tests import axe

SIZE, TIMES = 100_000, 5
FEW = 20_000
"""Resources over which faults are looked for."""
PAINT, ANSWER = 1000.0, 200.0
"""Milliseconds."""
WIDTHS = (320, 1280)
_KEYS = ("Tab", "Tab", "Tab", "Tab", "a", "Backspace", "Shift+Tab")
_WATCH = """
window.answers = [];
new PerformanceObserver((list) => { for (const one of list.getEntries()) answers.push(one.duration); })
  .observe({ type: "event", durationThreshold: 16, buffered: true });
window.painted = new Promise((done) => new PerformanceObserver((list) => {
  for (const one of list.getEntriesByName("first-contentful-paint")) done(one.startTime);
}).observe({ type: "paint", buffered: true }));
"""
_WIDER = "document.documentElement.scrollWidth > document.documentElement.clientWidth"
_FAULTS = """async (rules) => (await axe.run({ runOnly: rules })).violations.map((one) => one.id)"""


@dataclass
class Opened:
    """Of one page: ms to the first paint of each time, the longest answer to an input, what is wrong with it."""

    painted: list[float] = field(default_factory=list)
    answered: float = 0.0
    faults: set[str] = field(default_factory=set)


def addresses(patient: str) -> dict[str, str]:
    """Name and address of each page; ``patient`` is a reference."""
    return {
        "visits of the day": "/visits/",
        "chart": f"/visits/chart/{patient}",
        "patients": "/visits/patients",
        "inbox": "/visits/inbox",
        "billing": "/billing/",
        "my record": f"/my/?patient={patient}",
        "book": f"/my/book?patient={patient}",
        "results": f"/my/results?patient={patient}",
        "documents": f"/my/documents?patient={patient}",
        "messages": f"/my/messages?patient={patient}",
        "who looked": f"/my/access?patient={patient}",
        "HL7 messages": "/hl7/messages",
    }


@contextmanager
def clinic(profile: Profile, size: int = SIZE) -> Iterator[tuple[str, dict[str, str]]]:
    """The root of a server over the large record, and its pages."""
    keep = Path(os.environ["KEEP"]) if os.environ.get("KEEP") else None
    with record(profile, profile.size(size), keep) as large:
        # Without a video process nobody knows who waits; the page says so, and is opened all the same.
        options = ("--video-public-url", "http://127.0.0.1:9", "--workers", "1", "--threads", "4")
        served = Deployment(large.folder, large.url, free_port(), options)
        served.start()
        try:
            yield f"http://127.0.0.1:{served.port}", addresses(_patient(Api(served.port)))
        finally:
            served.stop()


def _patient(record: Api) -> str:
    """Of some patients the one with the longest list of results."""
    found = record.ask("GET", "Patient?_count=50&_elements=id").json["entry"]
    patients = [f"Patient/{entry['resource']['id']}" for entry in found]
    return max(patients, key=lambda one: _results(record, one))


def _results(record: Api, patient: str) -> int:
    return int(json.loads(record.ask("GET", f"Observation?patient={patient}&_summary=count").body)["total"])


@asynccontextmanager
async def opened(browser: Browser, url: str, width: int = 1280) -> AsyncIterator[Page]:
    """The page in a context of its own, loaded."""
    context = await browser.new_context(viewport={"width": width, "height": 800}, reduced_motion="reduce")
    try:
        await context.add_init_script(_WATCH)
        page = await context.new_page()
        await page.goto(url, wait_until="load")
        yield page
    finally:
        await context.close()


async def _speed(root: str, pages: dict[str, str], times: int) -> dict[str, Opened]:
    seen = {name: Opened() for name in pages}
    async with chromium() as browser:
        for name, path in [*pages.items()] * times:
            async with opened(browser, root + path) as page:
                seen[name].painted.append(await page.evaluate("painted"))
                seen[name].answered = max(seen[name].answered, await _answered(page))
    return seen


async def _answered(page: Page) -> float:
    """The longest from an input to the frame that shows what it did: keys, and each list that unfolds."""
    for key in _KEYS:
        await page.keyboard.press(key)
    for summary in (await page.locator("summary:visible").all())[:10]:
        await summary.click()
    await page.evaluate("new Promise((done) => requestAnimationFrame(() => setTimeout(done, 50)))")
    found: float = await page.evaluate("Math.max(0, ...answers)")
    return found


async def _faulty(root: str, pages: dict[str, str]) -> dict[str, set[str]]:
    """By page what axe finds, ``wide`` where it is wider than the window, and the status of one that is not served."""
    found = {}
    async with chromium() as browser:
        for name, path in pages.items():
            found[name] = set[str]().union(*[await _faults(browser, root + path, width) for width in WIDTHS])
    return found


async def _faults(browser: Browser, url: str, width: int) -> set[str]:
    async with opened(browser, url, width) as page:
        answer = await page.request.get(url)
        await page.evaluate(axe.script())
        faults = set(await page.evaluate(_FAULTS, axe.RULES))
        wide = {"wide"} if await page.evaluate(_WIDER) else set()
        return faults | wide | ({str(answer.status)} if answer.status != 200 else set())


def speed(profile: Profile) -> Figure:
    """The medians of first paints, and the longest answer to an input."""
    with clinic(profile) as (root, pages):
        seen = asyncio.run(_speed(root, pages, profile.size(TIMES, 1)))
    painted = {name: statistics.median(one.painted) for name, one in seen.items()}
    slowest, stiffest = max(painted, key=painted.__getitem__), max(seen, key=lambda name: seen[name].answered)
    answered = seen[stiffest].answered
    text = f"{slowest} {painted[slowest]:.0f} ms to the first paint; {stiffest} {answered:.0f} ms to answer"
    notes = tuple(f"{name}: {ms:.0f} ms, answers {seen[name].answered:.0f} ms" for name, ms in painted.items())
    return Figure(text, painted[slowest] <= PAINT and answered <= ANSWER, notes)


def faults(profile: Profile) -> Figure:
    """What axe finds on any page, and pages that are wider than the window."""
    try:
        axe.script()
    except pytest.skip.Exception as missing:
        raise Skipped(str(missing)) from None
    with clinic(profile, FEW) as (root, pages):
        found = asyncio.run(_faulty(root, pages))
    wrong = {name: sorted(faults) for name, faults in found.items() if faults}
    return Figure(f"{len(wrong)} of {len(found)} pages have faults", not wrong, tuple(map(str, wrong.items())))


BARS = (
    Bar(
        "pages: first paint and answers",
        "each page in <= 1 s, each input in <= 200 ms, over 100,000 resources",
        speed,
        timing=True,
        alone=True,
    ),
    Bar("pages: accessible", "0 faults that axe finds, nothing wider than 320 px, over 20,000 resources", faults),
)
