"""The discovery documents, computed from the routes that serve.

SMART App Launch 2.2, Conformance (https://hl7.org/fhir/smart-app-launch/conformance.html); RFC 8414; OpenID Connect
Discovery 1.0; RFC 9207 section 3. A capability is told only when all that it rests on is there.
"""

from collections.abc import Collection, Iterator
from functools import cache
from typing import Any, NamedTuple

from capability.statement import Smart
from smart_auth.oauth.access_token import ALGORITHM
from smart_auth.oauth.client_keys import ALGORITHMS
from smart_auth.scopes import plain_words
from smart_auth.scopes.algebra import CONTEXTS, SPECIAL, parse

AUTHORIZE = "GET /auth/authorize"
TOKEN = "POST /auth/token"
LAUNCH = "POST /auth/launch"

ENDPOINTS: dict[str, str] = {
    "authorization_endpoint": AUTHORIZE,
    "token_endpoint": TOKEN,
    "introspection_endpoint": "POST /auth/introspect",
    "revocation_endpoint": "POST /auth/revoke",
    "management_endpoint": "GET /auth/access",
    "jwks_uri": "GET /auth/jwks",
    "userinfo_endpoint": "GET /auth/userinfo",
}
"""Each endpoint's name in the documents and the route that answers there."""

AUTH_METHODS = ("client_secret_basic", "private_key_jwt", "none")
INTROSPECTION_METHODS = ("client_secret_basic", "private_key_jwt", "Bearer")
CHALLENGE_METHODS = ("S256",)
SMART_GRANT_TYPES = ("authorization_code", "client_credentials")
GRANT_TYPES = (*SMART_GRANT_TYPES, "refresh_token")
CLAIMS = ("iss", "sub", "aud", "exp", "iat", "auth_time", "nonce", "amr", "at_hash", "name", "fhirUser", "profile")


class Capability(NamedTuple):
    """A SMART capability and what makes it true: routes that must answer, a ``scope`` that must be understood,
    a client authentication ``method`` of the token endpoint."""

    code: str
    routes: tuple[str, ...] = (AUTHORIZE, TOKEN)
    scope: str = ""
    method: str = ""


CAPABILITIES = (
    Capability("launch-ehr", (AUTHORIZE, TOKEN, LAUNCH), "launch"),
    Capability("launch-standalone"),
    Capability("authorize-post", ("POST /auth/authorize", TOKEN)),
    Capability("client-public", method="none"),
    Capability("client-confidential-symmetric", method="client_secret_basic"),
    Capability("client-confidential-asymmetric", method="private_key_jwt"),
    Capability("sso-openid-connect", (AUTHORIZE, TOKEN, "GET /auth/jwks"), "openid"),
    Capability("context-banner", (AUTHORIZE, TOKEN, LAUNCH)),
    Capability("context-style", (AUTHORIZE, TOKEN, LAUNCH)),
    Capability("context-ehr-patient", (AUTHORIZE, TOKEN, LAUNCH), "launch/patient"),
    Capability("context-ehr-encounter", (AUTHORIZE, TOKEN, LAUNCH), "launch/encounter"),
    Capability("context-standalone-patient", (AUTHORIZE, TOKEN, "GET /auth/patient"), "launch/patient"),
    Capability("context-standalone-encounter", (AUTHORIZE, TOKEN, "GET /auth/encounter"), "launch/encounter"),
    Capability("permission-offline", scope="offline_access"),
    Capability("permission-online", scope="online_access"),
    Capability("permission-patient", scope="patient/Observation.rs"),
    Capability("permission-user", scope="user/Observation.rs"),
    Capability("permission-v1", scope="patient/Observation.read"),
    Capability("permission-v2", scope="patient/Observation.rs?category=vital-signs"),
)


def capabilities(routes: Collection[str]) -> list[str]:
    """The codes of what is true; ``routes`` are method and path below the issuer, such as ``POST /auth/token``."""
    return [row.code for row in CAPABILITIES if _is_true(row, routes)]


