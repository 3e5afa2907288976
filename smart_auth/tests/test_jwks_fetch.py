"""Fetching a JWK Set: no way into our own network, no redirect, bounded in size and time (OWASP SSRF Prevention)."""

import socket
import threading
import time
from collections.abc import Callable, Iterator

import pytest

from smart_auth import jwks_fetch as module
from smart_auth.jwks_fetch import Unreachable, jwks_fetch, public

OK = b'HTTP/1.1 200 OK\r\nCache-Control: max-age=9\r\nContent-Length: 11\r\n\r\n{"keys":[]}'


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "10.0.0.1", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0", "224.0.0.1",
        "255.255.255.255", "::1", "::", "fe80::1%eth0", "fd00::1", "ff02::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1",
        "::7f00:1", "64:ff9b::7f00:1", "2002:7f00:1::", "2001:0:7f00:1::", "fec0::1",
    ],
)  # fmt: skip
def test_not_the_open_internet(address: str) -> None:
    assert not public(address)


@pytest.mark.parametrize("address", ["8.8.8.8", "2001:4860:4860::8888", "::ffff:8.8.8.8", "64:ff9b::808:808"])
def test_the_open_internet(address: str) -> None:
    assert public(address)


@pytest.mark.parametrize(
    "url",
    [
        "http://app.example/jwks", "http://127.0.0.1/jwks", "https://127.0.0.1/", "https://localhost/",
        "https://[::1]/", "https://[::ffff:127.0.0.1]/", "https://2130706433/", "https://0x7f000001/",
        "https://127.1/", "https://user@app.example/", "https://app.example/#x", "https:///x", "https://app.example:0/",
        "https://app.example:99999/", "https://[bad/", "file:///etc/passwd", "gopher://app.example/", "ftp://app.example/",
        "https://\u2024/", "https://" + "a" * 300 + "/", "",
    ],
)  # fmt: skip
def test_urls_that_are_not_fetched(url: str) -> None:
    with pytest.raises(Unreachable):
        jwks_fetch(url)


@pytest.fixture
def server() -> Iterator[Callable[[Callable[[socket.socket], None]], str]]:
    """Serves one connection by a function of the socket; gives its URL."""
    opened: list[socket.socket] = []

    def serve(answer: Callable[[socket.socket], None]) -> str:
        listener = socket.create_server(("127.0.0.1", 0))
        opened.append(listener)

        def run() -> None:
            try:
                connection, _ = listener.accept()
                with connection:
                    connection.recv(65536)
                    answer(connection)
            except OSError:
                pass

        threading.Thread(target=run, daemon=True).start()
        return f"http://127.0.0.1:{listener.getsockname()[1]}/jwks"

    yield serve
    for listener in opened:
        listener.close()


Server = Callable[[Callable[[socket.socket], None]], str]


def test_this_machine_only_when_it_is_allowed(server: Server) -> None:
    url = server(lambda connection: connection.sendall(OK))
    with pytest.raises(Unreachable):
        jwks_fetch(url)
    found = jwks_fetch(url, loopback_http=True)
    assert found.body == b'{"keys":[]}'
    assert found.headers["cache-control"] == "max-age=9"


@pytest.mark.parametrize("status", [b"301 Moved", b"302 Found", b"307 Again", b"404 Not Found", b"500 Oops"])
def test_no_redirect_and_no_error(server: Server, status: bytes) -> None:
    answer = b"HTTP/1.1 " + status + b"\r\nLocation: http://169.254.169.254/\r\nContent-Length: 0\r\n\r\n"
    with pytest.raises(Unreachable):
        jwks_fetch(server(lambda connection: connection.sendall(answer)), loopback_http=True)


def test_too_much(server: Server) -> None:
    def flood(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        while True:
            connection.sendall(b" " * 65536)

    with pytest.raises(Unreachable):
        jwks_fetch(server(flood), loopback_http=True)


@pytest.mark.parametrize(
    "start", [b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n", b"HTTP/1.1 200 OK\r\nX-Drip: "]
)
def test_too_slow_over_all(server: Server, start: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LONGEST", 0.6)

    def drip(connection: socket.socket) -> None:
        connection.sendall(start)
        while True:
            connection.sendall(b"x")
            time.sleep(0.05)

    with pytest.raises(Unreachable):
        jwks_fetch(server(drip), loopback_http=True)


def test_a_name_with_one_private_address_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    found = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (ip, 443)) for ip in ("8.8.8.8", "10.0.0.1")]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *args, **kwargs: found)
    with pytest.raises(Unreachable, match="open Internet"):
        jwks_fetch("https://rebind.example/")


def test_the_connection_goes_to_the_address_that_was_checked(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """A name that resolves to something else the second time (DNS rebinding) is not asked a second time."""
    url = server(lambda connection: connection.sendall(OK))
    real, asked = socket.getaddrinfo, []

    def resolve(host: str, *args: object, **kwargs: object) -> object:
        asked.append(host)
        return real("127.0.0.1", *args, **kwargs)  # type: ignore[arg-type]

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    assert jwks_fetch(url.replace("127.0.0.1", "localhost"), loopback_http=True).body
    assert asked.count("localhost") == 1
