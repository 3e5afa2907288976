"""The SMART JavaScript client in Chromium, through the real log-in, picker and consent pages."""

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from conformance_tests.clients.site import Site
from conformance_tests.smart.provider import EVERYTHING, PASSWORD, Provider, launch

requirement = pytest.mark.requirement
pytestmark = pytest.mark.either_database

SCOPE = "launch/patient openid fhirUser offline_access patient/*.cruds"
EHR_SCOPE = "launch openid fhirUser offline_access user/*.rs patient/*.rs"


@pytest.fixture
def registered(provider: Provider, app_site: Site) -> str:
    """The id of the app that lives at the site."""
    id = f"js-{app_site.origin.rpartition(':')[2]}"
    if id not in provider.apps:
        fields = {"name": "JavaScript app", "kind": "public", "redirect_uris": app_site.back, "scopes": EVERYTHING}
        provider.register(id, launch_uri=f"{app_site.origin}/ehr", **fields)
        provider.app(id)
    return id


def log_in(page: Page, login: str) -> None:
    page.get_by_label("Login").fill(login)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in", exact=True).click()


@pytest.fixture
def started(provider: Provider, app_site: Site, registered: str, context: BrowserContext) -> Callable[..., Page]:
    """``started(name, login)``: where ``login`` comes to after logging in for the app's launch page ``name``."""

    def start(name: str, login: str, scope: str = SCOPE) -> Page:
        page = context.new_page()
        page.goto(app_site.add_launch(name, iss=provider.base, clientId=registered, scope=scope))
        log_in(page, login)
        return page

    return start


def allow(page: Page) -> None:
    page.get_by_role("button", name="Allow", exact=True).click()
    expect(page).to_have_title("ready")


def js(page: Page, expression: str, argument: Any = None) -> Any:
    """What the app's client answers."""
    return page.evaluate(f"async (argument) => {expression}", argument)


@requirement("client: npm fhirclient, standalone launch")
@requirement("smart:359-371")
def test_standalone_launch_by_staff(started: Callable[..., Page]) -> None:
    page = started("staff", "grace")
    page.get_by_label("Name or identifier").fill("byron")
    page.get_by_role("button", name="Search").click()
    expect(page.get_by_role("button", name="Babbage")).to_have_count(0)
    page.get_by_role("button", name="Ada Byron").click()
    allow(page)
    assert js(page, "client.patient.id") == "ada"
    assert js(page, "(await client.patient.read()).name[0].family") == "Byron"
    assert js(page, "client.user.fhirUser") == "Practitioner/grace"
    assert js(page, "(await client.user.read()).id") == "grace"
    query = "Observation?patient=ada&_count=2"
    found = js(page, "client.request(argument, {pageLimit: 0, flat: true})", query)
    assert len(found) >= 4 and all(each["subject"]["reference"] == "Patient/ada" for each in found)


@requirement("client: npm fhirclient, standalone launch")
@requirement("client: npm fhirclient, refresh")
def test_standalone_launch_by_a_patient_then_refresh_and_write(started: Callable[..., Page]) -> None:
    page = started("patient", "ada")
    allow(page)
    before = js(page, "client.state.tokenResponse")
    assert before["patient"] == "ada"
    after = js(page, "(await client.refresh()).tokenResponse")
    assert after["access_token"] != before["access_token"] and after["refresh_token"] != before["refresh_token"]
    assert js(page, "(await client.refresh()).tokenResponse")["refresh_token"] != after["refresh_token"]
    made = js(
        page,
        "client.create(argument)",
        {
            "resourceType": "Observation",
            "status": "final",
            "code": {"text": "Mood"},
            "subject": {"reference": "Patient/ada"},
        },
    )
    patch = [{"op": "replace", "path": "/status", "value": "amended"}]
    assert js(page, f"client.patch('Observation/{made['id']}', argument)", patch)["status"] == "amended"
    assert js(page, f"client.delete('Observation/{made['id']}')") is not None
    refused = js(page, "client.request('Patient/bob').then(() => 'read', error => error.status)")
    assert refused == 404


@requirement("client: npm fhirclient, EHR launch")
def test_ehr_launch(provider: Provider, app_site: Site, registered: str, context: BrowserContext) -> None:
    app_site.add_launch("ehr", clientId=registered, scope=EHR_SCOPE)
    page = context.new_page()
    url = launch(provider, registered, "grace", patient="ada", encounter="visit").json()["launch_url"]
    page.goto(url)
    log_in(page, "grace")
    allow(page)
    assert js(page, "[client.patient.id, client.encounter.id]") == ["ada", "visit"]
    assert js(page, "(await client.encounter.read()).subject.reference") == "Patient/ada"
    assert js(page, "client.state.tokenResponse.need_patient_banner") is True
    # Whoever is logged in is not asked to again: the next launch takes two clicks at most.
    page.goto(launch(provider, registered, "grace", patient="bob").json()["launch_url"])
    allow(page)
    assert js(page, "(await client.patient.read()).name[0].family") == "Babbage"


@requirement("client: npm fhirclient, EHR launch")
@requirement("smart:54")
def test_who_refuses_is_taken_back_to_the_app(started: Callable[..., Page]) -> None:
    page = started("refused", "ada")
    page.get_by_role("button", name="Do not allow").click()
    expect(page).to_have_title("failed: Error: access_denied: The person refused.")


@requirement("inferno:g10_token_revocation")
def test_one_click_ends_an_apps_access(
    provider: Provider, context: BrowserContext, started: Callable[..., Page]
) -> None:
    page = started("ended", "ada")
    allow(page)
    pages = context.new_page()
    pages.goto(provider.app("growth").configuration["management_endpoint"])
    pages.get_by_role("button", name="End access of JavaScript app").first.click()
    expect(pages.get_by_role("status")).to_contain_text("has ended")
    page.wait_for_timeout(500)
    ended = js(page, "client.request('Patient/ada').then(() => 'read', error => String(error))")
    assert ended != "read"


@requirement("inferno:g10_limited_scope_grant")
def test_a_type_is_unticked_by_hand(started: Callable[..., Page]) -> None:
    asked = "launch/patient patient/Patient.rs patient/Condition.rs"
    page = started("less", "ada", asked)
    page.get_by_role("checkbox", name="Health problems and diagnoses").uncheck()
    allow(page)
    assert js(page, "client.state.tokenResponse.scope.split(' ').sort()") == ["launch/patient", "patient/Patient.rs"]
    assert js(page, "client.request('Condition').then(() => 'read', error => error.status)") == 403
