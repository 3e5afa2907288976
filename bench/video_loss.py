"""The bar of loss: two pages of Chromium talk while the server's socket loses every twentieth datagram each way.

What is lost is drawn with a seed, handshakes, checks, requests and repairs included. Pictures are those that the
browser decoded of those that the other one encoded; sound is what its jitter buffer had to invent (RFC 7587 section
3.3, RFC 4585, RFC 4588). The sound is a voice made here: repairs of Opus carry nothing for silence.
"""

import asyncio
import math
import random
import tempfile
import wave
from array import array
from pathlib import Path
from typing import Any

from playwright.async_api import Page, async_playwright

from bench.bar import Bar, Figure, Profile, Skipped
from deploy import debian
from video.media.backend import ForwardingBackend
from video.media.ice import Address
from video.media.sockets import Port
from video.media.tests.browser import FLAGS, served

LOSS = 0.05
SECONDS = 60
_RATE = 48000


class Lossy(Port):
    """A socket that loses LOSS of what comes and of what goes."""

    dice = random.Random(5)

    def took(self, datagram: bytes, address: Address, now: float) -> None:
        if self.dice.random() >= LOSS:
            super().took(datagram, address, now)

    def send(self, datagram: bytes, address: Address) -> None:
        if self.dice.random() >= LOSS:
            super().send(datagram, address)


def voice(path: Path, seconds: int = 8) -> None:
    """A voice that says a syllable four times a second: tones over a changing pitch, louder and softer."""
    dice, samples, phase = random.Random(3), array("h"), 0.0
    for _ in range(seconds * 4):
        pitch, formant = dice.uniform(100, 180), dice.uniform(3, 12)
        for n in range(_RATE // 4):
            phase += 2 * math.pi * pitch / _RATE
            tone = sum(math.sin(k * phase) / (1 + abs(k - formant)) for k in range(1, 9))
            loud = 0.25 + 0.75 * math.sin(math.pi * n / (_RATE // 4))
            samples.append(int(3500 * loud * tone + dice.uniform(-150, 150)))
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(_RATE)
        file.writeframes(samples.tobytes())


async def talked(seconds: int, program: str, sound: Path) -> list[dict[str, Any]]:
    """What both pages counted in ``seconds``."""
    backend = ForwardingBackend(("127.0.0.1",), 0, opened=Lossy)
    runner, address = await served(backend)
    backend.permit("r", frozenset("ab"))
    flags = [*FLAGS, f"--use-file-for-fake-audio-capture={sound}"]
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=program, args=flags)
        pages = [await browser.new_page(), await browser.new_page()]
        for page, member in zip(pages, "ab", strict=True):
            await page.goto(address)
            await page.evaluate(f"join('{member}')")
        for page in pages:
            await page.wait_for_function("async () => (await seen()).frames > 20", timeout=60_000)
        await asyncio.sleep(3)
        before = await _counted(pages)
        await asyncio.sleep(seconds)
        after = await _counted(pages)
        await browser.close()
    await runner.cleanup()
    await backend.close()
    return [{k: b[k] - a[k] for k in a if k != "pair"} for a, b in zip(before, after, strict=True)]


async def _counted(pages: list[Page]) -> list[dict[str, Any]]:
    return list(await asyncio.gather(*(page.evaluate("seen()") for page in pages)))


def _lossy(profile: Profile) -> Figure:
    try:
        program = debian.chromium()
    except debian.Missing as error:
        raise Skipped(str(error)) from None
    with tempfile.TemporaryDirectory(prefix="hearth-bars-") as name:
        sound = Path(name) / "voice.wav"
        voice(sound)
        one, two = asyncio.run(asyncio.wait_for(talked(profile.size(SECONDS, 8), program, sound), 150))
    pictures = [100 * a["frames"] / max(1, b["encoded"]) for a, b in ((one, two), (two, one))]
    invented = [100 * each["concealed"] / max(1, each["samples"]) for each in (one, two)]
    return Figure(
        f"{min(pictures):.1f} % of pictures, {max(invented):.2f} % of sound concealed",
        min(pictures) >= 90 and max(invented) <= 2,
        (
            f"pictures decoded and encoded: {one['frames']} of {two['encoded']}, {two['frames']} of {one['encoded']}",
            f"sound concealed: {invented[0]:.2f} and {invented[1]:.2f} %",
        ),
    )


BARS = (Bar("media: 5 % loss", "90 % of pictures, at most 2 % of sound concealed", _lossy, timing=True),)
