"""Fixtures on the secured server: people in their browsers, apps, and authorizations that many tests look at.

The suite's conftest takes them in, for the SMART tests and for those of real clients alike.
"""

import pytest

from conformance_tests.client import Json
from conformance_tests.servers import Servers
from conformance_tests.smart.app import App, token_response
from conformance_tests.smart.browser import Browser
from conformance_tests.smart.provider import Provider, launch, provider_on

STANDALONE = "launch/patient openid fhirUser offline_access patient/*.rs"
EHR_LAUNCH = "launch openid fhirUser offline_access user/*.rs patient/*.rs"


@pytest.fixture(scope="session")
def provider(request: pytest.FixtureRequest, servers: Servers) -> Provider:
    """A secured server of our own with people, apps and a record. A server that was given has none of these."""
    if request.config.getoption("base_url"):
        pytest.skip("people and apps are made through the command line of a server of our own: run without --base-url")
    return servers.get(provider_on, request.param)


@pytest.fixture
def ada(provider: Provider) -> Browser:
    """The browser of a patient, logged in."""
    return provider.logged_in("ada")


@pytest.fixture
def grace(provider: Provider) -> Browser:
    """The browser of a practitioner, logged in."""
    return provider.logged_in("grace")


@pytest.fixture
def growth(provider: Provider) -> App:
    """A public app."""
    return provider.app("growth")


@pytest.fixture
def at_work(provider: Provider, grace: Browser) -> str:
    """The token of a member of staff in the hospital's own app, which nobody is asked about."""
    app = provider.app("cockpit")
    app.ask(grace, "user/Condition.rs user/Patient.rs")
    return str(token_response(app.exchange(grace.told["code"]))["access_token"])


@pytest.fixture
def robot(provider: Provider) -> App:
    """A backend service."""
    return provider.app("robot")


@pytest.fixture(scope="session")
def standalone(provider: Provider) -> Json:
    """The token response of a public app that Ada started by herself. Not to be refreshed or revoked."""
    return provider.app("growth").granted(provider.logged_in("ada"), STANDALONE)


@pytest.fixture(scope="session")
def launched(provider: Provider) -> Json:
    """The token response of an app that the EHR started for Grace, with Ada and her visit. Not to be revoked."""
    handle = launch(provider, "growth", "grace", patient="ada", encounter="visit").json()["launch"]
    return provider.app("growth").granted(provider.logged_in("grace"), EHR_LAUNCH, launch=handle)
