"""From the list into the visit and to the Observation, in a real browser, before the API and the video process.

Needs Debian's Chromium, which is installed where that can be; skipped without it.
"""

import asyncio
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Playwright, expect
from werkzeug.serving import make_server

from fhir_server.pages.tests.looking import INSIDE, WIDTHS
from fhir_server.pages.visits.tests.conftest import MARKUP, Rig, at, concept, rigged
from fhir_server.video_service import service_of
from smart_auth.endpoints import pages_desk
from smart_auth.endpoints.tests.surroundings import CHEAP, PASSWORD
from smart_auth.model import Person
from video.media.backend import ForwardingBackend
from video.page.tests import axe

FLAGS = ["--no-sandbox", "--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream=fps=10"]


@dataclass
class Site:
    rig: Rig
    url: str
    video: str


class Loop:
    """The video process in a thread."""

    def __init__(self, rig: Rig) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self._run(self._start(rig))

    async def _start(self, rig: Rig) -> None:
        self._media = ForwardingBackend(("127.0.0.1",), 0)
        self._service = service_of(rig.process, self._media)
        await self._service.start()

    async def _stop(self) -> None:
        await self._service.stop()
        await self._media.close()

    def _run(self, work: Any) -> None:
        asyncio.run_coroutine_threadsafe(work, self._loop).result(30)

    def stop(self) -> None:
        self._run(self._stop())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def bounded(application: Any) -> Any:
    """Unlike the servers that we run on, this one does not end the body where its length says."""

    def call(environ: dict[str, Any], start_response: Any) -> Any:
        environ["wsgi.input"] = BytesIO(environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0)))
        return application(environ, start_response)

    return call


@pytest.fixture
def site(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    monkeypatch.setattr(pages_desk, "Passwords", lambda: CHEAP)
    api, video = free_port(), free_port()
    for rig in rigged(folder, PUBLIC_URL=f"http://127.0.0.1:{api}/fhir", VIDEO_PUBLIC_URL="", VIDEO_PORT=video):
        ben = {"id": "1", "login": "ben", "name": "Dr Ben Wolf", "fhir_user": "Practitioner/ben"}
        person = Person(**ben, password_argon2=CHEAP.hash(PASSWORD))
        rig.process.authorization.service.records.put_person(person)
        loop, server = Loop(rig), make_server("127.0.0.1", api, bounded(rig.application), threaded=True)
        with ThreadPoolExecutor(1) as thread:
            thread.submit(server.serve_forever)
            yield Site(rig, f"http://127.0.0.1:{api}", f"http://127.0.0.1:{video}")
            server.shutdown()
        server.server_close()
        loop.stop()


@pytest.fixture
def browser(playwright: Playwright, chromium_program: str) -> Iterator[Browser]:
    browser = playwright.chromium.launch(executable_path=chromium_program, args=FLAGS)
    yield browser
    browser.close()


class Complaints(list[str]):
    """What the policy blocked, and every error of a script."""

    def hear(self, context: BrowserContext) -> None:
        context.on("console", lambda said: self.append(said.text) if "Content Security" in said.text else None)
        context.on("weberror", lambda error: self.append(str(error.error)))


def chart_of(house: Any) -> None:
    """A chart with something in every section, and markup where names go."""
    ada = {"reference": "Patient/ada"}
    house.put("AllergyIntolerance", "a", patient=ada, code=concept("Penicillin"), criticality="high",
              clinicalStatus=concept("", "active", "http://terminology.hl7.org/CodeSystem/allergyintolerance-clinical"),
              reaction=[{"manifestation": [{"text": "Hives"}], "severity": "severe"}])  # fmt: skip
    house.put("Condition", "c", subject=ada, code=concept(f"Asthma {MARKUP}"), onsetDateTime="2011-04")
    dose = [{"text": "1 puff twice a day"}]
    house.put("MedicationRequest", "m", subject=ada, status="active", intent="order", authoredOn="2025-03-01",
              medicationCodeableConcept=concept("Budesonide 200 µg inhaler"), dosageInstruction=dose)  # fmt: skip
    for n, value in enumerate((41, 68)):
        flag = [concept("", "H", "http://terminology.hl7.org/CodeSystem/v3-ObservationInterpretation")]
        house.put("Observation", f"crp{n}", subject=ada, status="final", code=concept("C-reactive protein", "1988-5"),
                  effectiveDateTime=at(-9000 + n), valueQuantity={"value": value, "unit": "mg/L"},
                  interpretation=flag, referenceRange=[{"high": {"value": 5, "unit": "mg/L"}}])  # fmt: skip


def nothing_to_mend(page: Page, where: str) -> None:
    """At every width nothing is wider than the page; at the ends axe finds nothing."""
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 800})
        assert page.evaluate(INSIDE), (where, width)
        if width == 768:
            continue
        # evaluate runs in the page's own world, where the policy forbids nothing to the debugger.
        page.evaluate(axe.script())
        found = page.evaluate("rules => axe.run({runOnly: {type: 'tag', values: rules}})", axe.RULES)
        assert [(one["id"], one["nodes"][0]["html"]) for one in found["violations"]] == [], (where, width)


