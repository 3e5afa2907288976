"""Services without a person: client_credentials with a signed assertion, within what was agreed beforehand."""

import time
from typing import Any

import pytest

from conformance_tests.client import Json
from conformance_tests.smart.app import App, by_key, by_name, oauth_error, scopes, token_response
from conformance_tests.smart.provider import Provider
from conformance_tests.smart.tokens import ASSERTION_TYPE, EC, RSA, STRANGER, assertion, assertion_claims, part, signed

requirement = pytest.mark.requirement
pytestmark = pytest.mark.either_database

SCOPE = "system/Patient.rs"


def sent(robot: App, made: str, **changes: str | None) -> Any:
    """client_credentials with an assertion of our making."""
    proof = {"client_assertion_type": ASSERTION_TYPE, "client_assertion": made} | changes
    return robot.credentials(SCOPE, proof=lambda app, form: (proof | form, {}, None))


def refused(answer: Any) -> None:
    oauth_error(answer, "invalid_client", status=(400, 401))


@requirement("inferno:smart_backend_services_auth_request_success")
@requirement("inferno:smart_backend_services_auth_response_body")
@pytest.mark.parametrize("alg", ["RS384", "ES384"])
def test_a_service_gets_a_token(robot: App, alg: str) -> None:
    got = token_response(robot.credentials(SCOPE, proof=by_key(alg)))
    assert got["token_type"].lower() == "bearer" and got["scope"] == SCOPE
    assert isinstance(got["expires_in"], int)
    assert "refresh_token" not in got and "id_token" not in got


@requirement("smart:261")
def test_it_lives_five_minutes_at_most(robot: App) -> None:
    got = token_response(robot.credentials(SCOPE))
    assert 0 < got["expires_in"] <= 300
    claims = part(got["access_token"], 1)
    assert claims["exp"] - claims["iat"] <= 300


@requirement("inferno:smart_backend_services_invalid_grant_type")
@pytest.mark.parametrize("grant", ["not_a_grant_type", None, "password", "implicit"])
def test_a_wrong_grant_type(robot: App, grant: str | None) -> None:
    answer = robot.credentials(SCOPE, grant_type=grant)
    oauth_error(answer, "unsupported_grant_type", "invalid_request")


@requirement("inferno:smart_backend_services_invalid_client_assertion")
@pytest.mark.parametrize("kind", ["not_an_assertion_type", None, ""])
def test_a_wrong_assertion_type(robot: App, kind: str | None) -> None:
    refused(sent(robot, assertion("robot", robot.token_endpoint), client_assertion_type=kind))


@requirement("inferno:smart_backend_services_invalid_jwt")
@requirement("smart:335-342")
@pytest.mark.parametrize("made", ["", "a.b.c", "not a jwt", "x" * 9000])
def test_what_is_no_jwt(robot: App, made: str) -> None:
    refused(sent(robot, made))


@requirement("smart:335-342")
@pytest.mark.parametrize(
    "changes",
    [
        {"iss": "no-such-client", "sub": "no-such-client"},
        {"iss": "robot", "sub": "signer"},
        {"sub": None},
        {"iss": None},
        {"aud": "https://evil.example/token"},
        {"aud": None},
        {"aud": ["https://evil.example/token", "{token}"]},
        {"exp": None},
        {"exp": -10},
        {"exp": 600},
        {"exp": 86400},
        {"iat": 600},
        {"nbf": 600},
        {"jti": None},
        {"jti": ""},
        {"jti": "j" * 1000},
    ],
    ids=str,
)
def test_a_claim_that_is_wrong(robot: App, changes: dict[str, Any]) -> None:
    now = int(time.time())
    given = {name: now + value if isinstance(value, int) else value for name, value in changes.items()}
    if isinstance(given.get("aud"), list):
        given["aud"] = [each.replace("{token}", robot.token_endpoint) for each in given["aud"]]
    refused(sent(robot, assertion("robot", robot.token_endpoint, **given)))


@requirement("smart:335-342")
def test_a_signature_of_another_key(robot: App) -> None:
    """Inferno's invalid_jwt test sends a wrong assertion type; here it is the signature that is wrong."""
    header = {"alg": "RS384", "kid": "rsa", "typ": "JWT"}
    refused(sent(robot, signed(header, assertion_claims("robot", robot.token_endpoint), STRANGER)))
    good = assertion("robot", robot.token_endpoint)
    refused(sent(robot, good[:-4] + ("AAAA" if good[-4:] != "AAAA" else "BBBB")))


@requirement("smart:335-342")
@requirement("attack:53 client assertion")
def test_an_assertion_is_good_once(robot: App) -> None:
    made = assertion("robot", robot.token_endpoint)
    token_response(sent(robot, made))
    refused(sent(robot, made))


@requirement("smart:335-342")
def test_the_same_jti_of_two_clients_is_two(robot: App, provider: Provider) -> None:
    jti = assertion_claims("x", "y")["jti"]
    token_response(sent(robot, assertion("robot", robot.token_endpoint, jti=jti)))
    gateway = assertion("gateway", robot.token_endpoint, jti=jti)
    proof = {"client_assertion_type": ASSERTION_TYPE, "client_assertion": gateway, "token": "x"}
    answer = provider.http.post(robot.configuration["introspection_endpoint"], data=proof)
    assert answer.status_code == 200, answer.text


