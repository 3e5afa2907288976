"""Keys of clients at their own URL: fetched, cached as their headers say, never from inside the network."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from joserfc.jwk import Key, RSAKey

from conformance_tests.smart.app import App, oauth_error, token_response
from conformance_tests.smart.provider import Provider
from conformance_tests.smart.tokens import ASSERTION_TYPE, RSA, assertion_claims, signed

requirement = pytest.mark.requirement
pytestmark = pytest.mark.either_database

SCOPE = "system/Patient.rs"


class KeyServer:
    """A web server of a client: ``keys`` are what it publishes, ``asked`` how often somebody looked."""

    def __init__(self) -> None:
        self.keys: list[Key] = [RSA]
        self.asked, self.cache_control, self.redirect_to = 0, "max-age=300", ""
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                outer.asked += 1
                self.send_response(302 if outer.redirect_to else 200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Cache-Control", outer.cache_control)
                if outer.redirect_to:
                    self.send_header("Location", outer.redirect_to)
                self.end_headers()
                self.wfile.write(json.dumps({"keys": [key.as_dict(private=False) for key in outer.keys]}).encode())

            def log_message(self, *_: object) -> None:
                """Quiet."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/jwks.json"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


@pytest.fixture
def key_server() -> Iterator[KeyServer]:
    made = KeyServer()
    yield made
    made.server.shutdown()
    made.server.server_close()


@pytest.fixture
def service(provider: Provider, key_server: KeyServer, tag: str) -> App:
    """A backend service whose keys are at the server's URL."""
    fields = {"name": "Service with a key URL", "kind": "asymmetric", "backend": "yes", "jwks_uri": key_server.url}
    provider.register(tag, scopes=SCOPE, **fields)
    return provider.app(tag)


def asked(service: App, key: Key = RSA, **header: str) -> object:
    """The status of a token request signed with ``key``."""
    given = {"alg": "RS384", "kid": key.kid, "typ": "JWT"} | header
    made = signed(given, assertion_claims(service.id, service.token_endpoint), key)
    proof = {"client_assertion_type": ASSERTION_TYPE, "client_assertion": made}
    answer = service.credentials(SCOPE, proof=lambda app, form: (proof | form, {}, None))
    if answer.status_code == 200:
        return token_response(answer)["scope"]
    return oauth_error(answer, "invalid_client", status=(400, 401))["error"]


@requirement("smart:297")
@requirement("smart:335-342")
def test_keys_are_found_at_the_registered_url_and_cached(service: App, key_server: KeyServer) -> None:
    assert asked(service) == SCOPE and asked(service) == SCOPE
    assert key_server.asked == 1
    assert asked(service, jku=key_server.url) == SCOPE


@requirement("smart:335-342")
@pytest.mark.parametrize("cache_control", ["no-store", "no-cache", "max-age=0"])
def test_they_are_cached_no_longer_than_their_headers_say(
    service: App, key_server: KeyServer, cache_control: str
) -> None:
    key_server.cache_control = cache_control
    assert asked(service) == SCOPE and asked(service) == SCOPE
    assert key_server.asked == 2
    key_server.keys = []
    assert asked(service) == "invalid_client"


@requirement("smart:297")
def test_a_new_key_is_found_although_the_old_set_is_cached(service: App, key_server: KeyServer) -> None:
    assert asked(service) == SCOPE
    new = RSAKey.generate_key(2048, {"kid": "next"}, auto_kid=False)
    key_server.keys = [RSA, new]
    assert asked(service, new) == SCOPE and key_server.asked == 2


@requirement("smart:335-342")
@requirement("attack:55 key URL")
def test_only_the_registered_url_is_asked(service: App, key_server: KeyServer) -> None:
    other = KeyServer()
    assert asked(service, jku=other.url) == "invalid_client" and other.asked == 0
    key_server.redirect_to = other.url
    assert asked(service) == "invalid_client" and other.asked == 0
    other.server.shutdown()
    other.server.server_close()


@requirement("attack:55 key URL")
@pytest.mark.parametrize(
    "url",
    [
        "http://169.254.169.254/latest/meta-data",
        "http://10.0.0.1/jwks",
        "http://example.org/jwks",
        "file:///etc/passwd",
        "gopher://127.0.0.1:70/",
        "https://user:secret@example.org/jwks",
        "javascript:alert(1)",
    ],
)
def test_urls_into_the_network_cannot_be_registered(provider: Provider, tag: str, url: str) -> None:
    page = provider.administrator.get("auth/admin/clients/new")
    fields = {"name": "Spy", "kind": "asymmetric", "backend": "yes", "jwks_uri": url, "scopes": SCOPE}
    page.submit("/auth/admin/clients", id=tag, **fields)
    assert page.answer.status_code == 400


@requirement("attack:55 key URL")
@pytest.mark.parametrize("url", ["https://169.254.169.254/latest", "https://10.255.255.1/jwks", "https://[::1]:1/jwks"])
def test_an_https_url_into_the_network_is_not_asked(provider: Provider, tag: str, url: str) -> None:
    fields = {"name": "Spy", "kind": "asymmetric", "backend": "yes", "jwks_uri": url}
    provider.register(tag, scopes=SCOPE, **fields)
    assert asked(provider.app(tag)) == "invalid_client"
