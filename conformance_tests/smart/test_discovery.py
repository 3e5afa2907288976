"""What the server says of itself: smart-configuration, OAuth and OpenID metadata, CapabilityStatement."""

from typing import Any

import httpx
import pytest

from conformance_tests.client import Json
from conformance_tests.smart.app import ORIGIN, App
from conformance_tests.smart.provider import Provider

requirement = pytest.mark.requirement
pytestmark = pytest.mark.either_database

OAUTH_URIS = "http://fhir-registry.smarthealthit.org/StructureDefinition/oauth-uris"
CAPABILITIES = {
    "launch-standalone",
    "launch-ehr",
    "authorize-post",
    "client-public",
    "client-confidential-symmetric",
    "client-confidential-asymmetric",
    "sso-openid-connect",
    "context-banner",
    "context-style",
    "context-ehr-patient",
    "context-ehr-encounter",
    "context-standalone-patient",
    "permission-offline",
    "permission-online",
    "permission-patient",
    "permission-user",
    "permission-v1",
    "permission-v2",
}
"""Those of (g)(10) for standalone and EHR launch; each is shown to work by the tests beside this one."""


def document(provider: Provider, path: str, **headers: str) -> httpx.Response:
    answer = provider.http.get(path if "://" in path else f"{provider.base}/{path}", headers=headers)
    assert answer.status_code == 200, answer.text
    return answer


@requirement("inferno:well_known_endpoint")
@pytest.mark.parametrize("accept", ["application/json", "application/fhir+json", "text/html", "*/*", ""])
def test_the_well_known_document_is_json_whatever_is_accepted(provider: Provider, accept: str) -> None:
    answer = document(provider, ".well-known/smart-configuration", Accept=accept)
    assert answer.headers["content-type"].split(";")[0] == "application/json"
    assert isinstance(answer.json(), dict)


@requirement("inferno:well_known_endpoint")
@requirement("smart:372-394")
def test_every_endpoint_is_an_absolute_url_that_answers(growth: App, provider: Provider) -> None:
    told = growth.configuration
    names = [name for name in told if name.endswith("_endpoint") or name == "jwks_uri"]
    assert {"authorization_endpoint", "token_endpoint", "introspection_endpoint", "revocation_endpoint"} <= set(names)
    assert "management_endpoint" in names
    for name in names:
        assert told[name].startswith(provider.issuer + "/"), name
        assert provider.http.get(told[name]).status_code != 404, name


@requirement("inferno:well_known_capabilities_stu2")
def test_required_fields_have_their_types(growth: App) -> None:
    told = growth.configuration
    assert isinstance(told["authorization_endpoint"], str) and isinstance(told["token_endpoint"], str)
    for name in ("capabilities", "grant_types_supported", "code_challenge_methods_supported", "scopes_supported"):
        assert told[name] and all(isinstance(value, str) for value in told[name]), name
    assert "authorization_code" in told["grant_types_supported"]
    assert "client_credentials" in told["grant_types_supported"]
    assert told["code_challenge_methods_supported"] == ["S256"]
    assert told["issuer"] and told["jwks_uri"]


@requirement("inferno:g10_smart_well_known_capabilities")
@requirement("inferno:us_core_smart_well_known_capabilities")
@requirement("smart:359-371")
def test_the_capabilities(growth: App) -> None:
    assert set(growth.configuration["capabilities"]) >= CAPABILITIES
    assert len(set(growth.configuration["capabilities"])) == len(growth.configuration["capabilities"])
    assert any(scope.startswith("patient/") for scope in growth.configuration["scopes_supported"])


@requirement("smart:372-394")
def test_client_authentication_methods_are_told(growth: App) -> None:
    told = growth.configuration
    assert {"client_secret_basic", "private_key_jwt"} <= set(told["token_endpoint_auth_methods_supported"])
    assert {"RS384", "ES384"} <= set(told["token_endpoint_auth_signing_alg_values_supported"])


