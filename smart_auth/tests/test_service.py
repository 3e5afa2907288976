"""The service as a whole: a backend client whose keys are at their URL, fetched over HTTP from this machine."""

import dataclasses
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from joserfc.jwk import ECKey
from msgspec.structs import replace

from smart_auth.endpoints.tests.surroundings import Clock, made_service
from smart_auth.model import Client, ClientKind, Told
from smart_auth.oauth.client_authentication import Presented
from smart_auth.oauth.tests.rig import BASE, ISSUER, JWKS, RSA, Chart, asserted, assertion
from smart_auth.records import SqlRecords
from smart_auth.service import ADDRESS, AuthService, issuer_of


class _Site(BaseHTTPRequestHandler):
    asked = 0

    def do_GET(self) -> None:
        _Site.asked += 1
        self.send_response(200)
        self.send_header("Cache-Control", "max-age=60")
        self.send_header("Content-Length", str(len(JWKS)))
        self.end_headers()
        self.wfile.write(JWKS.encode())

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def jwks_uri() -> Iterator[str]:
    _Site.asked = 0
    server = HTTPServer(("127.0.0.1", 0), _Site)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/jwks"
    server.shutdown()
    server.server_close()


@pytest.fixture
def told() -> list[Told]:
    return []


@pytest.fixture
def service(records: SqlRecords, told: list[Told], jwks_uri: str) -> AuthService:
    made = made_service(records, Clock(), told.append, base=BASE, chart=Chart(), loopback_http=True)
    service = Client(
        id="backend", name="B", kind=ClientKind.ASYMMETRIC, jwks_uri=jwks_uri, backend=True, scopes="system/*.rs"
    )
    records.put_client(service)
    return made


def _status(service: AuthService, text: str) -> int:
    form = {"grant_type": "client_credentials", "scope": "system/Patient.rs"} | asserted(text)
    return service.token_endpoint.answer(Presented("", form)).status


def test_keys_at_their_url(service: AuthService, jwks_uri: str) -> None:
    now = service.now()
    assert _status(service, assertion(now)) == 200
    assert _status(service, assertion(now, RSA, {"jku": jwks_uri})) == 200
    assert _Site.asked == 1
    assert _status(service, assertion(now, RSA, {"jku": jwks_uri + "?x"})) == 401
    other = ECKey.generate_key("P-384", {"kid": "new"}, auto_kid=False)
    assert _status(service, assertion(now, other)) == 401
    assert _Site.asked == 2


def test_not_from_this_machine_unless_it_is_allowed(service: AuthService) -> None:
    strict = dataclasses.replace(service, loopback_http=False)
    assert _status(strict, assertion(service.now())) == 401
    assert _Site.asked == 0


def test_a_registered_set_by_value_is_not_asked_for(service: AuthService) -> None:
    client = service.records.client("backend")
    assert client
    service.records.put_client(replace(client, jwks=JWKS, jwks_uri=""))
    assert _status(service, assertion(service.now())) == 200
    assert _Site.asked == 0


def test_addresses_and_urls(service: AuthService, told: list[Told]) -> None:
    assert issuer_of("https://a.example/x/fhir") == "https://a.example/x"
    assert service.url("/auth/token") == f"{ISSUER}/auth/token"
    token = ADDRESS.set("192.0.2.7")
    _status(service, "rubbish")
    ADDRESS.reset(token)
    assert told[-1].address == "192.0.2.7"
