"""People: one-time links, second factor, emergency access, what is labelled restricted."""

import json
import re
import time
from urllib.parse import parse_qs, urlsplit

import httpx
import pyotp
import pytest

from conformance_tests.client import Json, eventually, reference, resources_of
from conformance_tests.smart.app import App, oauth_error, token_response
from conformance_tests.smart.browser import Browser
from conformance_tests.smart.provider import PASSWORD, Provider, open_link
from conformance_tests.smart.record import ADA

requirement = pytest.mark.requirement

RESTRICTED = {"system": "http://terminology.hl7.org/CodeSystem/v3-Confidentiality", "code": "R"}


# --- accounts ---------------------------------------------------------------------------------------------------------


@requirement("issue: people are made from the command line too")
def test_a_person_of_the_command_line_opens_their_link_once(provider: Provider, tag: str, growth: App) -> None:
    told = provider.hearth.run("person", "add", tag, "--name", "From the shell", "--fhir-user", ADA)
    link = re.search(r"https?://\S+/auth/link/\S+", told)
    assert link, told
    browser = open_link(provider.browser(), link[0])
    assert growth.granted(browser, "launch/patient patient/Patient.rs")["patient"] == "ada"
    assert provider.browser().get(link[0]).answer.status_code == 410
    browser.close()


@requirement("attack:59 guessing")
@pytest.mark.parametrize("secret", ["guessed", "..%2f..", "x" * 3000])
def test_a_link_that_nobody_issued(provider: Provider, secret: str) -> None:
    assert provider.browser().get(f"auth/link/{secret}").answer.status_code in (404, 410)


@requirement("attack:43 administration")
@pytest.mark.parametrize("path", ["people", "clients", "clients/new", "clients/growth", "keys"])
def test_administration_is_for_administrators(provider: Provider, ada: Browser, grace: Browser, path: str) -> None:
    for browser in (ada, grace):
        assert browser.get(f"auth/admin/{path}").answer.status_code == 403
    assert provider.browser().get(f"auth/admin/{path}").path.endswith("/auth/login")
    assert provider.administrator.get(f"auth/admin/{path}").answer.status_code == 200


@requirement("attack:43 administration")
def test_no_token_administers(provider: Provider, launched: Json) -> None:
    bearer = {"Authorization": f"Bearer {launched['access_token']}"}
    answer = provider.http.get(f"{provider.issuer}/auth/admin/people", headers=bearer)
    assert answer.status_code in (303, 401, 403) and "ada" not in answer.text


@requirement("attack:59 second factor")
def test_a_code_app_is_asked_for_and_each_code_is_good_once(provider: Provider, tag: str) -> None:
    provider.invite(tag, name="With a code app", fhir_user=ADA)
    browser = provider.logged_in(tag).get("auth/account/code")
    uri = re.search(r"otpauth://totp/[^\"'<\s]+", browser.answer.text.replace("&amp;", "&"))
    seed = parse_qs(urlsplit(uri[0]).query)["secret"][0] if uri else _typed_seed(browser)
    codes = pyotp.TOTP(seed)
    browser.submit("/auth/account/code", code=codes.now())
    assert browser.answer.status_code == 200, browser.page.words
    used = codes.now()
    other = provider.browser().log_in(tag, PASSWORD)
    assert other.path.endswith("/auth/login") and other.page.forms
    other.submit("/auth/login/code", code="000000" if used != "000000" else "000001")
    assert other.answer.status_code == 401
    other.submit("/auth/login/code", code=used)
    assert other.answer.status_code == 401, "a code that was used to set it up opens nothing"
    fresh = codes.at(time.time() + 30)
    other.submit("/auth/login/code", code=fresh)
    assert other.get("auth/access").path.endswith("/auth/access")
    third = provider.browser().log_in(tag, PASSWORD)
    third.submit("/auth/login/code", code=fresh)
    assert third.answer.status_code == 401
    for each in (other, third):
        each.close()


def _typed_seed(browser: Browser) -> str:
    found = re.search(r"\b((?:[A-Z2-7]{4}\s?){8,})\b", browser.page.words)
    assert found, browser.page.words
    return found[1].replace(" ", "")


# --- what is labelled, and breaking the glass -------------------------------------------------------------------------


@pytest.fixture
def secret_condition(growth: App, ada: Browser) -> str:
    """A diagnosis of Ada that is labelled restricted."""
    writer = growth.record(growth.granted(ada, "launch/patient patient/Condition.cruds")["access_token"])
    body = {"resourceType": "Condition", "meta": {"security": [RESTRICTED]}, "subject": {"reference": ADA}}
    return reference(writer.create(body | {"code": {"text": "Restricted diagnosis"}}))


def broken(provider: Provider, token: str, patient: str, reason: str) -> httpx.Response:
    headers = {"Authorization": f"Bearer {token}"}
    return provider.http.post(
        f"{provider.issuer}/auth/break-glass", json={"patient": patient, "reason": reason}, headers=headers
    )


@requirement("attack:40 labels and emergency access")
def test_restricted_data_is_for_the_patient_and_for_emergencies(
    provider: Provider, growth: App, ada: Browser, at_work: str, secret_condition: str
) -> None:
    own = growth.record(growth.granted(ada, "launch/patient patient/Condition.rs")["access_token"])
    assert own.get(secret_condition).json()["code"]["text"] == "Restricted diagnosis"
    record = growth.record(at_work)
    id = secret_condition.partition("/")[2]
    record.get(secret_condition, expect=(403, 404))
    assert id not in record.found("Condition", {"patient": "ada"})
    glass = token_response(broken(provider, at_work, "ada", "Unconscious in the emergency room"))
    assert glass["expires_in"] <= 3600 and glass["patient"] == "ada"
    emergency = growth.record(glass["access_token"])
    assert emergency.get(secret_condition).json()["id"] == id
    assert id in emergency.found("Condition", {"patient": "ada"})
    emergency.get("Patient/bob", expect=(403, 404))
    emergency.delete(secret_condition, expect=403)


@requirement("attack:40 labels and emergency access")
@pytest.mark.parametrize(
    ("patient", "reason"), [("ada", ""), ("ada", "   "), ("ada", "x"), ("nobody", "A good reason")]
)
def test_the_glass_is_broken_with_a_reason_alone(provider: Provider, at_work: str, patient: str, reason: str) -> None:
    oauth_error(broken(provider, at_work, patient, reason), "invalid_request")


@requirement("attack:40 labels and emergency access")
def test_only_staff_in_the_hospitals_own_app_break_the_glass(
    provider: Provider, standalone: Json, growth: App, grace: Browser, at_work: str
) -> None:
    tokens = {
        "a patient's": standalone["access_token"],
        "another app's": growth.granted(grace, "user/Condition.rs")["access_token"],
        "one got by breaking the glass": token_response(broken(provider, at_work, "ada", "An emergency"))[
            "access_token"
        ],
    }
    for token in tokens.values():
        oauth_error(broken(provider, token, "bob", "I want to know"), "insufficient_scope", status=403)


@requirement("attack:40 labels and emergency access")
def test_the_trail_says_who_broke_the_glass_and_why(provider: Provider, at_work: str, tag: str) -> None:
    token_response(broken(provider, at_work, "ada", f"An emergency called {tag}"))

    def told() -> list[Json]:
        found = provider.operator.search("AuditEvent", {"subtype": "110127", "_count": "100"})
        return [event for event in resources_of(found) if tag in json.dumps(event)]

    [event] = eventually(told)
    assert "Practitioner/grace" in json.dumps(event["agent"]) and "BTG" in json.dumps(event)