@requirement("smart:344")
def test_a_service_has_no_shared_secret(provider: Provider) -> None:
    administrator = provider.administrator.get("auth/admin/clients/new")
    fields = {"name": "Service with a secret", "kind": "symmetric", "backend": "yes", "scopes": SCOPE}
    administrator.submit("/auth/admin/clients", id="weak", redirect_uris="https://weak.example/back", **fields)
    assert administrator.answer.status_code == 400


@requirement("smart:344")
@pytest.mark.parametrize("client", ["portal", "growth", "signer"])
def test_who_is_no_service_gets_no_token_by_itself(provider: Provider, client: str) -> None:
    answer = provider.app(client).credentials(SCOPE)
    oauth_error(answer, "unauthorized_client", "invalid_client", "invalid_scope", status=(400, 401))


@requirement("smart:250")
@pytest.mark.parametrize(
    ("asked", "granted"),
    [
        ("system/Patient.rs system/Encounter.rs", "system/Patient.rs"),
        ("system/*.rs", "system/Patient.rs system/Observation.rs system/Condition.rs"),
        ("system/Patient.cruds", "system/Patient.rs"),
        ("system/Patient.r", "system/Patient.r"),
        ("system/Condition.read", "system/Condition.read"),
        ("system/Observation.rs?category=laboratory", "system/Observation.rs?category=laboratory"),
    ],
)
def test_scopes_stay_within_what_was_agreed(robot: App, asked: str, granted: str) -> None:
    assert scopes(token_response(robot.credentials(asked))["scope"]) == scopes(granted)


@requirement("smart:250")
@requirement("attack:38 mixed scopes")
@pytest.mark.parametrize(
    "asked",
    [
        "",
        "system/Encounter.rs",
        "patient/Patient.rs",
        "user/Patient.rs",
        "system/Patient.rs patient/Patient.rs",
        "system/Patient.rs user/Patient.rs",
        "openid",
        "system/Patient.rsXYZ",
        "system/Patient.",
        "system/patient.rs",
    ],
)
def test_other_scopes_are_refused(robot: App, asked: str) -> None:
    oauth_error(robot.credentials(asked), "invalid_scope", "invalid_request")


@requirement("smart:95")
@requirement("smart:266")
def test_the_token_does_what_its_scope_says(robot: App) -> None:
    record = robot.record(token_response(robot.credentials(SCOPE))["access_token"])
    assert {"ada", "bob"} <= set(record.found("Patient"))
    record.get("Observation", expect=403)
    record.get("Patient/ada/$everything", expect=(200, 403))
    record.request("PUT", "Patient/ada", {"resourceType": "Patient", "id": "ada"}, expect=403)
    record.delete("Patient/ada", expect=403)


@requirement("smart:296")
def test_keys_are_registered_by_value(robot: App) -> None:
    for kid, key, alg in (("rsa", RSA, "RS384"), ("ec", EC, "ES384")):
        header = {"alg": alg, "kid": kid, "typ": "JWT"}
        token_response(sent(robot, signed(header, assertion_claims("robot", robot.token_endpoint), key)))


@requirement("smart:335-342")
def test_the_key_is_chosen_by_its_name(robot: App) -> None:
    claims = assertion_claims("robot", robot.token_endpoint)
    refused(sent(robot, signed({"alg": "RS384", "kid": "ec", "typ": "JWT"}, claims, RSA)))
    refused(sent(robot, signed({"alg": "RS384", "typ": "JWT"}, claims, RSA)))


@requirement("smart:335-342")
def test_a_jku_that_is_not_registered_is_refused(robot: App) -> None:
    header = {"alg": "RS384", "kid": "rsa", "typ": "JWT", "jku": "https://evil.example/jwks.json"}
    refused(sent(robot, signed(header, assertion_claims("robot", robot.token_endpoint), RSA)))


@requirement("rfc6749#2.3")
def test_two_proofs_at_once_are_refused(robot: App, provider: Provider) -> None:
    proof = {"client_assertion_type": ASSERTION_TYPE, "client_assertion": assertion("robot", robot.token_endpoint)}
    form = proof | {"grant_type": "client_credentials", "scope": SCOPE}
    answer = robot.http.post(robot.token_endpoint, data=form, auth=("portal", provider.secrets["portal"]))
    oauth_error(answer, "invalid_request", "invalid_client", status=(400, 401))


@requirement("smart:335-342")
def test_an_assertion_of_another_client_than_named_is_refused(robot: App) -> None:
    refused(sent(robot, assertion("robot", robot.token_endpoint), client_id="gateway"))
    token_response(sent(robot, assertion("robot", robot.token_endpoint), client_id="robot"))


@requirement("smart:335-342")
def test_a_public_name_is_no_proof_for_a_service(robot: App) -> None:
    refused(robot.credentials(SCOPE, proof=by_name))


@requirement("rfc6749#4.4")
def test_no_context_and_no_person_comes_along(robot: App) -> None:
    got: Json = token_response(robot.credentials(SCOPE))
    assert not {"patient", "encounter", "need_patient_banner"} & set(got)
    assert "fhirUser" not in part(got["access_token"], 1)
