"""The protocol's endpoints over HTTP: CORS, discovery, no parameters in URLs; SMART App Launch 2.2, RFC 8414."""

from collections.abc import Iterator

import pytest
from flask import Flask
from flask.testing import FlaskClient

from resources.errors import Unavailable
from smart_auth.endpoints import blueprint
from smart_auth.endpoints.tests.surroundings import BASE
from smart_auth.service import AuthService

ISSUER = BASE.removesuffix("/fhir")


@pytest.fixture
def http(service: AuthService) -> Iterator[FlaskClient]:
    flask = Flask("protocol")
    flask.register_blueprint(blueprint(service))
    yield flask.test_client()


@pytest.mark.parametrize(
    ("path", "method"),
    [
        ("/auth/token", "POST"),
        ("/auth/introspect", "POST"),
        ("/auth/revoke", "POST"),
        ("/auth/userinfo", "GET"),
        ("/auth/jwks", "GET"),
        ("/auth/style", "GET"),
        ("/fhir/.well-known/smart-configuration", "GET"),
    ],
)
def test_apps_in_browsers_may_call(http: FlaskClient, path: str, method: str) -> None:
    origin = {"Origin": "https://app.example"}
    preflight = http.options(path, headers=origin | {"Access-Control-Request-Method": method})
    assert preflight.status_code == 204
    assert method in preflight.headers["Access-Control-Allow-Methods"]
    assert "Authorization" in preflight.headers["Access-Control-Allow-Headers"]
    answer = http.open(path, method=method, headers=origin)
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert "Access-Control-Allow-Credentials" not in answer.headers


def test_pages_are_not_open_to_other_origins(http: FlaskClient) -> None:
    for path in ("/auth/login", "/auth/authorize"):
        assert "Access-Control-Allow-Origin" not in http.get(path, headers={"Origin": "https://evil.example"}).headers


def test_discovery_names_what_answers(http: FlaskClient) -> None:
    found = http.get("/fhir/.well-known/smart-configuration")
    assert found.content_type == "application/json"
    document = found.get_json()
    assert document["issuer"] == ISSUER
    assert document["token_endpoint"] == f"{ISSUER}/auth/token"
    assert document["code_challenge_methods_supported"] == ["S256"]
    for capability in ("launch-ehr", "launch-standalone", "authorize-post", "client-confidential-asymmetric"):
        assert capability in document["capabilities"]
    for name, url in document.items():
        if name.endswith(("_endpoint", "jwks_uri")):
            assert http.open(url.removeprefix(ISSUER), method="OPTIONS").status_code != 404, name
    same = ("/.well-known/openid-configuration", "/fhir/.well-known/openid-configuration")
    assert [http.get(path).get_json()["issuer"] for path in same] == [ISSUER, ISSUER]
    assert http.get("/.well-known/oauth-authorization-server").get_json()["issuer"] == ISSUER


def test_the_host_header_is_not_trusted(http: FlaskClient) -> None:
    document = http.get("/fhir/.well-known/smart-configuration", base_url="http://evil.example").get_json()
    assert "evil" not in str(document)


def test_a_database_that_is_away_is_said_so(
    http: FlaskClient, service: AuthService, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(id: str) -> None:
        raise Unavailable("no database")

    monkeypatch.setattr(service.records, "client", away)
    answer = http.post("/auth/token", data={"grant_type": "authorization_code", "client_id": "growth"})
    assert (answer.status_code, answer.get_json()["error"]) == (503, "temporarily_unavailable")


def test_a_body_that_is_too_long(http: FlaskClient) -> None:
    assert http.post("/auth/token", data={"code": "x" * 70_000}).status_code == 413
