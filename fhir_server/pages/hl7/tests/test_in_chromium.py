"""The console in a real browser: the policy lets our script and forms through, on wide and narrow screens.

Needs Debian's Chromium, which is installed where that can be; skipped without it.
"""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from playwright.sync_api import Page, Playwright, expect
from werkzeug.serving import make_server

from fhir_server.pages.hl7.tests.conftest import Rig
from smart_auth.endpoints import pages_desk
from smart_auth.endpoints.tests.surroundings import CHEAP, PASSWORD
from smart_auth.model import Person

WIDTHS = (390, 768, 1280)


@pytest.fixture
def cheap(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pages_desk, "Passwords", lambda: CHEAP)


@pytest.fixture
def rig(cheap: None, secured: Rig) -> Rig:
    """With log-in, and one administrator."""
    root = Person(id="1", login="root", name="Root", administrator=True, password_argon2=CHEAP.hash(PASSWORD))
    secured.process.authorization.service.records.put_person(root)
    return secured


@pytest.fixture
def site(rig: Rig) -> Iterator[str]:
    server = make_server("127.0.0.1", 0, rig.browser.client.application, threaded=True)
    with ThreadPoolExecutor(1) as thread:
        thread.submit(server.serve_forever)
        yield f"http://localhost:{server.server_port}"
        server.shutdown()
    server.server_close()


@pytest.fixture
def page(playwright: Playwright, chromium_program: str) -> Iterator[Page]:
    """A tab; whatever the content security policy blocks, and every error of a script, fails the test."""
    blocked: list[str] = []
    browser = playwright.chromium.launch(executable_path=chromium_program, args=["--no-sandbox"])
    page = browser.new_page()
    page.set_default_timeout(20_000)
    page.on("console", lambda said: blocked.append(said.text) if "Content Security" in said.text else None)
    page.on("pageerror", lambda error: blocked.append(str(error)))
    yield page
    browser.close()
    assert not blocked


def log_in(page: Page, site: str) -> None:
    page.goto(f"{site}/hl7/")
    page.get_by_label("Login").fill("root")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in", exact=True).click()
    expect(page).to_have_title("HL7 v2 messages · Hearth")


def test_from_the_alarm_to_the_mended_message(page: Page, site: str, rig: Rig) -> None:
    rig.take("1", patient="7")
    held = rig.take("2", patient="")
    rig.work()
    log_in(page, site)
    page.get_by_role("link", name="Show").click()
    expect(page.get_by_role("row")).to_have_count(2)
    page.get_by_role("row").nth(1).get_by_role("link").click()
    expect(page.get_by_role("heading", name=f"Message {held}")).to_be_visible()
    expect(page.get_by_text("The patient has no identifier").first).to_be_visible()
    page.get_by_role("link", name="Edit and replay").click()
    text = page.get_by_label("One segment a line")
    text.fill(text.input_value().replace("PID|||^^^HOSP", "PID|||8^^^HOSP"))
    page.get_by_role("button", name="Replay as edited").click()
    expect(page.get_by_role("status")).to_have_text("The message is read again.")
    rig.work()
    page.get_by_role("link", name="Message 3").click()
    expect(page.get_by_text("Edited from")).to_be_visible()
    page.get_by_role("link", name="Patient/").click()
    expect(page.get_by_text('"value": "8"')).to_be_visible()


def test_a_search_by_patient_stands_in_no_address(page: Page, site: str, rig: Rig) -> None:
    rig.take("1", patient="7")
    rig.take("2", patient="8")
    log_in(page, site)
    page.get_by_role("link", name="Messages", exact=True).click()
    page.get_by_label("Patient number").fill("8")
    page.get_by_role("button", name="Search").click()
    expect(page.get_by_role("row")).to_have_count(2)
    expect(page.get_by_label("Patient number")).to_have_value("8")
    assert "8" not in page.url.partition("/hl7/")[2]


def test_dead_letters_are_ticked_and_replayed(page: Page, site: str, rig: Rig) -> None:
    for n in range(3):
        rig.take(str(n), patient="")
    rig.work()
    log_in(page, site)
    page.goto(f"{site}/hl7/messages?state=held")
    button = page.get_by_role("button", name="Replay the ticked")
    expect(button).to_be_disabled()
    for n in (1, 3):
        page.get_by_role("checkbox", name=f"Message {n}").check()
    expect(button).to_have_text("Replay the ticked (2)")
    button.click()
    expect(page.get_by_role("status")).to_have_text("2 of 2 wait to be read again.")
    assert [rig.state(id) for id in rig.numbers] == ["received", "held", "received"]


def test_a_code_is_answered(page: Page, site: str, rig: Rig) -> None:
    rig.take("1", patient="7", flag="ZZ")
    rig.work()
    log_in(page, site)
    page.get_by_role("link", name="Unmapped codes", exact=True).click()
    page.get_by_label("Code system").fill("http://terminology.hl7.org/CodeSystem/v3-ObservationInterpretation")
    page.get_by_label("Code", exact=True).fill("HH")
    page.get_by_label("Display").fill("Critical high")
    page.get_by_role("button", name="Save and replay its messages").click()
    expect(page.get_by_role("status")).to_contain_text("1 message is read again.")


def test_no_page_is_wider_than_the_screen(page: Page, site: str, rig: Rig) -> None:
    rig.take("1", patient="7", flag="ZZ")
    rig.take("a-control-id-that-is-as-long-as-they-come-with-hyphens-0123456789", patient="")
    rig.queue()
    rig.work()
    log_in(page, site)
    for path in ("", "messages", "messages/1", "messages/2/edit", "codes", "receivers"):
        for width in WIDTHS:
            page.set_viewport_size({"width": width, "height": 900})
            page.goto(f"{site}/hl7/{path}")
            inside = "document.documentElement.scrollWidth <= document.documentElement.clientWidth"
            assert page.evaluate(inside), (path, width)