@requirement("inferno:smart_cors_well_known_endpoint")
@requirement("inferno:smart_cors_metadata_request")
@pytest.mark.parametrize("path", [".well-known/smart-configuration", "metadata", ".well-known/openid-configuration"])
def test_documents_are_readable_from_other_origins(provider: Provider, path: str) -> None:
    answer = document(provider, path, Origin=ORIGIN)
    assert answer.headers["access-control-allow-origin"] in ("*", ORIGIN)


@requirement("attack:62 cross-origin requests")
@pytest.mark.parametrize("origin", ["null", "https://evil.example", "https://app.example.evil.example"])
def test_no_origin_is_ever_trusted_with_credentials(provider: Provider, growth: App, origin: str) -> None:
    for url in (f"{provider.base}/metadata", f"{provider.base}/Patient/ada", growth.token_endpoint):
        for method in ("GET", "OPTIONS"):
            asked = {"Origin": origin, "Access-Control-Request-Method": "POST"}
            answer = provider.http.request(method, url, headers=asked)
            assert "access-control-allow-credentials" not in answer.headers
            assert answer.headers.get("access-control-allow-origin", "*") in ("*", origin)


@requirement("inferno:smart_cors_token_exchange")
def test_the_token_endpoint_answers_a_preflight(provider: Provider, growth: App) -> None:
    asked = {"Origin": ORIGIN, "Access-Control-Request-Method": "POST"}
    asked["Access-Control-Request-Headers"] = "content-type,authorization"
    answer = provider.http.options(growth.token_endpoint, headers=asked)
    assert answer.status_code in (200, 204)
    assert answer.headers["access-control-allow-origin"] in ("*", ORIGIN)
    allowed = answer.headers["access-control-allow-headers"].lower()
    assert "POST" in answer.headers["access-control-allow-methods"]
    assert "content-type" in allowed and "authorization" in allowed


@requirement("inferno:smart_openid_retrieve_configuration")
@requirement("rfc8414#3")
def test_the_documents_of_the_issuer_agree(provider: Provider, growth: App) -> None:
    places = (
        f"{provider.issuer}/.well-known/openid-configuration",
        f"{provider.base}/.well-known/openid-configuration",
        f"{provider.issuer}/.well-known/oauth-authorization-server",
    )
    for place in places:
        told: Json = document(provider, place).json()
        for name in ("issuer", "authorization_endpoint", "token_endpoint", "jwks_uri"):
            assert told[name] == growth.configuration[name], (place, name)
        assert told["authorization_response_iss_parameter_supported"] is True
        assert "plain" not in told["code_challenge_methods_supported"]


@requirement("SMART 1.0 conformance#oauth-uris")
def test_the_capability_statement_names_the_endpoints(provider: Provider, growth: App) -> None:
    statement = document(provider, "metadata", Accept="application/fhir+json").json()
    security: Any = statement["rest"][0]["security"]
    (extension,) = (each for each in security["extension"] if each["url"] == OAUTH_URIS)
    urls = {each["url"]: each["valueUri"] for each in extension["extension"]}
    assert urls["authorize"] == growth.configuration["authorization_endpoint"]
    assert urls["token"] == growth.configuration["token_endpoint"]
    codes = {coding["code"] for service in security["service"] for coding in service["coding"]}
    assert "SMART-on-FHIR" in codes


@requirement("attack:63 host header")
def test_no_document_believes_the_host_header(provider: Provider) -> None:
    poison = {"Host": "evil.example", "X-Forwarded-Host": "evil.example", "Forwarded": "host=evil.example"}
    for path in (".well-known/smart-configuration", ".well-known/openid-configuration", "metadata"):
        answer = provider.http.get(f"{provider.base}/{path}", headers=poison | {"X-Forwarded-Proto": "https"})
        assert "evil.example" not in answer.text + str(answer.headers), path
