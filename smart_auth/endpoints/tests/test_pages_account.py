"""One's own account: name, password, code app, passkeys, log-ins."""

import re

import pyotp

from smart_auth.endpoints.pages_account import RECENT
from smart_auth.endpoints.tests.surroundings import PASSWORD, Browser, Clock
from smart_auth.model import Approval, Event, Person, Told
from smart_auth.people.passkeys import Passkeys
from smart_auth.people.tests.authenticator import Authenticator
from smart_auth.people.totp import STEP
from smart_auth.records import SqlRecords

NEW = "seven quiet lanterns"


def account(browser: Browser, login: str = "ada", password: str = PASSWORD) -> Browser:
    return browser.log_in(login, password).get("/auth/account")


def test_name(browser: Browser, patient: Person, records: SqlRecords) -> None:
    account(browser).submit("/auth/account/name", name=" Ada Lovelace ")
    assert 'value="Ada Lovelace"' in browser.text and "Logged in as Ada Lovelace" in browser.text
    assert browser.submit("/auth/account/name", name=" ").status == 400
    browser.submit("/auth/account/name", name="<script>alert(1)</script>")
    assert "<script>alert" not in browser.text


def test_password(browser: Browser, other_browser: Browser, patient: Person, told: list[Told]) -> None:
    other_browser.log_in("ada")
    account(browser)
    assert browser.submit("/auth/account/password", present="wrong", password=NEW, again=NEW).status == 400
    assert browser.submit("/auth/account/password", present=PASSWORD, password=NEW, again=NEW + "x").status == 400
    assert browser.submit("/auth/account/password", present=PASSWORD, password="short", again="short").status == 400
    assert other_browser.get("/auth/access").title == "Who has access to my data"
    browser.submit("/auth/account/password", present=PASSWORD, password=NEW, again=NEW)
    assert "Your password is changed" in browser.text
    assert browser.get("/auth/account").title == "My account"
    assert other_browser.get("/auth/access").title == "Log in"
    assert other_browser.log_in("ada", NEW).title == "Who has access to my data"
    assert Event.CREDENTIAL_CHANGED in {one.event for one in told} and NEW not in str(told)


def test_the_present_password_cannot_be_guessed_at_will(browser: Browser, patient: Person) -> None:
    account(browser)
    for _ in range(6):
        browser.submit("/auth/account/password", present="wrong", password=NEW, again=NEW)
    assert "Please wait" in browser.text


def test_code_app(browser: Browser, other_browser: Browser, patient: Person, clock: Clock) -> None:
    account(browser).get("/auth/account/code")
    assert "<svg" in browser.text and "style=" not in browser.text
    found = re.search(r'<code class="secret">([^<]+)', browser.text)
    assert found
    app = pyotp.TOTP(found[1].replace(" ", ""))
    assert browser.submit("/auth/account/code", code="000000").status == 400
    assert found[1] in browser.text  # the same picture is still good
    browser.submit("/auth/account/code", code=app.at(clock.at))
    assert browser.title == "Recovery codes"
    (recovery, *_) = re.findall(r'<code class="secret">([^<]+)', browser.text)
    clock.at += STEP
    assert other_browser.log_in("ada").title == "Second step"
    assert other_browser.submit("/auth/login/code", code=recovery).title == "Who has access to my data"
    browser.get("/auth/account").submit("/auth/account/code/remove")
    assert "The code app is off" in browser.text


def test_passkeys(browser: Browser, patient: Person, records: SqlRecords, clock: Clock) -> None:
    import json
    from html import unescape

    from webauthn.helpers import base64url_to_bytes

    found = re.search(r'data-options="([^"]+)"', account(browser).text)
    assert found
    challenge = base64url_to_bytes(json.loads(unescape(found[1]))["challenge"])
    browser.submit("/auth/account/passkey", answer=Authenticator().register(challenge), name="My <phone>")
    assert "My &lt;phone&gt;" in browser.text
    (kept,) = records.passkeys(patient.id)
    assert browser.submit("/auth/account/passkey", answer="{}", name="").status == 400
    browser.submit("/auth/account/passkey/remove", passkey=kept.credential_id.hex())
    assert "The passkey is removed" in browser.text and not records.passkeys(patient.id)


def test_nobody_removes_anothers_passkey(
    browser: Browser, patient: Person, staff: Person, records: SqlRecords, clock: Clock
) -> None:
    passkeys = Passkeys(records, "http://localhost:8080", clock)
    _, challenge = passkeys.ask_registration(staff)
    theirs = passkeys.register(staff, Authenticator().register(challenge), challenge, "")
    form = account(browser).hidden("/auth/account/name")
    for id in (theirs.credential_id.hex(), "zz", ""):
        assert browser.post("/auth/account/passkey/remove", form | {"passkey": id}).status == 400
    assert records.passkeys(staff.id)


def test_credentials_change_only_shortly_after_a_log_in(browser: Browser, patient: Person, clock: Clock) -> None:
    form = account(browser).hidden("/auth/account/name")
    clock.at += RECENT + 1
    for path in ("password", "code", "code/remove", "passkey", "passkey/remove"):
        assert "please log in once more" in browser.post(f"/auth/account/{path}", form).text
    assert "please log in once more" in browser.get("/auth/account/code").text
    assert "data-options" not in browser.get("/auth/account").text


def test_log_off_everywhere_else(browser: Browser, other_browser: Browser, patient: Person) -> None:
    other_browser.log_in("ada")
    account(browser).submit("/auth/account/sessions")
    assert "Every other browser is logged off" in browser.text
    assert browser.get("/auth/account").title == "My account"
    assert other_browser.get("/auth/account").title == "Log in"


def test_a_changed_password_ends_the_access_of_apps(browser: Browser, patient: Person, records: SqlRecords) -> None:
    records.put_approval(Approval(id="family", client="x", scopes="patient/*.rs", person=patient.id, offline=True))
    account(browser).submit("/auth/account/password", present=PASSWORD, password=NEW, again=NEW)
    assert not records.approvals(patient.id)


def test_one_log_in_is_ended_by_one_click(
    browser: Browser, other_browser: Browser, patient: Person, staff: Person, records: SqlRecords
) -> None:
    other_browser.log_in("ada")
    account(browser)
    mine, theirs = records.sessions(patient.id), records.sessions(staff.id)
    (other,) = re.findall(r'name="end" value="(\w+)"', browser.text)
    assert "This browser" in browser.text and other in {one.session_hash for one in mine} and not theirs
    Browser(browser.client.application).log_in("grace")
    form = browser.hidden("/auth/account/sessions/end")
    for wrong in (records.sessions(staff.id)[0].session_hash, "x", ""):
        assert browser.post("/auth/account/sessions/end", form | {"end": wrong}).status == 400
    browser.get("/auth/account").submit("/auth/account/sessions/end", end=other)
    assert "That browser is logged off" in browser.text
    assert other_browser.get("/auth/account").title == "Log in" and records.sessions(staff.id)