def shot(page: Page, name: str) -> None:
    import os

    if os.environ.get("SHOTS"):
        page.screenshot(path=f"{os.environ['SHOTS']}/{name}.png", full_page="visit" not in name)


def test_from_the_list_into_the_visit_and_to_the_observation(site: Site, browser: Browser) -> None:
    house, complaints = site.rig.house, Complaints()
    chart_of(house)
    house.booked("a1", minutes=5)
    house.booked("a2", "PractitionerRole/eves", minutes=30, reasonCode=[{"text": MARKUP}])
    clinic = browser.new_context(reduced_motion="reduce")
    complaints.hear(clinic)
    page = clinic.new_page()
    page.goto(f"{site.url}/visits/")
    page.get_by_label("Login").fill("ben")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in", exact=True).click()
    expect(page.get_by_role("heading", name="Video visits")).to_be_visible()
    expect(page.get_by_role("rowheader", name="Ada Okafor")).to_have_count(1)

    # The clinician begins the visit in another tab; the chart stands beside the picture.
    with page.expect_popup() as opened:
        page.get_by_role("button", name="Start").click()
    visit = opened.value
    visit.get_by_role("button", name="Enter the visit").click()
    chart = visit.frame_locator("#chart-frame")
    expect(chart.get_by_role("heading", name="Ada Okafor")).to_be_visible()
    expect(chart.get_by_text("High risk")).to_be_visible()
    shot(visit, "visit")

    # The patient comes; the list says so by itself, and for how long.
    [encounter] = house.all("Encounter")
    desk, people = _desk(site.rig), browser.new_context()
    seat = desk.seat(
        desk.visit(site.rig.process.repository(_keeper()).read("Encounter", encounter["id"])), "Patient/ada"
    )
    patient = people.new_page()
    patient.goto(seat.url)
    patient.get_by_role("button", name="Yes, test camera and microphone").click()
    patient.get_by_role("button", name="Go to the waiting room").click()
    expect(patient.get_by_role("heading", name="You are in the waiting room")).to_be_visible()
    expect(page.locator(".waits")).to_contain_text("Ada Okafor")
    expect(page.locator(".waits")).to_contain_text("waits")
    expect(page.get_by_text("In the visit: Dr Ben Wolf")).to_have_count(1)
    expect(page).to_have_title("(1) Video visits · Hearth")
    people.close()

    # What is typed into the note stays while measurements are saved, also when they are refused first.
    chart.get_by_label("New note").fill("Cough for a week.")
    chart.get_by_label("Heart rate").fill("7200")
    chart.get_by_role("button", name="Save measurements").click()
    expect(chart.get_by_text("Heart rate is between 10 and 350")).to_be_visible()
    chart.get_by_label("Heart rate").fill("72")
    chart.get_by_label("Heart rate").press("Enter")
    expect(chart.get_by_role("rowheader", name="Heart rate")).to_be_visible()
    expect(chart.get_by_label("New note")).to_have_value("Cough for a week.")

    # The log-in ends: nothing is shown, nothing typed is lost, and the same person goes on.
    cookies = clinic.cookies()
    clinic.clear_cookies()
    chart.get_by_role("button", name="Sign").click()
    expect(chart.get_by_role("heading", name="You are logged off")).to_be_visible()
    expect(chart.get_by_role("heading", name="Ada Okafor")).to_be_hidden()
    clinic.add_cookies(cookies)  # type: ignore[arg-type]
    chart.get_by_role("button", name="Go on").click()
    chart.get_by_role("button", name="Sign").click()
    expect(chart.get_by_text("The note is signed.")).to_have_count(1)
    expect(chart.get_by_text("Signed by Dr Ben Wolf,")).to_be_visible()
    assert site.rig.house.texts() == ["Cough for a week."]
    [measured] = house.all("Observation", ("code", "http://loinc.org|8867-4"))
    assert measured["encounter"]["reference"] == f"Encounter/{encounter['id']}"
    assert measured["performer"] == [{"reference": "Practitioner/ben"}]
    visit.close()

    # Both pages on a phone, a tablet and a desk.
    page.goto(f"{site.url}/visits/?all=1")
    expect(page.get_by_role("rowheader", name=MARKUP)).to_have_count(0)
    expect(page.get_by_role("cell", name=MARKUP)).to_be_visible()
    nothing_to_mend(page, "list")
    shots(page, "list")
    page.goto(f"{site.url}/visits/chart/Encounter/{encounter['id']}")
    expect(page.get_by_text(f"Asthma {MARKUP}")).to_be_visible()
    nothing_to_mend(page, "chart")
    shots(page, "chart")
    assert complaints == []


def shots(page: Page, name: str) -> None:
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 800})
        shot(page, f"{name}-{width}")


def _desk(rig: Rig) -> Any:
    from fhir_server import video

    return video.desk(rig.process)


def _keeper() -> Any:
    from fhir_server import video

    return video.KEEPER
