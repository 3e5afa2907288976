"""The pages in a real browser: the policy lets our forms through, passkeys, narrow screens, without scripts.

Needs Debian's Chromium, which is installed where that can be; skipped without it.
"""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlencode

import msgspec
import pytest
from flask import Flask, redirect
from playwright.sync_api import Browser as Chromium
from playwright.sync_api import BrowserContext, Page, Playwright, expect
from werkzeug.serving import make_server

from smart_auth.endpoints import blueprint, pages_desk
from smart_auth.endpoints.tests.surroundings import CHEAP, PASSWORD, asked
from smart_auth.model import Client, Person
from smart_auth.records import SqlRecords
from smart_auth.service import AuthService


@pytest.fixture
def app_url() -> Iterator[str]:
    """An app on another origin: its redirect address, and a page that frames whatever it is told to."""
    flask = Flask("app")
    flask.add_url_rule("/back", "back", lambda: "<title>Back at the app</title>")
    flask.add_url_rule("/broker", "broker", lambda: redirect(f"http://localhost:{port}/back?by=broker"))
    with serving(flask) as port:
        yield f"http://127.0.0.1:{port}"


class serving:
    """A WSGI application on a free port of this machine, in a thread."""

    def __init__(self, app: Flask) -> None:
        self._server = make_server("127.0.0.1", 0, app, threaded=True)
        self._thread = ThreadPoolExecutor(1)

    def __enter__(self) -> int:
        self._thread.submit(self._server.serve_forever)
        return int(self._server.server_port)

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.shutdown()


