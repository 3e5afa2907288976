"""An app that a person starts: authorization by GET and POST, the token response, every kind of client."""

from typing import Any
from urllib.parse import urlsplit

import pytest

from conformance_tests.client import Json
from conformance_tests.smart.app import (
    ORIGIN,
    REDIRECT,
    App,
    by_key,
    by_secret,
    choose,
    oauth_error,
    scopes,
    token_response,
)
from conformance_tests.smart.browser import Browser
from conformance_tests.smart.fixtures import STANDALONE
from conformance_tests.smart.provider import PASSWORD, Provider
from conformance_tests.smart.tokens import part

requirement = pytest.mark.requirement
pytestmark = pytest.mark.either_database


@requirement("inferno:smart_app_redirect_stu2")
@requirement("inferno:smart_code_received")
@requirement("rfc9207#2")
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_request_comes_back_with_code_state_and_issuer(ada: Browser, growth: App, method: str) -> None:
    growth.ask(ada, STANDALONE, method=method, state="a state of its own &=?")
    ada.submit("/auth/consent", answer="allow")
    assert ada.left.startswith(REDIRECT + "?")
    assert ada.told["state"] == "a state of its own &=?" and ada.told["code"] and "error" not in ada.told
    assert ada.told["iss"] == growth.issuer
    assert set(ada.told) == {"code", "state", "iss"}


@requirement("inferno:smart_app_redirect_stu2")
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_who_is_not_logged_in_logs_in_on_the_way(provider: Provider, growth: App, method: str) -> None:
    browser = provider.browser()
    growth.ask(browser, STANDALONE, method=method)
    assert browser.path.endswith("/auth/login")
    browser.log_in("grace", PASSWORD)
    assert browser.path.endswith("/auth/patient")
    choose(browser, patient="bob")
    browser.submit("/auth/consent", answer="allow")
    assert token_response(growth.exchange(browser.told["code"]))["patient"] == "bob"
    browser.close()


@requirement("inferno:smart_token_exchange_stu2_2")
@requirement("inferno:g10_public_standalone_launch")
@requirement("inferno:g10_asymmetric_launch")
@requirement("smart:359-371")
@pytest.mark.parametrize("client", ["growth", "portal", "signer"])
def test_public_symmetric_and_asymmetric_apps_get_tokens(provider: Provider, ada: Browser, client: str) -> None:
    app = provider.app(client)
    got = app.granted(ada, STANDALONE)
    assert got["refresh_token"] and got["id_token"]
    assert token_response(app.refresh(got["refresh_token"]))["patient"] == "ada"


@requirement("inferno:smart_token_exchange_stu2_2")
def test_a_key_signs_by_either_algorithm(provider: Provider, ada: Browser) -> None:
    app = provider.app("signer")
    for alg in ("RS384", "ES384"):
        token_response(app.exchange(app.approved(ada, STANDALONE), proof=by_key(alg)))


@requirement("inferno:smart_token_response_body_stu2_2")
@requirement("inferno:g10_smart_scopes")
def test_the_body_of_a_token_response(standalone: Json) -> None:
    assert standalone["token_type"] == "Bearer"
    assert isinstance(standalone["expires_in"], int) and 0 < standalone["expires_in"] <= 3600
    assert scopes(standalone["scope"]) == scopes(STANDALONE)
    for name in ("access_token", "scope", "refresh_token", "id_token", "patient"):
        assert standalone[name] and isinstance(standalone[name], str), name


@requirement("inferno:smart_token_response_headers")
@requirement("inferno:smart_cors_token_exchange")
def test_the_headers_of_a_token_response(ada: Browser, growth: App) -> None:
    answer = growth.exchange(growth.approved(ada, STANDALONE))
    token_response(answer)
    assert "no-store" in answer.headers["cache-control"] and "no-cache" in answer.headers["pragma"]
    assert answer.headers["access-control-allow-origin"] in ("*", ORIGIN)
    assert answer.headers["content-type"].split(";")[0] == "application/json"


@requirement("inferno:g10_patient_context")
def test_the_patient_in_context_is_readable(standalone: Json, growth: App) -> None:
    found = growth.record(standalone["access_token"]).get(f"Patient/{standalone['patient']}").json()
    assert found["id"] == "ada"


@requirement("inferno:g10_unrestricted_resource_type_access")
def test_each_type_that_was_granted_is_searchable(standalone: Json, growth: App) -> None:
    record = growth.record(standalone["access_token"])
    for type in ("Observation", "Condition", "AllergyIntolerance", "Encounter", "MedicationRequest"):
        found = record.found(type, {"patient": "ada"})
        assert found, type
        assert record.found(type) == found, type


@requirement("inferno:g10_unauthorized_access")
@pytest.mark.parametrize("path", ["Patient/ada", "Patient", "Observation?patient=ada", "Patient/ada/_history", ""])
def test_without_a_token_everything_is_401(provider: Provider, path: str) -> None:
    answer = provider.http.get(f"{provider.base}/{path}", headers={"Accept": "application/fhir+json"})
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"].startswith("Bearer")
    assert (
        "error=" not in answer.headers["www-authenticate"]
    )  # RFC 6750 section 3.1: nothing was sent, nothing is wrong
    assert answer.json()["resourceType"] == "OperationOutcome"


@requirement("smart:164")
def test_patient_scopes_come_with_a_patient(grace: Browser, growth: App) -> None:
    """Also when launch/patient was not asked: whoever sees more than one patient is asked for which."""
    growth.ask(grace, "patient/Observation.rs")
    assert grace.path.endswith("/auth/patient")
    grace.submit("/auth/patient", patient="ada").submit("/auth/consent", answer="allow")
    assert token_response(growth.exchange(grace.told["code"]))["patient"] == "ada"


