"""Redirect URIs: RFC 6749 section 3.1.2.3, RFC 8252 section 7.3, RFC 9700 section 2.1."""

import pytest

from smart_auth.model import Client, ClientKind
from smart_auth.oauth.redirect_uri import redirectable, registered

CLIENT = Client(
    id="a",
    name="A",
    redirect_uris=(
        "https://app.example/back",
        "http://127.0.0.1/native",
        "http://[::1]:7000/native",
        "http://localhost:3000/back",
        "com.example.app:/back",
    ),
)


@pytest.mark.parametrize(
    "uri",
    [
        *CLIENT.redirect_uris,
        "http://127.0.0.1:51004/native",
        "http://[::1]:7001/native",
        "http://[::1]/native",
    ],
)
def test_registered(uri: str) -> None:
    assert registered(CLIENT, uri)


@pytest.mark.parametrize(
    "uri",
    [
        "",
        "https://app.example/back/",
        "https://app.example/back/../back",
        "https://app.example/back?x=1",
        "https://app.example/back#",
        "https://app.example/back#x",
        "https://app.example/BACK",
        "https://APP.example/back",
        "https://app.example./back",
        "https://app.example:443/back",
        "https://app.example@evil.example/back",
        "https://evil.example/https://app.example/back",
        "https://app.example.evil.example/back",
        "https://app.example\\@evil.example/back",
        " https://app.example/back",
        "https://app.example/back\n",
        "http://app.example/back",
        "//app.example/back",
        "http://127.0.0.1:51004/other",
        "http://127.0.0.1:x@evil.example/native",
        "http://127.0.0.1:51004@evil.example/native",
        "http://127.0.0.1.evil.example/native",
        "http://127.0.0.2/native",
        "https://127.0.0.1/native",
        "http://localhost/native",
        "http://localhost:3001/back",
        "http://localhost@evil.example/back",
        "http://[::1]:7000/native?x",
        "http://127.0.0.1:999999/native",
        "http://127.0.0.1:\u0661/native",
        "javascript:alert(1)",
    ],
)
def test_not_registered(uri: str) -> None:
    assert not registered(CLIENT, uri)


def test_the_port_of_a_confidential_app_is_fixed() -> None:
    client = Client(id="b", name="B", kind=ClientKind.SYMMETRIC, redirect_uris=("http://127.0.0.1/x",))
    assert registered(client, "http://127.0.0.1/x")
    assert not registered(client, "http://127.0.0.1:80/x")


def test_what_runs_script_is_no_redirect_uri() -> None:
    for uri in ("javascript:alert(1)", "data:text/html,x", "relative/back", "JavaScript:alert(1)", "https://a/#b"):
        assert not redirectable(uri)
        assert not registered(Client(id="c", name="C", redirect_uris=(uri,)), uri)
