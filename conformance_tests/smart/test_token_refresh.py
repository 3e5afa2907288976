"""Refresh tokens: rotation, narrowing, who may use them and until when."""

import pytest

from conformance_tests.client import Json
from conformance_tests.smart.app import App, by_name, by_secret, oauth_error, scopes, token_response
from conformance_tests.smart.browser import Browser
from conformance_tests.smart.provider import PASSWORD, Provider
from conformance_tests.smart.tokens import part

requirement = pytest.mark.requirement

SCOPE = "launch/patient openid fhirUser offline_access patient/Observation.rs patient/Patient.rs"
NARROWER = "patient/Patient.rs"


@requirement("inferno:smart_token_refresh_stu2")
@requirement("inferno:smart_token_refresh_body")
@requirement("inferno:smart_token_response_headers")
@requirement("inferno:g10_patient_context")
@pytest.mark.parametrize("client", ["growth", "portal", "signer"])
@pytest.mark.parametrize("scope", ["", SCOPE], ids=["no scope", "scope"])
def test_a_refresh_gives_all_again(provider: Provider, ada: Browser, client: str, scope: str) -> None:
    app = provider.app(client)
    got = app.granted(ada, SCOPE)
    answer = app.refresh(got["refresh_token"], scope)
    again = token_response(answer)
    assert answer.headers["cache-control"] == "no-store" and answer.headers["pragma"] == "no-cache"
    assert isinstance(again["expires_in"], int) and scopes(again["scope"]) == scopes(SCOPE)
    assert again["patient"] == "ada" and again["access_token"] != got["access_token"]
    assert again["refresh_token"] != got["refresh_token"]
    assert app.record(again["access_token"]).get("Patient/ada").json()["id"] == "ada"


@requirement("inferno:smart_token_refresh_stu2")
def test_a_public_app_may_leave_its_name_out(ada: Browser, growth: App) -> None:
    """As the SMART JavaScript client does."""
    got = growth.granted(ada, SCOPE)
    again = growth.refresh(got["refresh_token"], proof=lambda app, form: (form, {}, None))
    assert token_response(again)["patient"] == "ada"


@requirement("inferno:smart_token_refresh_body")
@requirement("rfc6749#6")
def test_a_refresh_may_ask_for_less_and_later_for_all(ada: Browser, growth: App) -> None:
    got = growth.granted(ada, SCOPE)
    less = token_response(growth.refresh(got["refresh_token"], NARROWER))
    assert scopes(less["scope"]) == scopes(NARROWER)
    growth.record(less["access_token"]).get("Observation?patient=ada", expect=403)
    whole = token_response(growth.refresh(less["refresh_token"]))
    assert scopes(whole["scope"]) == scopes(SCOPE)


@requirement("attack:52 refresh token")
@pytest.mark.parametrize(
    "wider", ["patient/*.rs", "patient/Observation.cruds", "user/Patient.rs", "launch", "nonsense"]
)
def test_a_refresh_never_gives_more(ada: Browser, growth: App, wider: str) -> None:
    got = growth.granted(ada, SCOPE)
    oauth_error(growth.refresh(got["refresh_token"], f"{SCOPE} {wider}"), "invalid_scope")
    token_response(growth.refresh(got["refresh_token"]))  # a refusal uses nothing up


@requirement("inferno:g10_invalid_token_refresh")
@pytest.mark.parametrize("wrong", ["random-string", "", "a.b.c", "x" * 5000])
def test_a_wrong_refresh_token(growth: App, wrong: str) -> None:
    oauth_error(growth.refresh(wrong), "invalid_grant", "invalid_request", status=(400, 401))


@requirement("smart:103")
@requirement("smart:104")
@requirement("attack:52 refresh token")
def test_a_refresh_token_is_of_one_client(provider: Provider, ada: Browser, growth: App) -> None:
    got = growth.granted(ada, SCOPE)
    other, portal = provider.app("other"), provider.app("portal")
    oauth_error(other.refresh(got["refresh_token"]), "invalid_grant")
    oauth_error(portal.refresh(got["refresh_token"]), "invalid_grant")
    assert token_response(growth.refresh(got["refresh_token"]))


@requirement("attack:52 refresh token")
def test_a_confidential_apps_refresh_needs_its_proof(provider: Provider, ada: Browser) -> None:
    portal = provider.app("portal")
    got = portal.granted(ada, SCOPE)
    for proof in (by_name, by_secret("wrong"), lambda app, form: (form, {}, None)):
        answer = portal.refresh(got["refresh_token"], proof=proof)
        oauth_error(answer, "invalid_client", "invalid_grant", status=(400, 401))
    assert token_response(portal.refresh(got["refresh_token"]))


@requirement("rfc9700#4.14")
@requirement("attack:52 refresh token")
def test_a_refresh_token_is_good_once(ada: Browser, growth: App) -> None:
    got = growth.granted(ada, SCOPE)
    token_response(growth.refresh(got["refresh_token"]))
    oauth_error(growth.refresh(got["refresh_token"]), "invalid_grant")


@requirement("smart:100")
@requirement("smart:101")
def test_online_access_ends_with_the_session_and_offline_does_not(provider: Provider, growth: App) -> None:
    browser = provider.browser().log_in("ada", PASSWORD)
    online = growth.granted(browser, SCOPE.replace("offline", "online"))
    offline = growth.granted(browser, SCOPE)
    online = token_response(growth.refresh(online["refresh_token"]))
    browser.get("auth/access").submit("/auth/logout")
    oauth_error(growth.refresh(online["refresh_token"]), "invalid_grant")
    assert token_response(growth.refresh(offline["refresh_token"]))
    browser.close()


@requirement("smart:100")
def test_without_offline_or_online_access_there_is_no_refresh_token(ada: Browser, growth: App) -> None:
    assert "refresh_token" not in growth.granted(ada, "patient/Patient.rs")


@requirement("smart:104")
def test_the_claims_stay(ada: Browser, growth: App) -> None:
    got = growth.granted(ada, SCOPE, nonce="n1")
    again = token_response(growth.refresh(got["refresh_token"]))
    before, after = (part(each["access_token"], 1) for each in (got, again))
    for name in ("iss", "aud", "sub", "client_id", "patient", "fhirUser"):
        assert before[name] == after[name], name
    assert part(again["id_token"], 1)["sub"] == part(got["id_token"], 1)["sub"]


@requirement("attack:52 refresh token")
def test_a_refresh_token_opens_nothing_by_itself(standalone: Json, growth: App, provider: Provider) -> None:
    bearer = {"Authorization": f"Bearer {standalone['refresh_token']}"}
    assert provider.http.get(f"{provider.base}/Patient/ada", headers=bearer).status_code == 401
