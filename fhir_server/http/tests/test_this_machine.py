"""Who an open server answers."""

import pytest

from fhir_server.http.request import parse_request
from fhir_server.http.this_machine import ThisMachine
from resources.errors import Forbidden
from resources.repository import WHOLE_RECORD, Caller

BASE = "https://fhir.example.org/fhir"


def ask(host: str = "", origin: str = "", origins: tuple[str, ...] = ("*",)) -> Caller:
    given = {"HTTP_HOST": host, "HTTP_ORIGIN": origin}
    environ = {"REQUEST_METHOD": "GET", "PATH_INFO": "/fhir/Patient/1", "REMOTE_ADDR": "127.0.0.1"}
    environ |= {name: value for name, value in given.items() if value}
    return ThisMachine(BASE, origins)(parse_request(environ, "r"))


@pytest.mark.parametrize("host", ["", "127.0.0.1:8080", "127.0.0.2", "localhost", "[::1]:8080", "fhir.example.org"])
@pytest.mark.parametrize("origin", ["", "http://localhost:3000", "http://127.0.0.1", "https://fhir.example.org"])
def test_what_is_of_this_machine(host: str, origin: str) -> None:
    assert ask(host, origin).grants is WHOLE_RECORD


@pytest.mark.parametrize(
    ("host", "origin"),
    [
        ("evil.example:8080", ""),  # its name points to 127.0.0.1 by now
        ("localhost.evil.example", ""),
        ("127.0.0.1.evil.example", ""),
        ("[", ""),
        ("127.0.0.1:8080", "https://evil.example"),
        ("127.0.0.1:8080", "http://127.0.0.1.evil.example"),
        ("127.0.0.1:8080", "http://localhost@evil.example"),
        ("127.0.0.1:8080", "null"),
        ("127.0.0.1:8080", "*"),
    ],
)
def test_pages_of_others(host: str, origin: str) -> None:
    with pytest.raises(Forbidden):
        ask(host, origin)


def test_pages_that_are_named() -> None:
    assert ask("127.0.0.1", "https://app.example", ("https://app.example",))
    with pytest.raises(Forbidden):
        ask("127.0.0.1", "https://app.example.org", ("https://app.example",))


def test_what_was_refused_once_is_refused_again() -> None:
    machine = ThisMachine(BASE, ("*",))
    environ = {"REQUEST_METHOD": "GET", "PATH_INFO": "/fhir/Patient/1", "HTTP_HOST": "evil.example"}
    for _ in range(2):
        with pytest.raises(Forbidden):
            machine(parse_request(environ, "r"))
