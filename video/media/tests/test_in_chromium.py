"""Two pages of a real browser through the media server: each decodes the other, across an ICE restart too.

Needs Debian's Chromium, which is installed where that can be; skipped without it.
"""

import asyncio
from collections.abc import Awaitable, Callable

from playwright.async_api import Page, async_playwright

from video.media.backend import ForwardingBackend
from video.media.counters import Dropped
from video.media.tests.browser import FLAGS, served
from video.media.tests.pair import LOOPBACK


def visit(program: str, body: Callable[[ForwardingBackend, Page, Page], Awaitable[None]]) -> None:
    """``body`` gets two pages in the same room, both permitted."""

    async def all_of_it() -> None:
        backend = ForwardingBackend(LOOPBACK, 0)
        runner, address = await served(backend)
        backend.permit("r", frozenset("ab"))
        async with async_playwright() as playwright:
            browser = await playwright.chromium.launch(executable_path=program, args=list(FLAGS))
            one, two = await browser.new_page(), await browser.new_page()
            for page, member in ((one, "a"), (two, "b")):
                await page.goto(address)
                await page.evaluate(f"join('{member}')")
            await body(backend, one, two)
            await browser.close()
        await runner.cleanup()
        await backend.close()

    asyncio.run(asyncio.wait_for(all_of_it(), 240))


async def until(page: Page, true: str) -> None:
    await page.wait_for_function(f"async () => {{ const now = await seen(); return {true}; }}", timeout=60_000)


def test_two_pages_decode_each_other_across_a_restart(chromium_program: str) -> None:
    async def body(backend: ForwardingBackend, one: Page, two: Page) -> None:
        for page in (one, two):
            await until(page, "now.frames > 20 && now.samples > 24000")
        before = await one.evaluate("seen()")
        await one.evaluate("restart()")
        after = await one.evaluate("seen()")
        assert after["captured"] >= before["captured"], "the encoder was made anew, and the picture stood still"
        await until(one, f"now.frames > {before['frames']} + 30 && now.pair !== '{before['pair']}'")
        assert await one.evaluate("pc.connectionState") == "connected"
        await two.evaluate("screenSender.replaceTrack(camera.clone())")
        await until(one, "now.screen > 5")
        dropped = {reason for reason, packets in backend.counters.items() if packets}
        assert dropped <= {Dropped.UNKNOWN}, backend.counters  # some come before their address is checked

    visit(chromium_program, body)