@requirement("smart:169-177")
def test_an_encounter_is_chosen_where_one_is_asked_for(grace: Browser, growth: App) -> None:
    scope = "launch/patient launch/encounter patient/Encounter.rs"
    got = growth.granted(grace, scope, patient="ada", encounter="visit")
    assert (got["patient"], got["encounter"]) == ("ada", "visit")
    assert growth.record(got["access_token"]).get("Encounter/visit").json()["id"] == "visit"


@requirement("smart:169-177")
def test_somebody_elses_patient_or_visit_cannot_be_chosen(grace: Browser, ada: Browser, growth: App) -> None:
    growth.ask(grace, "launch/patient launch/encounter patient/Encounter.rs")
    grace.submit("/auth/patient", patient="nobody")
    assert grace.answer.status_code == 400 and not grace.left
    growth.ask(grace, "launch/patient launch/encounter patient/Encounter.rs")
    grace.submit("/auth/patient", patient="ada").submit("/auth/encounter", encounter="visit-of-bob")
    assert grace.answer.status_code == 400 and not grace.left


@requirement("inferno:g10_smart_v1_scopes")
def test_scopes_are_answered_in_the_version_that_was_asked(ada: Browser, growth: App) -> None:
    v1 = "launch/patient patient/Observation.read patient/Patient.read"
    assert scopes(growth.granted(ada, v1)["scope"]) == scopes(v1)
    v2 = "launch/patient patient/Observation.rs patient/Patient.r"
    assert scopes(growth.granted(ada, v2)["scope"]) == scopes(v2)


@requirement("smart:scopes-and-launch-context#duplicate-scopes")
def test_a_scope_may_be_repeated(ada: Browser, growth: App) -> None:
    got = growth.granted(ada, "launch/patient launch/patient patient/Patient.rs patient/Patient.rs")
    assert sorted(got["scope"].split()) == ["launch/patient", "patient/Patient.rs"]


@requirement("inferno:g10_smart_invalid_aud")
@pytest.mark.parametrize(
    "aud", [None, "https://example.com/wrong", "{base}/Patient", "{issuer}", "{base}.evil.example"]
)
def test_another_servers_address_gets_no_code(ada: Browser, growth: App, provider: Provider, aud: str | None) -> None:
    wrong = aud and aud.format(base=provider.base, issuer=provider.issuer)
    growth.ask(ada, STANDALONE, aud=wrong)
    assert ada.left.startswith(REDIRECT) and ada.told["error"] == "invalid_request" and "code" not in ada.told
    assert ada.told["state"] and ada.told["iss"] == growth.issuer


@requirement("inferno:g10_smart_invalid_token_request")
def test_a_wrong_code_or_client_is_refused(ada: Browser, provider: Provider, growth: App) -> None:
    oauth_error(growth.exchange("no-such-code"), "invalid_grant")
    code = growth.approved(ada, STANDALONE)
    oauth_error(growth.exchange(code, client_id="no-such-client"), "invalid_client", status=(400, 401))
    portal = provider.app("portal")
    wrong = portal.exchange("no-such-code", proof=by_secret("wrong-secret"))
    oauth_error(wrong, "invalid_client", status=401)
    assert wrong.headers["www-authenticate"].startswith("Basic")


@requirement("smart:54")
@pytest.mark.parametrize("page", ["/auth/consent", "/auth/cancel"])
def test_who_refuses_sends_the_app_access_denied(grace: Browser, growth: App, page: str) -> None:
    growth.ask(grace, STANDALONE)
    if page == "/auth/consent":
        grace.submit("/auth/patient", patient="ada").submit(page, answer="deny")
    else:
        grace.submit(page)
    assert grace.left.startswith(REDIRECT)
    assert grace.told["error"] == "access_denied" and "code" not in grace.told and grace.told["state"]


@requirement("smart:197")
def test_who_has_no_place_in_the_record_has_no_fhir_user(provider: Provider, growth: App) -> None:
    got = growth.granted(provider.logged_in("clerk"), "openid fhirUser user/Patient.rs")
    assert "fhirUser" not in part(got["id_token"], 1)
    growth.record(got["access_token"]).get("Patient/ada", expect=403)


@requirement("smart:119")
def test_a_persons_own_permissions_still_apply(ada: Browser, growth: App) -> None:
    record = growth.record(growth.granted(ada, "user/Patient.rs user/Observation.rs")["access_token"])
    assert record.found("Patient") == ["ada"]
    record.get("Patient/bob", expect=404)


@requirement("smart:launch-patient#related person")
def test_a_relative_sees_the_patient_they_act_for(provider: Provider, growth: App) -> None:
    got = growth.granted(provider.logged_in("rita"), "launch/patient openid fhirUser patient/*.rs")
    assert got["patient"] == "ada"
    assert part(got["id_token"], 1)["fhirUser"].endswith("/RelatedPerson/rita")
    record = growth.record(got["access_token"])
    assert record.found("Patient") == ["ada"]


@requirement("smart:18")
def test_an_unregistered_address_is_a_page_and_is_not_followed(ada: Browser, growth: App) -> None:
    growth.ask(ada, STANDALONE, redirect_uri="https://app.example/elsewhere")
    assert ada.answer.status_code == 400 and not ada.left
    assert urlsplit(str(ada.answer.url)).netloc in growth.issuer


@requirement("smart:launch-parameter#unknown parameters")
def test_unknown_parameters_are_ignored(ada: Browser, growth: App) -> None:
    more: dict[str, Any] = {"nonsense": "1", "display": "page"}
    assert growth.approved(ada, STANDALONE, **more)
