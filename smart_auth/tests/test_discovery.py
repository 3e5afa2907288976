"""Discovery: every field of the three documents, and that nothing is told which is not there."""

from collections.abc import Callable, Collection
from typing import Any

import pytest

from smart_auth import discovery
from smart_auth.discovery import (
    CAPABILITIES,
    ENDPOINTS,
    authorization_server,
    capabilities,
    openid_configuration,
    scopes_supported,
    smart_configuration,
    smart_security,
)
from smart_auth.scopes.algebra import parse

ISSUER = "https://h.example"
EVERY_ROUTE = frozenset(ENDPOINTS.values()) | {route for row in CAPABILITIES for route in row.routes}

# ONC (g)(10), standalone and EHR launch, and the capabilities beside them.
WANTED = {
    "launch-ehr", "launch-standalone", "client-public", "client-confidential-symmetric",
    "client-confidential-asymmetric", "sso-openid-connect", "context-banner", "context-style", "context-ehr-patient",
    "context-ehr-encounter", "context-standalone-patient", "context-standalone-encounter", "permission-offline",
    "permission-online", "permission-patient", "permission-user", "permission-v1", "permission-v2", "authorize-post",
}  # fmt: skip

Document = Callable[[str, Collection[str]], dict[str, Any]]


def test_capabilities() -> None:
    assert set(capabilities(EVERY_ROUTE)) == WANTED
    assert capabilities(()) == []


@pytest.mark.parametrize(
    ("route", "lost"),
    [
        (
            "POST /auth/launch",
            {"launch-ehr", "context-banner", "context-style", "context-ehr-patient", "context-ehr-encounter"},
        ),
        ("POST /auth/authorize", {"authorize-post"}),
        ("GET /auth/patient", {"context-standalone-patient"}),
        ("GET /auth/encounter", {"context-standalone-encounter"}),
        ("GET /auth/jwks", {"sso-openid-connect"}),
    ],
)
def test_a_route_that_is_gone_takes_its_capabilities(route: str, lost: set[str]) -> None:
    assert set(capabilities(EVERY_ROUTE - {route})) == WANTED - lost


def test_smart_configuration() -> None:
    found = smart_configuration(ISSUER, EVERY_ROUTE)
    scopes = found.pop("scopes_supported")
    assert {"openid", "fhirUser", "launch/patient", "offline_access", "patient/*.rs", "user/*.cruds"} <= set(scopes)
    assert set(found.pop("capabilities")) == WANTED
    assert found == {
        "issuer": ISSUER,
        "authorization_endpoint": f"{ISSUER}/auth/authorize",
        "token_endpoint": f"{ISSUER}/auth/token",
        "introspection_endpoint": f"{ISSUER}/auth/introspect",
        "revocation_endpoint": f"{ISSUER}/auth/revoke",
        "management_endpoint": f"{ISSUER}/auth/access",
        "jwks_uri": f"{ISSUER}/auth/jwks",
        "response_types_supported": ["code"],
        "grant_types_supported": ["authorization_code", "client_credentials"],
        "token_endpoint_auth_methods_supported": ["client_secret_basic", "private_key_jwt", "none"],
        "token_endpoint_auth_signing_alg_values_supported": ["RS384", "ES384"],
        "code_challenge_methods_supported": ["S256"],
    }


def test_without_single_sign_on_there_is_no_issuer() -> None:
    found = smart_configuration(ISSUER, EVERY_ROUTE - {"GET /auth/jwks"})
    assert not {"issuer", "jwks_uri"} & found.keys()


def test_openid_configuration() -> None:
    found = openid_configuration(ISSUER, EVERY_ROUTE)
    required = {"issuer", "authorization_endpoint", "token_endpoint", "jwks_uri", "response_types_supported"}
    assert required | {"userinfo_endpoint", "subject_types_supported"} <= found.keys()
    assert "RS256" in found["id_token_signing_alg_values_supported"]
    assert found["request_uri_parameter_supported"] is False  # its default is true


def test_authorization_server() -> None:
    found = authorization_server(ISSUER, EVERY_ROUTE)
    assert found["authorization_response_iss_parameter_supported"] is True
    assert "refresh_token" in found["grant_types_supported"]
    assert found["response_modes_supported"] == ["query"]
    assert found["introspection_endpoint_auth_methods_supported"] == [
        "client_secret_basic",
        "private_key_jwt",
        "Bearer",
    ]
    assert found["revocation_endpoint_auth_signing_alg_values_supported"] == ["RS384", "ES384"]


@pytest.mark.parametrize("document", [smart_configuration, openid_configuration, authorization_server])
def test_an_endpoint_that_does_not_answer_is_not_told(document: Document) -> None:
    found = document(ISSUER, EVERY_ROUTE - {"POST /auth/introspect"})
    assert not any(name.startswith("introspection") for name in found)
    assert "revocation_endpoint" in found


def test_scopes_told_are_understood() -> None:
    found = parse(" ".join(scopes_supported()))
    assert not found.malformed
    assert len(found.resources) + len(found.special) == len(scopes_supported()) == len(set(scopes_supported()))


def test_every_method_has_its_capability() -> None:
    assert {row.method for row in CAPABILITIES if row.method} == set(discovery.AUTH_METHODS)


def test_what_the_statement_says() -> None:
    found = smart_security(ISSUER, EVERY_ROUTE)
    assert (found.authorize, found.token) == (f"{ISSUER}/auth/authorize", f"{ISSUER}/auth/token")
    assert set(found.capabilities) == WANTED
    assert smart_security(ISSUER, EVERY_ROUTE - {"GET /auth/access"}).manage == ""
