"""What a token means, for who may ask."""

import time

import pytest

from conformance_tests.client import Json
from conformance_tests.smart.app import App, by_name, by_secret, oauth_error, scopes, token_response
from conformance_tests.smart.browser import Browser
from conformance_tests.smart.provider import Provider
from conformance_tests.smart.tokens import part

requirement = pytest.mark.requirement
pytestmark = pytest.mark.either_database

INACTIVE = {"active": False}


def told(app: App, token: str) -> Json:
    answer = app.introspect(token)
    assert answer.status_code == 200, answer.text
    body: Json = answer.json()
    return body


@requirement("inferno:token_introspection_active")
@requirement("smart:282")
@pytest.mark.parametrize("which", ["standalone", "launched"])
def test_an_active_token(request: pytest.FixtureRequest, which: str, provider: Provider) -> None:
    got = request.getfixturevalue(which)
    body = told(provider.app("gateway"), got["access_token"])
    assert body["active"] is True and body["client_id"] == "growth"
    assert scopes(body["scope"]) == scopes(got["scope"])
    assert body["exp"] >= time.time() - 600
    assert {name: body[name] for name in ("patient", "encounter") if name in got} == {
        name: got[name] for name in ("patient", "encounter") if name in got
    }
    claims = part(got["id_token"], 1)
    assert {name: body[name] for name in ("iss", "sub", "fhirUser")} == {
        name: claims[name] for name in ("iss", "sub", "fhirUser")
    }


@requirement("inferno:token_introspection_inactive")
@pytest.mark.parametrize("token", ["bogus", "a.b.c", "x" * 5000])
def test_a_bogus_token(provider: Provider, token: str) -> None:
    assert told(provider.app("gateway"), token) == INACTIVE


@requirement("smart:283")
def test_an_app_sees_its_own_tokens_alone(provider: Provider, ada: Browser, standalone: Json) -> None:
    portal = provider.app("portal")
    own = portal.granted(ada, "patient/Patient.rs")
    assert told(portal, own["access_token"])["active"] is True
    assert told(portal, standalone["access_token"]) == INACTIVE


@requirement("smart:282")
def test_an_access_token_authorizes_the_question(provider: Provider, standalone: Json, growth: App) -> None:
    bearer = {"Authorization": f"Bearer {standalone['access_token']}"}
    url = growth.configuration["introspection_endpoint"]
    answer = provider.http.post(url, data={"token": standalone["access_token"]}, headers=bearer)
    assert answer.status_code == 200 and answer.json()["active"] is True


@requirement("attack:58 introspection")
def test_who_does_not_authenticate_learns_nothing(provider: Provider, standalone: Json, growth: App) -> None:
    token = standalone["access_token"]
    anybody = growth.introspect(token, proof=lambda app, form: (form, {}, None))
    for answer in (
        anybody,
        growth.introspect(token, proof=by_name),
        provider.app("portal").introspect(token, by_secret("x")),
    ):
        oauth_error(answer, "invalid_client", status=401)
    wrong = {"Authorization": "Bearer nonsense"}
    answer = provider.http.post(growth.configuration["introspection_endpoint"], data={"token": token}, headers=wrong)
    oauth_error(answer, "invalid_token", status=401)


@requirement("attack:58 introspection")
def test_other_secrets_are_no_access_tokens(provider: Provider, standalone: Json) -> None:
    gateway = provider.app("gateway")
    for name in ("id_token", "refresh_token"):
        assert told(gateway, standalone[name]) == INACTIVE


@requirement("attack:58 introspection")
def test_a_token_in_the_url_is_refused(provider: Provider, standalone: Json) -> None:
    gateway = provider.app("gateway")
    url = f"{gateway.configuration['introspection_endpoint']}?token={standalone['access_token']}"
    oauth_error(gateway.post(url, {}), "invalid_request")


@requirement("inferno:token_introspection_inactive")
def test_a_revoked_token_is_inactive(provider: Provider, ada: Browser, growth: App) -> None:
    got = growth.granted(ada, "offline_access patient/Patient.rs")
    assert told(provider.app("gateway"), got["access_token"])["active"] is True
    assert growth.revoke(got["refresh_token"]).status_code == 200
    assert told(provider.app("gateway"), got["access_token"]) == INACTIVE


@requirement("inferno:token_introspection_active")
def test_a_services_token(provider: Provider, robot: App) -> None:
    got = token_response(robot.credentials("system/Patient.rs"))
    body = told(provider.app("gateway"), got["access_token"])
    assert body["active"] is True and body["client_id"] == "robot" and "fhirUser" not in body and "patient" not in body
