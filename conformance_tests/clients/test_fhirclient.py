"""PyPI's fhirclient: it learns the endpoints from the CapabilityStatement alone and models every resource strictly."""

import pytest
from fhirclient.client import FHIRClient
from fhirclient.models.observation import Observation
from fhirclient.models.patient import Patient
from fhirclient.server import FHIRNotFoundException, FHIRUnauthorizedException

from conformance_tests.smart.app import REDIRECT, choose
from conformance_tests.smart.browser import Browser
from conformance_tests.smart.provider import Provider, launch

requirement = pytest.mark.requirement
pytestmark = pytest.mark.either_database


def authorized(provider: Provider, browser: Browser, **settings: str) -> FHIRClient:
    """The client after a person went through the pages."""
    given = {
        "app_id": "growth",
        "api_base": provider.base,
        "redirect_uri": REDIRECT,
        "scope": "openid fhirUser offline_access patient/*.rs",
    }
    client = FHIRClient(settings=given | settings)
    assert client.prepare() is False and client.authorize_url
    browser.get(client.authorize_url)
    choose(browser, patient="ada")
    client.handle_callback(browser.submit("/auth/consent", answer="allow").left)
    assert client.ready
    return client


@requirement("client: PyPI fhirclient")
@requirement("SMART 1.0 conformance#oauth-uris")
def test_standalone_launch_read_search_and_refresh(provider: Provider, grace: Browser) -> None:
    client = authorized(provider, grace)
    assert client.patient_id == "ada" and client.patient is not None
    assert client.human_name(client.patient.name[0]) == "Ada Byron"
    found = Observation.where({"patient": "ada"}).perform_resources(client.server)
    assert {each.id for each in found} >= {"laboratory-ada", "vital-signs-ada"}
    before = client.server.auth.access_token
    assert client.reauthorize() and client.server.auth.access_token != before
    assert Patient.read("ada", client.server).gender == "female"
    with pytest.raises(FHIRNotFoundException):
        Patient.read("bob", client.server)


@requirement("client: PyPI fhirclient")
def test_ehr_launch(provider: Provider, grace: Browser) -> None:
    handle = launch(provider, "growth", "grace", patient="ada", encounter="visit").json()["launch"]
    client = authorized(provider, grace, launch_token=handle)
    assert client.patient_id == "ada" and client.launch_context["encounter"] == "visit"


@requirement("client: PyPI fhirclient")
def test_an_app_with_a_secret(provider: Provider, grace: Browser) -> None:
    client = authorized(provider, grace, app_id="portal", app_secret=provider.secrets["portal"])
    assert client.patient is not None and client.reauthorize()


@requirement("client: PyPI fhirclient")
def test_without_a_token_it_is_told_so(provider: Provider) -> None:
    client = FHIRClient(settings={"app_id": "growth", "api_base": provider.base, "redirect_uri": REDIRECT})
    client.prepare()
    with pytest.raises(FHIRUnauthorizedException):
        Patient.read("ada", client.server)
