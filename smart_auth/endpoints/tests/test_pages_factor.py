"""A second factor that is required: set up at the first log-in, before anything else, and not by who has a passkey."""

import re
from collections.abc import Callable

import pyotp
import pytest

from smart_auth.endpoints.tests.surroundings import Browser, Clock, asked
from smart_auth.model import Client, Passkey, Person
from smart_auth.people.second_factor import Required
from smart_auth.people.totp import STEP
from smart_auth.records import SqlRecords
from smart_auth.service import AuthService


@pytest.fixture(autouse=True)
def of_staff(service: AuthService) -> None:
    service.second_factor = Required.STAFF


def set_up(browser: Browser, clock: Clock) -> pyotp.TOTP:
    found = re.search(r'<code class="secret">([^<]+)', browser.text)
    assert browser.title == "Set up a code app" and found
    app = pyotp.TOTP(found[1].replace(" ", ""))
    browser.submit("/auth/account/code", code=app.at(clock.at))
    assert browser.title == "Recovery codes"
    return app


def test_nothing_else_before_it_is_there(
    browser: Browser, other_browser: Browser, administrator: Person, clock: Clock
) -> None:
    assert "a password alone is not enough" in browser.log_in("root").text
    form = browser.hidden("/auth/account/code")
    for page in ("admin/people", "admin/keys", "account", "access"):
        assert browser.get(f"/auth/{page}").title == "Set up a code app"
    for page in ("admin/people", "account/passkey", "account/password", "account/code/remove", "account/sessions"):
        assert browser.post(f"/auth/{page}", form).title == "Set up a code app"
    app = set_up(browser, clock)
    assert browser.get("/auth/admin/people").title == "People"
    assert browser.get("/auth/account").submit("/auth/account/code/remove").status == 400
    clock.at += STEP
    assert other_browser.log_in("root").title == "Second step"
    assert other_browser.submit("/auth/login/code", code=app.at(clock.at)).title == "People"


def test_an_authorization_goes_on_afterwards(
    browser: Browser, staff: Person, registered: Client, clock: Clock, service: AuthService
) -> None:
    browser.get("/auth/authorize?" + "&".join(f"{n}={v}" for n, v in asked(scope="user/Patient.rs").items()))
    browser.log_in("grace")
    set_up(browser, clock)
    onward = re.search(r'href="(/auth/factor\?request=[^"]+)"', browser.text)
    assert onward and browser.get(onward[1]).title == "Allow Growth Chart?"


def test_no_request_is_answered_without_it(browser: Browser, staff: Person, registered: Client) -> None:
    query = "&".join(f"{n}={v}" for n, v in asked(scope="user/Patient.rs").items())
    browser.log_in("grace").get(f"/auth/authorize?{query}")
    form = browser.hidden("/auth/account/code")
    assert form["request"]
    browser.post("/auth/consent", form | {"answer": "allow", "user/Patient": ["see"]})
    assert browser.status == 400 and "code=" not in browser.left
    silent = browser.get(f"/auth/authorize?{query}&prompt=none")
    assert silent.told["error"] == "interaction_required"


def test_a_password_adds_no_way_in_beside_a_passkey(
    browser: Browser, make_person: Callable[..., Person], records: SqlRecords
) -> None:
    make_person("root", administrator=True)
    records.put_passkey(Passkey(credential_id=b"1", person="id-root", public_key=b"k", sign_count=0))
    browser.log_in("root")
    for page in ("admin/people", "account/code", "factor", "account"):
        assert browser.get(f"/auth/{page}").title == "Log in" and "Log in with your passkey or code app" in browser.text


def test_patients_choose_for_themselves(browser: Browser, patient: Person) -> None:
    assert browser.log_in("ada").title == "Who has access to my data"
    assert browser.get("/auth/factor").title == "Who has access to my data"


def test_a_log_in_of_before_does_not_replace_the_code_app(
    browser: Browser, administrator: Person, records: SqlRecords, service: AuthService
) -> None:
    service.second_factor = Required.NOBODY
    browser.log_in("root")
    records.amend_person(administrator.id, {"totp": b"totp|x"})
    service.second_factor = Required.STAFF
    for page in ("account/code", "factor", "admin/people"):
        assert browser.get(f"/auth/{page}").title == "Log in"
