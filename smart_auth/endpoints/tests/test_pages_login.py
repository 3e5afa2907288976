"""Log-in pages: cookies, the second factor, lockout, fixation, cross-site requests before and after log-in."""

from collections.abc import Callable

import msgspec
import pyotp
import pytest

from smart_auth.endpoints.tests.surroundings import PASSWORD, Browser, Clock, PlainSealer
from smart_auth.model import Event, Person, Told
from smart_auth.people.secret import digest
from smart_auth.people.sessions import IDLE
from smart_auth.people.tests.authenticator import Authenticator
from smart_auth.people.totp import STEP, Totp
from smart_auth.records import SqlRecords


def cookie(browser: Browser) -> str:
    found = browser.client.get_cookie("hearth", domain="localhost")
    return found.value if found else ""


def test_log_in_and_out(browser: Browser, patient: Person, records: SqlRecords, told: list[Told]) -> None:
    browser.log_in("ada")
    assert browser.title == "Who has access to my data" and "Logged in as Ada" in browser.text
    session = records.session(digest(cookie(browser)))
    assert session and session.person == patient.id
    secret = cookie(browser)
    browser.submit("/auth/logout")
    assert "You are logged out" in browser.text
    assert records.session(digest(secret)) is None and cookie(browser) != secret
    browser.client.set_cookie("hearth", secret, domain="localhost")
    assert browser.get("/auth/access").title == "Log in"  # the old cookie is worth nothing
    assert [one.event for one in told] == [Event.LOGIN, Event.LOGOUT]


def test_the_cookie_is_out_of_scripts_reach(browser: Browser) -> None:
    answer = browser.get("/auth/login").answer
    assert answer is not None
    header = answer.headers["Set-Cookie"]
    assert header.startswith("hearth=") and "HttpOnly" in header and "SameSite=Lax" in header and "Path=/" in header
    assert "Secure" not in header and "Domain" not in header


def test_on_https_the_cookie_is_for_this_host_alone(service: object, patient: Person) -> None:
    from flask import Flask

    from smart_auth.endpoints import blueprint
    from smart_auth.service import AuthService

    assert isinstance(service, AuthService)
    service.base = "https://hearth.example/fhir"
    app = Flask(__name__)
    app.register_blueprint(blueprint(service))
    header = app.test_client().get("/auth/login").headers["Set-Cookie"]
    assert header.startswith("__Host-hearth=") and "Secure" in header and "Path=/" in header and "Domain" not in header


def test_a_planted_cookie_is_replaced_at_log_in(browser: Browser, patient: Person, records: SqlRecords) -> None:
    browser.client.set_cookie("hearth", "planted-by-an-attacker", domain="localhost")
    browser.get("/auth/login").log_in("ada")
    assert cookie(browser) != "planted-by-an-attacker"
    assert records.session(digest("planted-by-an-attacker")) is None
    first = cookie(browser)
    browser.get("/auth/login?next=account&why=recent").log_in("ada")
    assert cookie(browser) != first and records.session(digest(first)) is None


def test_nobody_can_be_logged_in_by_another_site(browser: Browser, patient: Person) -> None:
    """Login CSRF: the form needs a token of this browser's own page."""
    fields = {"login": "ada", "password": PASSWORD}
    assert browser.post("/auth/login", fields).status == 403
    token = browser.get("/auth/login").hidden("/auth/login")
    assert browser.post("/auth/login", token | fields, **{"Sec-Fetch-Site": "cross-site"}).status == 403
    assert browser.post("/auth/login", token | fields, Origin="https://evil.example").status == 403


def test_another_site_cannot_log_anybody_off(browser: Browser) -> None:
    """A post from another site brings no cookie; an answer that set a new one would overwrite the session's."""
    for path in ("/auth/login", "/auth/logout", "/auth/consent", "/auth/authorize"):
        answer = browser.client.post(path, data={"x": "y"}, headers={"Sec-Fetch-Site": "cross-site"})
        assert answer.status_code in (400, 403) and "Set-Cookie" not in answer.headers


def test_anothers_token_is_none(browser: Browser, other_browser: Browser, patient: Person) -> None:
    theirs = other_browser.get("/auth/login").hidden("/auth/login")
    browser.get("/auth/login")
    assert browser.post("/auth/login", theirs | {"login": "ada", "password": PASSWORD}).status == 403


def test_refused_in_the_same_words(browser: Browser, patient: Person) -> None:
    browser.log_in("ada", "wrong wrong wrong")
    known = browser.text.replace('value="ada"', "")
    assert browser.status == 401 and 'role="alert"' in known and "Login or password is not right" in known
    browser.log_in("eve", "wrong wrong wrong")
    unstable = ("data-options", 'name="challenge"')
    lines = [
        [line for line in page.splitlines() if not any(word in line for word in unstable)]
        for page in (known, browser.text.replace('value="eve"', ""))
    ]
    assert lines[0] == lines[1]


