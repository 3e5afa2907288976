"""Asked, agreed, recorded and withdrawn in two real browsers; what Chromium sent is in the file and plays."""

import asyncio
import io
from collections.abc import Mapping
from pathlib import Path

import av
from playwright.sync_api import Page, expect

from video.page.tests.site import ANNA, BEN, Hall
from video.page.tests.test_in_chromium import look
from video.ports import FactKind
from video.recording.depacketise import frames
from video.recording.parts import parts
from video.recording.recorder import VaultRecorder
from video.recording.vault import finished
from video.recording.watch import Found, Watch

LENGTH = 3.0


class Desk:
    """A record that has every agreement that was given, for as long as it is not withdrawn there."""

    def __init__(self, hall: Hall, folder: Path) -> None:
        self.hall, self.folder = hall, folder
        self.asking: asyncio.Task[None] | None = None

    async def open(self) -> None:
        consult, site = self.hall.site.consult, self.hall.site
        self.recorder = VaultRecorder(self.folder, consult.sealer, site.media)
        consult.service.visits.record_with(self.recorder)
        self.asking = asyncio.create_task(Watch(consult.service.visits, self.recorder, self.held).run())

    def held(self, asked: Mapping[str, frozenset[int]]) -> Mapping[str, Found]:
        facts = list(self.hall.site.consult.spool.facts)
        given = {(one.room, one.number) for one in facts if one.kind is FactKind.CONSENT_GIVEN}
        found = {room: frozenset(n for n in numbers if (room, n) in given) for room, numbers in asked.items()}
        return {room: Found(active, frozenset()) for room, active in found.items()}

    async def close(self) -> None:
        if self.asking is not None:
            self.asking.cancel()
        self.recorder.close()


def press(page: Page, name: str) -> None:
    page.get_by_role("button", name=name, exact=True).click()


def test_a_visit_is_recorded_when_all_agree_until_one_does_not(hall: Hall, tmp_path: Path) -> None:
    desk = Desk(hall, tmp_path)
    hall.site.run(desk.open())
    try:
        _visit(*hall.talking())
    finally:
        hall.site.run(desk.close())
    for one in finished(tmp_path, hall.site.consult.sealer):
        [part] = parts(frames(one.packets(), one.head.clock), {}, one.head.recording.at)
    assert part.heard == part.seen == {"pt", "dr"}
    with av.open(io.BytesIO(part.content)) as played:
        assert played.duration / 1_000_000 > LENGTH - 1
        shown = [packet.decode() for packet in played.demux(video=0)]
        assert sum(map(len, shown)) > 10
    assert hall.complaints == []


def _visit(clinician: Page, patient: Page) -> None:
    expect(patient.get_by_role("button", name="Record", exact=True)).to_be_hidden()
    press(clinician, "Record")
    press(clinician, "Ask everybody")
    expect(clinician.get_by_text(f"Not recorded yet. Still asked: {ANNA}.")).to_be_visible()
    expect(patient.get_by_text(f"{BEN} asks to record this visit")).to_be_visible()
    for page in (clinician, patient):
        page.set_viewport_size({"width": 320, "height": 640})
        look(page, "asked")
    press(patient, "I agree")
    for page in (clinician, patient):
        expect(page.locator("#recording-text")).to_contain_text("This visit is being recorded. Agreed: ")
        look(page, "recorded")
    patient.wait_for_timeout(LENGTH * 1000)
    press(patient, "I do not agree any more")
    for page in (clinician, patient):
        expect(page.get_by_text("This visit is being recorded.").first).to_be_hidden()
    expect(clinician.get_by_role("button", name="Record", exact=True)).to_be_visible()
    expect(patient.locator("#recording")).to_be_hidden()
