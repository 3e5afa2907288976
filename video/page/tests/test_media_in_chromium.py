"""Two pages and the forwarding server: pictures and sound both ways, and what brings them back."""

import time
from collections.abc import Callable

from playwright.sync_api import Page, expect

from video.page.tests.site import ANNA, BEN, Hall

_RECEIVED = """async () => {
  const found = { video: 0, audio: 0, sound: 0, connections: connections.length };
  const live = connections.filter((each) => each.connectionState !== "closed");
  for (const each of live) for (const stat of (await each.getStats()).values()) {
    if (stat.type !== "inbound-rtp") continue;
    if (stat.kind === "video") found.video += stat.framesDecoded ?? 0;
    else { found.audio += stat.packetsReceived; found.sound += stat.totalAudioEnergy ?? 0; }
  }
  return found;
}"""
PATIENCE = 60.0


def received(page: Page) -> dict[str, float]:
    found: dict[str, float] = page.evaluate(_RECEIVED)
    return found


def until(page: Page, true: Callable[[dict[str, float]], bool]) -> dict[str, float]:
    """Asks again until it is so."""
    end = time.monotonic() + PATIENCE
    while not true(found := received(page)):
        assert time.monotonic() < end, found
        page.wait_for_timeout(50)
    return found


def seen(page: Page, name: str) -> None:
    """The picture of somebody moves and nothing covers it."""
    tile = page.locator("figure.tile").filter(has_text=name)
    expect(tile.locator("video")).to_be_visible()
    expect(tile.locator(".cover")).to_be_hidden(timeout=PATIENCE * 1000)


def test_pictures_and_sound_both_ways(hall: Hall) -> None:
    clinician, patient = hall.talking()
    for page, other in ((clinician, ANNA), (patient, BEN)):
        until(page, lambda found: found["video"] > 20 and found["audio"] > 50 and found["sound"] > 0)
        seen(page, other)
        expect(page.locator("#visit .quality")).to_have_text("Connection good")
    hall.site.run(hall.site.consult.recorded("started"))


def test_nothing_is_received_before_admission(hall: Hall) -> None:
    patient, clinician = hall.waiting(), hall.clinician()
    expect(patient.locator("#waiting .quality")).to_have_text("Connection good")
    for page in (patient, clinician):
        found = received(page)
        assert found["connections"] == 1 and found["video"] == found["audio"] == 0


def test_a_camera_that_is_stopped_says_so_and_comes_back(hall: Hall) -> None:
    clinician, patient = hall.talking()
    seen(clinician, ANNA)
    patient.get_by_role("button", name="Stop camera").click()
    expect(clinician.get_by_text("Camera is off", exact=True)).to_be_visible()
    patient.get_by_role("button", name="Start camera").click()
    seen(clinician, ANNA)


def test_a_screen_is_shared_and_stopped(hall: Hall) -> None:
    clinician, patient = hall.talking()
    seen(clinician, ANNA)
    patient.evaluate(
        """() => {
          const canvas = document.createElement("canvas"), brush = canvas.getContext("2d");
          canvas.width = 640; canvas.height = 360;
          setInterval(() => {
            brush.fillStyle = `hsl(${Date.now() % 360} 80% 50%)`;
            brush.fillRect(0, 0, 640, 360);
          }, 50);
          navigator.mediaDevices.getDisplayMedia = async () => canvas.captureStream(15);
        }"""
    )
    patient.get_by_role("button", name="Share screen").click()
    expect(clinician.get_by_text(f"Screen of {ANNA}")).to_be_visible()
    expect(clinician.locator("#screen-video")).not_to_have_js_property("videoWidth", 0)
    patient.get_by_role("button", name="Stop sharing").click()
    expect(clinician.get_by_text(f"Screen of {ANNA}")).to_be_hidden()


def test_a_reload_brings_the_pictures_back(hall: Hall) -> None:
    clinician, patient = hall.talking()
    seen(patient, BEN)
    patient.reload()
    seen(patient, BEN)
    seen(clinician, ANNA)


def test_an_ice_restart_keeps_the_pictures_coming(hall: Hall) -> None:
    """That it freezes none of them is a bar: a busy machine freezes pictures by itself."""
    _, patient = hall.talking()
    seen(patient, BEN)
    before = until(patient, lambda found: found["video"] > 30)
    patient.evaluate("window.dispatchEvent(new Event('online'))")
    until(patient, lambda found: found["video"] > before["video"] + 40)
    assert received(patient)["connections"] == 1
    assert patient.evaluate("connections[0].iceConnectionState") in ("connected", "completed")


def test_a_media_session_that_is_gone_is_made_anew(hall: Hall) -> None:
    """As after a restart of the media server, which knows none of the sessions of before."""
    clinician, patient = hall.talking()
    seen(patient, BEN)
    sessions = [id for id, one in hall.site.media._sessions.items() if (one.room, one.member) == (hall.room, "pt")]

    async def drop() -> None:
        await hall.site.media.leave(sessions[0])

    hall.site.run(drop())
    until(patient, lambda found: found["connections"] == 2 and found["video"] > 20)
    seen(patient, BEN)
    seen(clinician, ANNA)


def test_held_is_neither_seen_nor_sees(hall: Hall) -> None:
    clinician, patient = hall.talking()
    seen(clinician, ANNA)
    clinician.get_by_role("button", name="People", exact=True).click()
    clinician.get_by_role("button", name=f"Hold {ANNA}").click()
    expect(clinician.locator("figure.tile").get_by_text("On hold")).to_be_visible()
    clinician.get_by_role("button", name=f"End hold of {ANNA}").click()
    seen(clinician, ANNA)
    seen(patient, BEN)


def test_a_killed_service_and_the_visit_goes_on(hall: Hall) -> None:
    clinician, patient = hall.talking()
    seen(patient, BEN)
    seen(clinician, ANNA)
    hall.site.kill_and_start()
    for page, other in ((patient, BEN), (clinician, ANNA)):
        until(page, lambda found: found["connections"] > 1 and found["video"] > 20 and found["audio"] > 50)
        seen(page, other)
        expect(page.get_by_text("The connection is interrupted.")).to_be_hidden()