def _is_true(row: Capability, routes: Collection[str]) -> bool:
    understood = not row.scope or bool(parse(row.scope))
    return understood and (not row.method or row.method in AUTH_METHODS) and all(r in routes for r in row.routes)


def smart_configuration(issuer: str, routes: Collection[str]) -> dict[str, Any]:
    """``[base]/.well-known/smart-configuration``."""
    told = capabilities(routes)
    sso = "sso-openid-connect" in told
    apart = {"userinfo_endpoint"} | (set() if sso else {"jwks_uri"})
    return {
        **({"issuer": issuer} if sso else {}),
        **{name: url for name, url in _endpoints(issuer, routes) if name not in apart},
        **_authorization(SMART_GRANT_TYPES),
        "capabilities": told,
    }


def authorization_server(issuer: str, routes: Collection[str]) -> dict[str, Any]:
    """``[issuer]/.well-known/oauth-authorization-server``."""
    return {
        "issuer": issuer,
        **{name: url for name, url in _endpoints(issuer, routes) if name != "management_endpoint"},
        **_authorization(GRANT_TYPES),
        "response_modes_supported": ["query"],
        **_client_authentication("revocation_endpoint", AUTH_METHODS, routes),
        **_client_authentication("introspection_endpoint", INTROSPECTION_METHODS, routes),
        "authorization_response_iss_parameter_supported": True,
    }


def openid_configuration(issuer: str, routes: Collection[str]) -> dict[str, Any]:
    """``[issuer]/.well-known/openid-configuration``, and below the FHIR base, where SMART apps look too."""
    return {
        **authorization_server(issuer, routes),
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": [ALGORITHM],
        "claims_supported": list(CLAIMS),
        "claims_parameter_supported": False,
        "request_parameter_supported": False,
        "request_uri_parameter_supported": False,
    }


def smart_security(issuer: str, routes: Collection[str]) -> Smart:
    """What the CapabilityStatement says of the authorization server."""
    urls = dict(_endpoints(issuer, routes))
    return Smart(
        authorize=urls["authorization_endpoint"],
        token=urls["token_endpoint"],
        introspect=urls.get("introspection_endpoint", ""),
        revoke=urls.get("revocation_endpoint", ""),
        manage=urls.get("management_endpoint", ""),
        capabilities=tuple(capabilities(routes)),
    )


def _endpoints(issuer: str, routes: Collection[str]) -> Iterator[tuple[str, str]]:
    for name, route in ENDPOINTS.items():
        if route in routes:
            yield name, issuer + route.partition(" ")[2]


def _client_authentication(endpoint: str, methods: tuple[str, ...], routes: Collection[str]) -> dict[str, Any]:
    if ENDPOINTS[endpoint] not in routes:
        return {}
    return {
        f"{endpoint}_auth_methods_supported": list(methods),
        f"{endpoint}_auth_signing_alg_values_supported": list(ALGORITHMS),
    }


def _authorization(grant_types: tuple[str, ...]) -> dict[str, Any]:
    return {
        "scopes_supported": list(scopes_supported()),
        "response_types_supported": ["code"],
        "grant_types_supported": list(grant_types),
        **_client_authentication("token_endpoint", AUTH_METHODS, (TOKEN,)),
        "code_challenge_methods_supported": list(CHALLENGE_METHODS),
    }


@cache
def scopes_supported() -> tuple[str, ...]:
    """Special scopes, wildcards in the words of both versions, each type of a record, and its categories.

    Not all that is understood: any type, letters and parameters may be asked.
    """
    wildcards = (f"{context}/*.{word}" for context in CONTEXTS for word in ("cruds", "rs", "read", "write", "*"))
    types = (f"{context}/{type}.rs" for context in CONTEXTS for type in plain_words.TYPES)
    categories = (
        f"{context}/{type}.rs?category={value}"
        for context in ("patient", "user")
        for type, rows in plain_words.CATEGORIES.items()
        for value in rows
    )
    return (*sorted(SPECIAL), *wildcards, *types, *categories)