def test_locked_out_for_a_while(browser: Browser, patient: Person, clock: Clock, told: list[Told]) -> None:
    for _ in range(5):
        browser.log_in("ada", "wrong wrong wrong")
    browser.log_in("ada")
    assert browser.status == 401 and "Please wait 2 seconds" in browser.text
    assert told[-1].event is Event.LOCKED and told[-1].who == "Patient/p1" and told[-1].address == "127.0.0.1"
    clock.at += 2
    assert browser.log_in("ada").title == "Who has access to my data"


def test_idle_log_off(browser: Browser, patient: Person, clock: Clock) -> None:
    answer = browser.log_in("ada").answer
    assert answer is not None and answer.headers["Refresh"].startswith(f"{IDLE + 5}; url=/auth/login")
    clock.at += IDLE + 1
    assert browser.get("/auth/access").title == "Log in"


@pytest.fixture
def app_of(records: SqlRecords, clock: Clock) -> Callable[[Person], pyotp.TOTP]:
    def make(person: Person) -> pyotp.TOTP:
        totp = Totp(records, PlainSealer(), clock, "Hearth")
        app = pyotp.TOTP(totp.propose())
        enrolled = totp.enrol(person, app.secret, app.at(clock.at))
        assert enrolled
        records.put_person(msgspec.structs.replace(person, totp=enrolled[0]))
        clock.at += STEP
        return app

    return make


def test_the_second_factor_is_asked_for(
    browser: Browser, patient: Person, app_of: Callable[[Person], pyotp.TOTP], clock: Clock
) -> None:
    app = app_of(patient)
    browser.log_in("ada")
    assert browser.title == "Second step"
    assert browser.get("/auth/access").title == "Log in"  # half a log-in opens nothing
    browser.log_in("ada").submit("/auth/login/code", code="000000")
    assert browser.status == 401 and browser.title == "Error: Second step"
    browser.submit("/auth/login/code", code=app.at(clock.at))
    assert browser.title == "Who has access to my data"


def test_the_second_factor_belongs_to_the_browser_that_gave_the_first(
    browser: Browser, other_browser: Browser, patient: Person, app_of: Callable[[Person], pyotp.TOTP], clock: Clock
) -> None:
    app = app_of(patient)
    pending = browser.log_in("ada").hidden("/auth/login/code")["pending"]
    mine = other_browser.get("/auth/login").hidden("/auth/login")
    other_browser.post("/auth/login/code", mine | {"pending": pending, "code": app.at(clock.at)})
    assert other_browser.status == 401 and "Log in" in other_browser.title


def test_a_new_password_ends_a_log_in_that_began_with_the_old_one(
    browser: Browser, patient: Person, app_of: Callable[[Person], pyotp.TOTP], clock: Clock, records: SqlRecords
) -> None:
    app = app_of(patient)
    browser.log_in("ada")
    records.amend_person(patient.id, {"password_argon2": "another"})
    assert browser.submit("/auth/login/code", code=app.at(clock.at)).status == 410
    assert browser.get("/auth/access").title == "Log in"


def test_by_passkey(browser: Browser, patient: Person, records: SqlRecords, clock: Clock) -> None:
    import json
    import re
    from html import unescape

    from webauthn.helpers import base64url_to_bytes

    from smart_auth.people.passkeys import Passkeys

    device, passkeys = Authenticator(), Passkeys(records, "http://localhost:8080", clock)
    _, challenge = passkeys.ask_registration(patient)
    passkeys.register(patient, device.register(challenge), challenge, "")

    found = re.search(r'data-options="([^"]+)"', browser.get("/auth/login").text)
    assert found
    asked = base64url_to_bytes(json.loads(unescape(found[1]))["challenge"])
    fields = browser.hidden("/auth/login/passkey") | {"answer": device.log_in(asked)}
    assert browser.post("/auth/login/passkey", fields).title == "Who has access to my data"
    browser.submit("/auth/logout")
    token = browser.hidden("/auth/login/passkey")["csrf"]
    assert browser.post("/auth/login/passkey", fields | {"csrf": token}).status == 401  # a challenge counts once


def test_next_is_a_name_and_no_address(browser: Browser, patient: Person) -> None:
    browser.get("/auth/login?next=https://evil.example/").log_in("ada")
    assert browser.title == "Who has access to my data"
    browser.get("/auth/login?next=account&why=recent").log_in("ada")
    assert browser.title == "My account"
