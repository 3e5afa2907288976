"""A visit that is encrypted end to end: two pages see each other, what the server forwards shows nobody anything."""

import re
import threading
from collections.abc import Iterable
from fractions import Fraction

import av
from aiortc.codecs.vpx import VpxPayloadDescriptor
from av.error import FFmpegError
from playwright.sync_api import Page, expect

from video.media.rtp import payload_start
from video.page.tests.site import ANNA, BEN, Hall
from video.page.tests.test_in_chromium import look, press
from video.page.tests.test_media_in_chromium import received, seen, until
from video.ports import Captured, Source

GRID = (16, 12)
_SHOWN = """(size) => {
  const canvas = document.createElement("canvas"), brush = canvas.getContext("2d");
  [canvas.width, canvas.height] = size;
  brush.drawImage(document.querySelector("#tiles video"), 0, 0, ...size);
  const { data } = brush.getImageData(0, 0, ...size), found = [];
  const light = (n) => 0.299 * data[n] + 0.587 * data[n + 1] + 0.114 * data[n + 2];
  for (let n = 0; n < data.length; n += 4) found.push(light(n));
  return found;
}"""


class Tapped:
    """What the server could see of a camera: the packets of its key frames."""

    def __init__(self) -> None:
        self.frames: list[bytes] = []
        self.enough = threading.Event()
        self._frame = b""

    def __call__(self, one: Captured) -> None:
        if one.source is not Source.CAMERA:
            return
        descriptor, payload = VpxPayloadDescriptor.parse(one.packet[payload_start(one.packet) :])
        if descriptor.partition_start and descriptor.partition_id == 0:
            self._frame = b""
        self._frame += payload
        if one.packet[1] & 0x80 and self._frame and not self._frame[0] & 1:
            self.frames.append(self._frame)
            self.enough.set()


def picture(frame: bytes) -> list[float]:
    """How light it is where, as a decoder that has no key shows it; nothing when it shows nothing."""
    decoder = av.CodecContext.create("vp8", "r")
    try:
        shown = decoder.decode(av.Packet(frame))
    except FFmpegError:
        return []
    if not shown:
        return []
    plane = shown[0].reformat(*GRID, format="gray").planes[0]
    whole = bytes(plane)
    return [light for row in range(GRID[1]) for light in whole[row * plane.line_size :][: GRID[0]]]


def difference(one: Iterable[float], other: list[float]) -> float:
    return sum(abs(a - b) for a, b in zip(one, other, strict=False)) / len(other)


def number(page: Page, name: str) -> str:
    """The one that the page shows for the member."""
    shown = page.locator("#sealed-text")
    expect(shown).to_contain_text(re.compile(rf"Number with {name}: \d{{3}}\s\d{{3}}"))
    found = re.search(rf"Number with {name}: (\d{{3}}\s\d{{3}})", shown.inner_text())
    assert found is not None
    return found[1]


def test_two_see_each_other_and_the_server_sees_nothing(hall: Hall) -> None:
    hall.encrypted = True
    patient = hall.tab(width=320, height=640)
    patient.add_init_script("delete window.RTCRtpScriptTransform")  # as browsers that have the older way alone
    patient.goto(hall.link("pt", ANNA))
    patient.get_by_role("button", name="Yes, test camera and microphone").click()
    patient.get_by_role("button", name="Go to the waiting room").click()
    clinician = hall.clinician()
    clinician.get_by_role("button", name=f"Admit {ANNA}").click()
    for page, other in ((clinician, ANNA), (patient, BEN)):
        until(page, lambda found: found["video"] > 5 and found["audio"] > 20 and found["sound"] > 0)
        seen(page, other)
    assert number(clinician, ANNA) == (first := number(patient, BEN))
    look(patient, "encrypted")
    press(patient, "The numbers are the same")
    expect(patient.locator("#sealed-text")).not_to_contain_text("Read it to each other")
    assert _differs(hall, clinician)
    before = received(clinician)["video"]
    patient.reload()
    expect(clinician.locator("#said-now")).to_contain_text(f"{ANNA} has a new key. Compare the number again")
    assert number(clinician, ANNA) == number(patient, BEN) != first
    seen(patient, BEN)
    until(clinician, lambda found: found["video"] > before + 5)


def _differs(hall: Hall, clinician: Page) -> bool:
    """What is tapped of the patient's camera is whole, and shows something else than the clinician sees, or nothing."""
    tapped = Tapped()

    async def tap() -> None:
        hall.site.media.tap(hall.room, frozenset({"pt"}), tapped)

    hall.site.run(tap())
    assert tapped.enough.wait(60)
    shown = clinician.evaluate(_SHOWN, list(GRID))
    assert tapped.frames[0][3:6] == b"\x9d\x01\x2a"
    stolen = picture(tapped.frames[0])
    return not stolen or difference(stolen, shown) > 20


def test_a_page_that_waits_begins_anew_when_the_visit_becomes_encrypted(hall: Hall) -> None:
    patient = hall.waiting()
    hall.encrypted = True
    clinician = hall.clinician()
    expect(clinician.locator("#sealed-text")).to_have_text("This visit is encrypted end to end.")
    clinician.get_by_role("button", name=f"Admit {ANNA}").click()
    assert number(clinician, ANNA) == number(patient, BEN)


def test_a_browser_that_cannot_is_told_so(hall: Hall) -> None:
    hall.encrypted = True
    page = hall.tab()
    page.add_init_script("delete window.RTCRtpScriptTransform; delete RTCRtpSender.prototype.createEncodedStreams")
    page.goto(hall.link("pt", ANNA))
    expect(page.get_by_text("This visit is encrypted end to end, which this browser cannot do.")).to_be_visible()


def test_the_tap_of_this_test_would_see_what_is_in_the_clear() -> None:
    encoder = av.CodecContext.create("libvpx", "w")
    encoder.width, encoder.height, encoder.pix_fmt = 320, 240, "yuv420p"
    encoder.time_base = Fraction(1, 10)
    frame = av.VideoFrame(320, 240, "yuv420p")
    for plane, light in zip(frame.planes, (80, 120, 140), strict=True):
        plane.update(bytes([light]) * plane.buffer_size)
    frame.pts = 0
    [packet, *_] = [*encoder.encode(frame), *encoder.encode(None)]
    assert difference(picture(bytes(packet)), [80] * (GRID[0] * GRID[1])) < 20