@pytest.fixture
def site(service: AuthService, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    monkeypatch.setattr(pages_desk, "Passwords", lambda: CHEAP)
    flask = Flask("site")
    with serving(flask) as port:
        service.base = f"http://localhost:{port}/fhir"
        flask.register_blueprint(blueprint(service))
        yield f"http://localhost:{port}"


@pytest.fixture(scope="module")
def chromium(playwright: Playwright, chromium_program: str) -> Iterator[Chromium]:
    browser = playwright.chromium.launch(executable_path=chromium_program, args=["--no-sandbox"])
    yield browser
    browser.close()


@pytest.fixture
def context(chromium: Chromium) -> Iterator[BrowserContext]:
    context = chromium.new_context()
    context.set_default_timeout(60_000)
    yield context
    context.close()


@pytest.fixture
def page(context: BrowserContext) -> Iterator[Page]:
    """A tab; whatever the content security policy blocks fails the test."""
    page, blocked = context.new_page(), []
    page.on("console", lambda message: blocked.append(message.text) if "Content Security" in message.text else None)
    page.on("pageerror", lambda error: blocked.append(str(error)))
    yield page
    assert not blocked


def log_in(page: Page, login: str) -> None:
    page.get_by_label("Login").fill(login)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in", exact=True).click()


def authorize(site: str, app_url: str, **changes: str) -> str:
    return f"{site}/auth/authorize?" + urlencode(
        asked(**{"redirect_uri": f"{app_url}/back", "aud": f"{site}/fhir"} | changes)
    )


@pytest.fixture
def known_app(records: SqlRecords, registered: Client, app_url: str) -> Client:
    client = msgspec.structs.replace(registered, redirect_uris=(f"{app_url}/back",))
    records.put_client(client)
    return client


def test_the_whole_way_with_the_keyboard_alone(
    page: Page, site: str, app_url: str, known_app: Client, staff: Person
) -> None:
    page.goto(authorize(site, app_url))
    expect(page.get_by_label("Login")).to_be_focused()
    for text in ("grace", "\t", PASSWORD, "\n"):
        page.keyboard.press({"\t": "Tab", "\n": "Enter"}[text]) if text in "\t\n" else page.keyboard.type(text)
    expect(page.get_by_label("Name or identifier")).to_be_focused()
    page.keyboard.type("byron")
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Charles")).to_have_count(0)
    page.get_by_role("button", name="Ada Byron").press("Enter")
    expect(page).to_have_title("Allow Growth Chart? · Hearth")
    page.get_by_role("button", name="Allow", exact=True).press("Enter")
    page.wait_for_url("**/back?**")
    assert page.title() == "Back at the app" and "code=" in page.url


def test_denied_and_cancelled(page: Page, site: str, app_url: str, known_app: Client, patient: Person) -> None:
    page.goto(authorize(site, app_url))
    page.get_by_role("button", name="Cancel and go back to Growth Chart").click()
    page.wait_for_url("**/back?error=access_denied**")
    page.goto(authorize(site, app_url))
    log_in(page, "ada")
    page.get_by_role("button", name="Do not allow").click()
    page.wait_for_url("**/back?error=access_denied**")


def test_a_trusted_app_straight_from_the_log_in_form(
    page: Page, site: str, app_url: str, known_app: Client, patient: Person, records: SqlRecords
) -> None:
    """Chromium holds the redirect that follows a form against form-action, on whichever page it happens."""
    records.put_client(msgspec.structs.replace(known_app, trusted=True))
    page.goto(authorize(site, app_url))
    log_in(page, "ada")
    page.wait_for_url("**/back?code=**")


def test_an_app_that_sends_people_on_to_another_origin(
    page: Page, site: str, app_url: str, known_app: Client, patient: Person, records: SqlRecords
) -> None:
    """As an identity broker does: its redirect address answers with a redirect of its own."""
    records.put_client(msgspec.structs.replace(known_app, redirect_uris=(f"{app_url}/broker",)))
    page.goto(authorize(site, app_url, redirect_uri=f"{app_url}/broker"))
    log_in(page, "ada")
    page.get_by_role("button", name="Allow", exact=True).click()
    page.wait_for_url("**/back?by=broker")


def test_a_request_posted_by_the_app_finds_the_session(
    page: Page, site: str, app_url: str, known_app: Client, patient: Person
) -> None:
    page.goto(f"{site}/auth/login")
    log_in(page, "ada")
    page.wait_for_url("**/auth/access")
    fields = asked(redirect_uri=f"{app_url}/back", aud=f"{site}/fhir")
    page.goto(f"{app_url}/back")
    page.evaluate(
        """([action, fields]) => {
            const form = Object.assign(document.createElement("form"), { action, method: "post" });
            for (const [name, value] of Object.entries(fields))
                form.append(Object.assign(document.createElement("input"), { name, value, type: "hidden" }));
            document.body.append(form);
            form.submit();
        }""",
        [f"{site}/auth/authorize", fields],
    )
    expect(page).to_have_title("Allow Growth Chart? · Hearth")


def test_no_frame_shows_a_page(context: BrowserContext, site: str, app_url: str) -> None:
    page = context.new_page()
    page.goto(f"{app_url}/back")
    page.evaluate(f"document.body.innerHTML = '<iframe src=\"{site}/auth/login\"></iframe>'")
    page.wait_for_timeout(500)
    assert "Log in" not in page.frames[1].content()


def test_a_passkey_from_registration_to_log_in(
    page: Page, context: BrowserContext, site: str, patient: Person, service: AuthService, records: SqlRecords
) -> None:
    session = context.new_cdp_session(page)
    session.send("WebAuthn.enable")
    options = {"protocol": "ctap2", "transport": "internal", "hasResidentKey": True, "hasUserVerification": True}
    options |= {"isUserVerified": True, "automaticPresenceSimulation": True}
    authenticator = session.send("WebAuthn.addVirtualAuthenticator", {"options": options})["authenticatorId"]

    page.goto(f"{site}/auth/login?next=account")
    log_in(page, "ada")
    page.goto(f"{site}/auth/account")
    page.get_by_label("Name of the device").fill("Test key")
    page.get_by_role("button", name="Add a passkey").click()
    expect(page.get_by_role("status")).to_contain_text("The passkey “Test key” is added.")
    page.get_by_role("button", name="Log out").click()

    page.get_by_role("button", name="Log in with a passkey").click()
    expect(page).to_have_title("Who has access to my data · Hearth")
    (kept,) = records.passkeys(patient.id)
    (held,) = session.send("WebAuthn.getCredentials", {"authenticatorId": authenticator})["credentials"]
    assert held["isResidentCredential"] and held["rpId"] == "localhost" and held["signCount"] == kept.sign_count > 0

    page.get_by_role("button", name="Log out").click()
    session.send("WebAuthn.setUserVerified", {"authenticatorId": authenticator, "isUserVerified": False})
    page.get_by_role("button", name="Log in with a passkey").click()
    expect(page.get_by_role("alert")).to_contain_text("No passkey was used")


def test_without_scripts(chromium: Chromium, site: str, app_url: str, known_app: Client, patient: Person) -> None:
    context = chromium.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(authorize(site, app_url))
    expect(page.get_by_role("button", name="Log in with a passkey")).to_have_count(0)
    log_in(page, "ada")
    page.get_by_text("Only some kinds of test results").click()
    page.get_by_label("Laboratory results").check()
    page.get_by_role("button", name="Allow", exact=True).click()
    page.wait_for_url("**/back?code=**")
    context.close()


@pytest.mark.parametrize("width", [320, 360, 768, 1280])
def test_nothing_runs_out_of_the_screen(
    page: Page, site: str, app_url: str, known_app: Client, administrator: Person, width: int
) -> None:
    page.set_viewport_size({"width": width, "height": 800})
    page.goto(f"{site}/auth/login")
    log_in(page, "root")
    paths = [
        "access",
        "account",
        "account/code",
        "admin/people",
        "admin/people/id-root",
        "admin/keys",
        "login?why=recent",
    ]
    paths += ["admin/clients", "admin/clients/new", "admin/clients/growth", "link/nonsense"]
    for path in paths:
        page.goto(f"{site}/auth/{path}")
        assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth"), path


def test_everything_that_can_be_filled_in_has_a_name(
    page: Page, site: str, app_url: str, known_app: Client, administrator: Person
) -> None:
    page.goto(f"{site}/auth/login")
    log_in(page, "root")
    fields = "input:not([type=hidden]):not([aria-hidden]), select, textarea, button, a"
    nameless = """(fields) => [...document.querySelectorAll(fields)]
        .filter((one) => !(one.labels?.length || one.textContent.trim() || one.getAttribute("aria-label")))
        .map((one) => one.outerHTML)"""
    doubled = """[...document.querySelectorAll("[id]")].map((one) => one.id)
        .filter((id, at, all) => all.indexOf(id) !== at)"""
    for path in (
        "access",
        "account",
        "account/code",
        "admin/people",
        "admin/people/id-root",
        "admin/clients/new",
        "admin/keys",
    ):
        page.goto(f"{site}/auth/{path}")
        assert page.evaluate(nameless, fields) == [], path
        assert page.evaluate(doubled) == [], path
        assert page.locator("h1").count() == 1, path
