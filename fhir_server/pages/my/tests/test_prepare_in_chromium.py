"""A questionnaire filled in by keyboard in a real browser, with script and without, narrow and wide.

Needs Debian's Chromium, which is installed where that can be; skipped without it.
"""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, Playwright, expect
from werkzeug.serving import make_server

from fhir_server import wiring
from fhir_server.conftest import Client
from fhir_server.pages.my.tests.test_prepare import Patient
from fhir_server.pages.tests.looking import looked_at
from fhir_server.pages.visits.tests.test_in_chromium import FLAGS, bounded, free_port
from fhir_server.preparation import prepare
from fhir_server.settings import load
from fhir_server.wiring import Process


@dataclass
class Site:
    patient: Patient
    url: str

    @property
    def page(self) -> str:
        return f"{self.url}{self.patient.place}?patient={self.patient.patient}"


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    settings = load({"DATA_DIR": str(tmp_path), "OPEN": True, "PUBLIC_URL": f"{url}/fhir"}, {})
    prepare(settings)
    with Process(settings) as process, ThreadPoolExecutor(1) as thread:
        application = wiring.compose(process)
        server = make_server("127.0.0.1", port, bounded(application), threaded=True)
        thread.submit(server.serve_forever)
        yield Site(Patient(Client(application)), url)
        server.shutdown()
        server.server_close()


@pytest.fixture
def browser(playwright: Playwright, chromium_program: str) -> Iterator[Browser]:
    browser = playwright.chromium.launch(executable_path=chromium_program, args=FLAGS)
    yield browser
    browser.close()


def tab_to(page: Page, selector: str) -> None:
    """By the Tab key alone, forwards."""
    for _ in range(80):
        page.keyboard.press("Tab")
        if page.evaluate("selector => document.activeElement.matches(selector)", selector):
            return
    raise AssertionError(f"{selector} is not reached by Tab")


def test_by_keyboard_with_script(site, browser):
    page = browser.new_page(viewport={"width": 320, "height": 700})
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    page.goto(site.page)
    looked_at(page, "prepare")
    page.set_viewport_size({"width": 320, "height": 700})
    tab_to(page, "[name='a0.0:why']")
    page.keyboard.type("Cough at night")
    expect(page.get_by_text("call the emergency number")).to_be_hidden()
    tab_to(page, "[name='a0.0:how-bad']")
    for _ in range(6):
        page.keyboard.press("ArrowDown")
        if page.get_by_text("call the emergency number").is_visible():
            break
    expect(page.get_by_text("call the emergency number")).to_be_visible()
    tab_to(page, "[name='a0.0:signs'][value$=fever]")
    expect(page.locator("[name='a0.0:temperature']")).to_be_hidden()
    page.keyboard.press("Space")
    tab_to(page, "[name='a0.0:temperature']")
    page.keyboard.type("38,5")
    tab_to(page, "[name='a0:takes'][value=true]")
    page.keyboard.press("Space")
    tab_to(page, "[name='a0.0.0:drug']")
    tab_to(page, "button[value=send]")
    page.keyboard.press("Enter")
    expect(page.locator("#errors")).to_be_focused()
    looked_at(page, "prepare-errors")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    tab_to(page, "[name='a0.0:pain'], [name='u0.0:temperature']")
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Control+a")
    page.keyboard.type("38.5")
    tab_to(page, "button[value='g0.1:medicine']")
    page.keyboard.press("Enter")
    expect(page.get_by_text("Medicine 2")).to_be_visible()
    tab_to(page, "[name='a0.1.0:drug']")  # it is where one goes on
    page.locator("[name='a0.0.0:drug']").fill("Metformin")
    tab_to(page, "button[value=send]")
    page.keyboard.press("Enter")
    expect(page.get_by_role("status")).to_contain_text("with the clinic")
    looked_at(page, "prepare-sent")
    told = str(site.patient.response()["item"])
    assert "Metformin" in told and "38.5" in told and "Very much" in told
    assert [text for text in said if "Content Security" in text or ("rror" in text and "422" not in text)] == []


def test_by_keyboard_without_script(site, browser):
    page = browser.new_context(java_script_enabled=False, viewport={"width": 320, "height": 700}).new_page()
    page.goto(site.page)
    page.locator("[name='a0.0:why']").focus()
    page.keyboard.type("Cough at night")
    page.locator("[name='a0:takes'][value=false]").focus()
    page.keyboard.press("Space")
    page.locator("[name='a0.0:smokes'][value$=yes]").focus()
    page.keyboard.press("Space")
    page.locator("button[value=send]").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_text("led to more questions")).to_be_visible()
    page.locator("[name='a0.0:cigarettes']").focus()
    page.keyboard.type("8")
    page.locator("button[value=send]").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("status")).to_contain_text("with the clinic")
    assert site.patient.response()["status"] == "completed"
