"""Two pages of a real browser through the media server: each decodes the other, across an ICE restart too.

Needs Debian's chromium (apt-get install chromium); skipped without it.
"""

import asyncio
import shutil
from collections.abc import Awaitable, Callable

import pytest
from aiohttp import web
from playwright.async_api import Page, async_playwright

from video.media.backend import ForwardingBackend
from video.media.counters import Dropped
from video.media.tests.pair import LOOPBACK

CHROMIUM = shutil.which("chromium")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="there is no chromium")
FLAGS = (
    "--headless=new",
    "--no-sandbox",
    "--use-fake-device-for-media-stream",
    "--use-fake-ui-for-media-stream",
    "--disable-background-networking",
)
PAGE = """<!doctype html><title>peer</title><script>
const wait = (ms) => new Promise((done) => setTimeout(done, ms));
async function join(member) {
  const pc = window.pc = new RTCPeerConnection({ bundlePolicy: "max-bundle" });
  const media = await navigator.mediaDevices.getUserMedia({ audio: true, video: { width: 320, height: 240 } });
  pc.addTransceiver(media.getAudioTracks()[0], { direction: "sendonly" });
  pc.addTransceiver(media.getVideoTracks()[0], { direction: "sendonly" });
  window.screenSender = pc.addTransceiver("video", { direction: "sendonly" }).sender;
  window.camera = media.getVideoTracks()[0];
  for (const kind of ["audio", "video", "video"]) {
    const receiver = pc.addTransceiver(kind, { direction: "recvonly" }).receiver;
    const element = document.createElement(kind);
    element.srcObject = new MediaStream([receiver.track]);
    element.autoplay = element.muted = true;
    document.body.append(element);
  }
  await pc.setLocalDescription();
  const reply = await fetch(`/offer/${member}`, { method: "POST", body: pc.localDescription.sdp });
  window.place = reply.headers.get("Location");
  window.answer = await reply.text();
  await pc.setRemoteDescription({ type: "answer", sdp: window.answer });
}
async function restart() {
  await pc.setLocalDescription(await pc.createOffer({ iceRestart: true }));
  const { sdp } = pc.localDescription;
  const lines = ["ice-ufrag", "ice-pwd"].map((name) => sdp.match(new RegExp(`a=${name}:.*`))[0].trim());
  const part = await (await fetch(place, { method: "PATCH", body: lines.join("\\r\\n") + "\\r\\n" })).text();
  for (const name of ["ice-ufrag", "ice-pwd"]) {
    const line = part.match(new RegExp(`^a=${name}:.*$`, "m"))[0].trim();
    window.answer = window.answer.replace(new RegExp(`^a=${name}:.*$`, "gm"), line);
  }
  await pc.setRemoteDescription({ type: "answer", sdp: window.answer });
}
async function seen() {
  const found = { frames: 0, screen: 0, samples: 0, concealed: 0, pair: "" };
  for (const s of (await pc.getStats()).values()) {
    if (s.type === "inbound-rtp" && s.kind === "video") {
      found[s.mid === "5" ? "screen" : "frames"] += s.framesDecoded;
    }
    if (s.type === "inbound-rtp" && s.kind === "audio") {
      found.samples += s.totalSamplesReceived; found.concealed += s.concealedSamples - s.silentConcealedSamples;
    }
    if (s.type === "transport") found.pair = s.selectedCandidatePairId;
  }
  return found;
}
</script><body></body>"""


async def served(backend: ForwardingBackend) -> tuple[web.AppRunner, str]:
    async def page(request: web.Request) -> web.Response:
        return web.Response(text=PAGE, content_type="text/html")

    async def offer(request: web.Request) -> web.Response:
        session, answer = await backend.offer("r", request.match_info["member"], await request.text())
        return web.Response(text=answer, headers={"Location": f"/media/{session}"})

    async def restart(request: web.Request) -> web.Response:
        return web.Response(text=await backend.restart(request.match_info["session"], await request.text()))

    application = web.Application()
    application.add_routes(
        [web.get("/", page), web.post("/offer/{member}", offer), web.patch("/media/{session}", restart)]
    )
    runner = web.AppRunner(application)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    return runner, f"http://127.0.0.1:{runner.addresses[0][1]}/"


def visit(body: Callable[[ForwardingBackend, Page, Page], Awaitable[None]]) -> None:
    """``body`` gets two pages in the same room, both permitted."""

    async def all_of_it() -> None:
        backend = ForwardingBackend(LOOPBACK, 0)
        runner, address = await served(backend)
        backend.permit("r", frozenset("ab"))
        async with async_playwright() as playwright:
            browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=list(FLAGS))
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


def test_two_pages_decode_each_other_across_a_restart() -> None:
    async def body(backend: ForwardingBackend, one: Page, two: Page) -> None:
        for page in (one, two):
            await until(page, "now.frames > 20 && now.samples > 24000")
        before = await one.evaluate("seen()")
        await one.evaluate("restart()")
        await until(one, f"now.frames > {before['frames']} + 30 && now.pair !== '{before['pair']}'")
        assert await one.evaluate("pc.connectionState") == "connected"
        await two.evaluate("screenSender.replaceTrack(camera.clone())")
        await until(one, "now.screen > 5")
        dropped = {reason for reason, packets in backend.counters.items() if packets}
        assert dropped <= {Dropped.UNKNOWN}, backend.counters  # some come before their address is checked

    visit(body)
