"""A page of Chromium for the tests and the bars: it sends a fake camera and sound, and counts what it decodes.

RFC 9725 as far as the media server speaks it; no signalling.
"""

from aiohttp import web

from video.media.backend import ForwardingBackend

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
  const found = { frames: 0, screen: 0, samples: 0, concealed: 0, encoded: 0, captured: 0, pair: "" };
  for (const s of (await pc.getStats()).values()) {
    if (s.type === "inbound-rtp" && s.kind === "video") {
      found[s.mid === "5" ? "screen" : "frames"] += s.framesDecoded;
    }
    if (s.type === "inbound-rtp" && s.kind === "audio") {
      found.samples += s.totalSamplesReceived; found.concealed += s.concealedSamples - s.silentConcealedSamples;
    }
    if (s.type === "outbound-rtp" && s.kind === "video") found.encoded += s.framesEncoded;
    if (s.type === "media-source" && s.kind === "video") found.captured += s.frames;
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
