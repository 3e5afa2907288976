"""Apps opened from the chart: who gets where with what, and how the handle is held to it."""

from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from msgspec.structs import replace

from fhir_server.pages.tests.browser import BASE, Browser
from fhir_server.pages.visits.tests.conftest import Rig, rigged
from fhir_server.pages.visits.tests.test_staff import CHART, OURS, log_in, person
from smart_auth.endpoints import pages_desk
from smart_auth.endpoints.tests.surroundings import CHEAP
from smart_auth.model import Client
from smart_auth.people.secret import digest

PATIENT_CHART = "/visits/chart/Patient/ada"
TRENDS = Client(
    id="trends",
    name="Trends & <b>more</b>",
    redirect_uris=("https://app.example/",),
    launch_uri="https://app.example/launch?kind=a",
    scopes="launch openid fhirUser patient/Patient.rs",
)


@pytest.fixture
def rig(monkeypatch: pytest.MonkeyPatch, secured: Rig) -> Rig:
    monkeypatch.setattr(pages_desk, "Passwords", lambda: CHEAP)
    for login in ("ben", "eve"):
        person(secured, login, fhir_user=f"Practitioner/{login}")
    person(secured, "ada", fhir_user="Patient/ada", patient="ada")
    secured.house.visit()
    register(secured)
    return secured


def register(rig: Rig, **fields: Any) -> None:
    rig.process.authorization.service.records.put_client(replace(TRENDS, **fields))


def opened(browser: Browser, chart: str = CHART, app: str = "trends") -> Browser:
    return browser.get(chart).submit(f"{chart}/apps/{app}")


def address(browser: Browser) -> str:
    """Where the page goes by itself."""
    assert browser.answer.status_code == 200, browser.words
    return browser.answer.headers["Refresh"].removeprefix("0; url=")


def test_an_app_opens_with_the_patient_and_the_visit(rig: Rig) -> None:
    browser = log_in(rig, "ben").get(CHART)
    assert 'target="_blank" rel="noopener"' in browser.text and "Open Trends & <b>more</b>" in browser.words
    there = address(opened(browser))
    told = dict(parse_qsl(urlsplit(there).query))
    assert there.startswith("https://app.example/launch?kind=a&iss=") and told["iss"].endswith("/fhir")
    assert "form-action 'self';" in f"{browser.answer.headers['Content-Security-Policy']};"
    assert rig.audited("launch") == [("Practitioner/ben", "hearth visits")]
    kept = rig.process.authorization.service.records.use_launch(digest(told["launch"]), 0)
    assert kept and (kept.client, kept.person) == ("trends", "id-ben")
    assert (kept.context.patient, kept.context.encounter) == ("ada", "visit")


def test_without_a_visit_the_patient_alone(rig: Rig) -> None:
    told = dict(parse_qsl(urlsplit(address(opened(log_in(rig, "eve"), PATIENT_CHART))).query))
    kept = rig.process.authorization.service.records.use_launch(digest(told["launch"]), 0)
    assert kept and (kept.person, kept.context.patient, kept.context.encounter) == ("id-eve", "ada", "")


@pytest.mark.parametrize(
    "fields",
    [
        {"disabled": True},
        {"launch_uri": ""},
        {"launch_uri": "org.example.app:/launch"},
        {"scopes": "launch/patient patient/Patient.rs"},
    ],
)
def test_what_cannot_be_opened_is_not_offered(rig: Rig, fields: dict[str, Any]) -> None:
    browser = log_in(rig, "ben").get(CHART)
    csrf = browser.hidden(f"{CHART}/apps/trends")["csrf"]
    register(rig, **fields)
    assert "apps-part" not in browser.get(CHART).text
    refused = browser.post(f"{CHART}/apps/trends", {"csrf": csrf}, **OURS)
    assert refused.answer.status_code == 404 and "app.example" not in refused.answer.headers.get("Refresh", "")
    assert rig.audited("launch") == []


def test_nothing_is_opened_for_others(rig: Rig) -> None:
    csrf = log_in(rig, "ben").get(CHART).hidden(f"{CHART}/apps/trends")["csrf"]
    ben, ada = log_in(rig, "ben"), log_in(rig, "ada")
    for browser, path, form in (
        (ben, f"{CHART}/apps/trends", {}),
        (ben, f"{CHART}/apps/trends", {"csrf": csrf}),  # of another log-in
        (ada, f"{CHART}/apps/trends", {"csrf": csrf}),
    ):
        answer = browser.client.post(path, base_url=BASE, data=form, headers=OURS)
        assert answer.status_code == 403
    own = ben.get(CHART).hidden(f"{CHART}/apps/trends")
    for path in ("/visits/chart/Patient/nobody/apps/trends", f"{CHART}/apps/none"):
        assert ben.client.post(path, base_url=BASE, data=own, headers=OURS).status_code == 404
    assert rig.audited("launch") == []


def test_without_log_in_there_are_no_apps(folder: Path) -> None:
    for rig in rigged(folder, OPEN=True):
        rig.house.visit()
        browser = rig.browser.get(CHART)
        assert browser.answer.status_code == 200 and "apps-part" not in browser.text
        csrf = browser.hidden(f"{CHART}/note")["csrf"]
        refused = browser.post(f"{CHART}/apps/trends", {"csrf": csrf}, **OURS)
        assert refused.answer.status_code == 404 and "where people log in" in refused.words
