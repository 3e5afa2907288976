"""Who logged in: id_token, discovery, keys, fhirUser, userinfo."""

import hashlib
import time
from base64 import urlsafe_b64decode

import pytest
from joserfc import jws, jwt
from joserfc.jwk import KeySet

from conformance_tests.client import Json
from conformance_tests.smart.app import ORIGIN, REDIRECT, App, scopes, token_response
from conformance_tests.smart.browser import Browser
from conformance_tests.smart.provider import Provider
from conformance_tests.smart.tokens import b64, part

requirement = pytest.mark.requirement
pytestmark = pytest.mark.either_database


def keys(provider: Provider, growth: App) -> Json:
    found: Json = provider.http.get(growth.configuration["jwks_uri"]).json()
    return found


@requirement("inferno:smart_openid_decode_id_token")
def test_the_id_token_is_a_jwt(standalone: Json) -> None:
    assert standalone["id_token"].count(".") == 2
    assert part(standalone["id_token"], 0) and part(standalone["id_token"], 1)


@requirement("inferno:smart_openid_retrieve_configuration")
@requirement("inferno:smart_openid_required_configuration_fields")
def test_the_issuers_configuration(provider: Provider, standalone: Json) -> None:
    issuer = part(standalone["id_token"], 1)["iss"]
    answer = provider.http.get(f"{issuer}/.well-known/openid-configuration")
    assert answer.status_code == 200 and answer.headers["content-type"].startswith("application/json")
    told = answer.json()
    for name in ("issuer", "authorization_endpoint", "token_endpoint", "jwks_uri"):
        assert isinstance(told[name], str), name
    for name in ("response_types_supported", "subject_types_supported", "id_token_signing_alg_values_supported"):
        assert told[name] and isinstance(told[name], list), name
    assert told["issuer"] == issuer
    assert "RS256" in told["id_token_signing_alg_values_supported"]
    assert "none" not in told["id_token_signing_alg_values_supported"]


@requirement("inferno:smart_openid_retrieve_jwks")
def test_the_keys_are_public_rsa_keys(provider: Provider, growth: App) -> None:
    found = keys(provider, growth)["keys"]
    assert found and len({key["kid"] for key in found}) == len(found)
    for key in found:
        assert key["kty"] == "RSA" and not {"d", "p", "q", "dp", "dq", "qi", "k"} & set(key)
        assert len(urlsafe_b64decode(key["n"] + "==")) * 8 >= 2048


@requirement("inferno:smart_openid_token_header")
def test_the_header_names_a_published_key(provider: Provider, growth: App, standalone: Json) -> None:
    header = part(standalone["id_token"], 0)
    assert header["alg"] == "RS256"
    assert header["kid"] in [key["kid"] for key in keys(provider, growth)["keys"]]


@requirement("inferno:smart_openid_token_payload")
def test_the_payload(provider: Provider, growth: App, standalone: Json) -> None:
    known = KeySet.import_key_set(keys(provider, growth))  # type: ignore[arg-type]
    claims = jwt.decode(standalone["id_token"], known, algorithms=["RS256"]).claims
    assert claims["iss"] == growth.issuer and claims["aud"] == growth.id
    assert claims["iat"] <= time.time() + 5 < claims["exp"]
    assert 1 <= len(claims["sub"]) <= 255 and claims["auth_time"] <= claims["iat"]
    expected = b64(hashlib.sha256(standalone["access_token"].encode()).digest()[:16])
    assert claims["at_hash"] == expected


@requirement("inferno:smart_openid_fhir_user_claim")
@requirement("inferno:smart_cors_openid_fhir_user_claim")
@pytest.mark.parametrize("which", ["standalone", "launched"])
def test_the_fhir_user_is_readable(request: pytest.FixtureRequest, which: str, growth: App, provider: Provider) -> None:
    got = request.getfixturevalue(which)
    url = part(got["id_token"], 1)["fhirUser"]
    assert url.startswith(provider.base + "/")
    answer = growth.record(got["access_token"]).get(url, Origin=ORIGIN)
    assert answer.json()["resourceType"] in ("Patient", "Practitioner")
    assert answer.headers["access-control-allow-origin"] in ("*", ORIGIN)


