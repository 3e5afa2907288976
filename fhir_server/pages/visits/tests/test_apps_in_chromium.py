"""From the chart into a SMART app and to the patient's name in it, in a real browser; the app is the demonstration's.

Needs Debian's Chromium, which is installed where that can be; skipped without it.
"""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect
from werkzeug.serving import make_server

from deploy.demo.__main__ import app
from deploy.demo.house import Ports
from fhir_server.pages.visits.tests.conftest import Rig, rigged
from fhir_server.pages.visits.tests.test_apps import CHART, PATIENT_CHART, TRENDS, register
from fhir_server.pages.visits.tests.test_in_chromium import (
    Complaints,
    bounded,
    browser,
    chart_of,
    free_port,
    nothing_to_mend,
    shots,
)
from fhir_server.pages.visits.tests.test_staff import person
from smart_auth.endpoints import pages_desk
from smart_auth.endpoints.tests.surroundings import CHEAP, PASSWORD

__all__ = ["browser"]


@pytest.fixture
def site(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Rig, str]]:
    """A clinic with log-in and its app, each at an origin of its own."""
    monkeypatch.setattr(pages_desk, "Passwords", lambda: CHEAP)
    ports = Ports(api=free_port(), app=free_port())
    here = f"http://127.0.0.1:{ports.app}/"
    for rig in rigged(folder, PUBLIC_URL=ports.base, VIDEO_PUBLIC_URL=""):
        person(rig, "ben", fhir_user="Practitioner/ben")
        scopes = f"{TRENDS.scopes} launch/patient patient/Observation.rs"
        register(rig, name="Trends", redirect_uris=(here,), launch_uri=here, scopes=scopes)
        rig.house.visit()
        chart_of(rig.house)
        server = make_server("127.0.0.1", ports.api, bounded(rig.application), threaded=True)
        with ThreadPoolExecutor(1) as thread, app(ports):
            thread.submit(server.serve_forever)
            yield rig, ports.base.removesuffix("/fhir")
            server.shutdown()
        server.server_close()


def test_an_app_opens_from_the_chart_and_shows_its_patient(site: tuple[Rig, str], browser: Browser) -> None:
    (rig, url), complaints = site, Complaints()
    clinic = browser.new_context(reduced_motion="reduce")
    complaints.hear(clinic)
    page = clinic.new_page()
    page.goto(f"{url}/visits/")
    page.get_by_label("Login").fill("ben")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in", exact=True).click()
    page.goto(url + CHART)
    with clinic.expect_page() as opened:
        page.get_by_role("region", name="Apps").get_by_role("button", name="Open Trends").click()
    app = opened.value
    expect(app.get_by_role("heading", name="Allow Trends to use health data?")).to_be_visible()
    expect(app.get_by_text("Ada Okafor")).to_be_visible()
    app.get_by_role("button", name="Allow", exact=True).click()
    expect(app.get_by_role("heading", name="Ada Okafor")).to_be_visible()
    expect(app.get_by_text("opened from a visit")).to_be_visible()
    expect(app.get_by_text("C-reactive protein")).to_be_visible()
    assert app.evaluate("window.opener") is None
    nothing_to_mend(app, "app")
    shots(app, "app")
    assert ("Practitioner/ben", "hearth visits") in rig.audited("launch")
    page.goto(url + PATIENT_CHART)
    nothing_to_mend(page, "chart with apps")
    shots(page, "chart-apps")
    page.goto(url + CHART)
    shots(page, "visit-apps")
    assert complaints == []
