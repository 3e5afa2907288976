"""A biller at work in a real browser, by keyboard, narrow and wide.

Needs Debian's Chromium, which is installed where that can be; skipped without it.
"""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Page, Playwright, expect
from werkzeug.serving import make_server

from fhir_server.pages.billing.tests.conftest import Office, running
from fhir_server.pages.tests.looking import looked_at
from fhir_server.pages.visits.tests.test_in_chromium import FLAGS, bounded, free_port


@dataclass
class Site:
    office: Office
    url: str


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    port = free_port()
    with running(tmp_path, OPEN=True, PUBLIC_URL=f"http://127.0.0.1:{port}/fhir") as process:
        office = Office(process)
        server = make_server("127.0.0.1", port, bounded(office.client.application), threaded=True)
        with ThreadPoolExecutor(1) as thread:
            thread.submit(server.serve_forever)
            yield Site(office, f"http://127.0.0.1:{port}")
            server.shutdown()
        server.server_close()


@pytest.fixture
def page(playwright: Playwright, chromium_program: str) -> Iterator[Page]:
    browser = playwright.chromium.launch(executable_path=chromium_program, args=FLAGS)
    yield browser.new_page()
    browser.close()


def tab_to(page: Page, selector: str) -> None:
    """By the Tab key alone, forwards."""
    for _ in range(60):
        page.keyboard.press("Tab")
        if page.evaluate("selector => document.activeElement.matches(selector)", selector):
            return
    raise AssertionError(f"{selector} is not reached by Tab")


def yesterday(hour: int) -> dict[str, str]:
    day = datetime.now(UTC) - timedelta(days=1)
    return {end: day.strftime(f"%Y-%m-%dT{hour:02}:{minute}:00Z") for end, minute in (("start", "05"), ("end", "35"))}


def settled(site: Site) -> str:
    """Visits in every state, and one to check."""
    office = site.office
    office.visit(period=yesterday(8))  # nobody pays yet
    office.charge(office.visit(period=yesterday(9)))
    office.covered(type={"text": "Statutory health insurance"}, subscriberId="A 123 456 789")
    off = office.visit(period=yesterday(10))
    office.charge(off)
    office.page(off).submit(f"/billing/{off}/not-billable", reason="Part of the follow-up of the operation")
    name = {"given": ["Maximiliane", "Theodora"], "family": "Hohenfels-Wartenberg"}
    office.patient = office.made("Patient", name=[name], birthDate="1961-02-03")
    office.covered(type={"text": "Private"})
    visit = office.visit(period=yesterday(11))
    for text in ("Acute bronchitis", "Essential hypertension"):
        office.condition(visit, code={"text": text})
    office.made("Condition", subject={"reference": office.patient}, code={"text": "Atopic dermatitis since childhood"})
    office.charge(visit)
    office.visit(period=yesterday(12))
    return visit


def test_a_draft_is_checked_by_keyboard(site: Site, page: Page) -> None:
    visit = settled(site)
    page.goto(f"{site.url}/billing/")
    page.locator("summary").click()
    looked_at(page, "billing-overview")
    page.locator(f'a[href="/billing/{visit}"]').click()
    looked_at(page, "billing-draft")
    tab_to(page, "#place")
    page.keyboard.press("1")  # 10: at home
    tab_to(page, "button[value=check]")
    page.keyboard.press("Enter")
    expect(page.get_by_role("status")).to_have_text("The claim is checked.")
    page.goto(f"{site.url}/billing/{visit}")
    looked_at(page, "billing-checked")
    expect(page.locator(".tag.good")).to_have_text("Checked")
    page.goto(f"{site.url}/billing/")
    page.get_by_role("link", name="Open").click()
    looked_at(page, "billing-waits")
    page.locator("summary").click()
    page.get_by_label("Why?").fill("The first talk is free")
    page.get_by_role("button", name="Do not bill it").click()
    expect(page.get_by_role("status")).to_have_text("The visit is not billed.")