@requirement("inferno:smart_openid_fhir_user_claim")
def test_the_fhir_user_is_readable_under_openid_scopes_alone(grace: Browser, growth: App) -> None:
    got = growth.granted(grace, "openid fhirUser user/Observation.rs")
    url = part(got["id_token"], 1)["fhirUser"]
    record = growth.record(got["access_token"])
    assert record.get(url).json()["id"] == "grace"
    record.get("Practitioner", expect=(403, 200))


@requirement("openid-connect-core#3.1.3.7")
def test_the_nonce_comes_back(ada: Browser, growth: App) -> None:
    got = growth.granted(ada, "openid fhirUser patient/Patient.rs", nonce="n-0S6_WzA2Mj")
    assert part(got["id_token"], 1)["nonce"] == "n-0S6_WzA2Mj"
    assert "nonce" not in part(growth.granted(ada, "openid fhirUser patient/Patient.rs")["id_token"], 1)


@requirement("openid-connect-core#3.1.2.1")
def test_without_openid_there_is_no_id_token(ada: Browser, growth: App) -> None:
    assert "id_token" not in growth.granted(ada, "patient/Patient.rs")


@requirement("openid-connect-core#3.1.2.1")
def test_prompt_none_asks_nobody(provider: Provider, ada: Browser, growth: App) -> None:
    app, scope = provider.app("signer"), "openid patient/Immunization.d"
    app.ask(ada, scope, prompt="none")
    assert ada.left.startswith(REDIRECT) and ada.told["error"] == "consent_required"
    stranger = provider.browser()
    growth.ask(stranger, "openid patient/Patient.rs", prompt="none")
    assert stranger.told["error"] == "login_required"
    stranger.close()


@requirement("openid-connect-core#3.1.2.1")
def test_prompt_none_gives_what_the_app_has_already(provider: Provider, ada: Browser, growth: App) -> None:
    scope = "launch/patient openid patient/Patient.rs"
    growth.granted(ada, scope)
    growth.ask(ada, scope, prompt="none")
    assert scopes(token_response(growth.exchange(ada.told["code"]))["scope"]) == scopes(scope)
    growth.ask(ada, f"{scope} patient/Immunization.d", prompt="none")
    assert ada.told["error"] == "consent_required"


@requirement("openid-connect-core#3.1.2.1")
@pytest.mark.parametrize("asked", [{"prompt": "login"}, {"max_age": "0"}])
def test_a_new_log_in_can_be_asked_for(ada: Browser, growth: App, asked: dict[str, str]) -> None:
    time.sleep(1.1 if "max_age" in asked else 0)
    growth.ask(ada, "openid patient/Patient.rs", **asked)
    assert ada.path.endswith("/auth/login")


@requirement("openid-connect-core#5.3")
def test_userinfo_tells_the_same_person(provider: Provider, standalone: Json) -> None:
    url = provider.http.get(f"{provider.issuer}/.well-known/openid-configuration").json()["userinfo_endpoint"]
    bearer = {"Authorization": f"Bearer {standalone['access_token']}"}
    claims = part(standalone["id_token"], 1)
    for method in ("GET", "POST"):
        told = provider.http.request(method, url, headers=bearer).json()
        assert (told["sub"], told["fhirUser"]) == (claims["sub"], claims["fhirUser"])
    assert provider.http.get(url).status_code == 401


@requirement("rfc9068#2")
def test_the_access_token_is_of_another_type(provider: Provider, growth: App, standalone: Json) -> None:
    known = KeySet.import_key_set(keys(provider, growth))  # type: ignore[arg-type]
    header = jws.deserialize_compact(standalone["access_token"], known, algorithms=["RS256"]).headers()
    assert header["typ"] == "at+jwt" and part(standalone["id_token"], 0)["typ"] != "at+jwt"
    claims = part(standalone["access_token"], 1)
    assert claims["aud"] == provider.base and claims["iss"] == growth.issuer and claims["client_id"] == growth.id
    assert claims["exp"] - claims["iat"] == standalone["expires_in"]


@requirement("smart:native#loopback port")
def test_a_phone_app_chooses_its_own_loopback_port(provider: Provider, ada: Browser) -> None:
    native = provider.app("native")
    native.ask(ada, "patient/Patient.rs", redirect_uri="http://127.0.0.1:51234/back")
    ada.submit("/auth/consent", answer="allow")
    assert ada.left.startswith("http://127.0.0.1:51234/back?")
    code = ada.told["code"]
    assert native.exchange(code, redirect_uri="http://127.0.0.1:51234/back").status_code == 200
