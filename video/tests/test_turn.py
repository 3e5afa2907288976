import hmac
from base64 import b64decode

import pytest

from video.turn import configuration, credentials, ice_servers, relay


def test_credentials_are_those_that_coturn_works_out():
    username, password = credentials("secret", "abc", 1000, 60)
    assert username == "1060:abc"
    assert b64decode(password) == hmac.digest(b"secret", b"1060:abc", "sha1")


def test_without_servers_there_are_none():
    assert ice_servers((), "secret", "abc", 0) == []
    [server] = ice_servers(("turn:t.example.org",), "secret", "abc", 0)
    assert server["urls"] == ["turn:t.example.org"]
    assert "abc" in server["username"]


@pytest.mark.parametrize(
    ("url", "found"),
    [
        ("turn:t.example.org", ("t.example.org", 3478, False)),
        ("turn:t.example.org:80?transport=tcp", ("t.example.org", 80, False)),
        ("turns:[2001:db8::1]", ("2001:db8::1", 5349, True)),
    ],
)
def test_addresses(url, found):
    assert relay(url) == found


@pytest.mark.parametrize("url", ["stun:t.example.org", "turn:", "t.example.org"])
def test_what_is_no_relay(url):
    with pytest.raises(ValueError, match="turn"):
        relay(url)


def test_the_configuration_relays_to_media_servers_and_nowhere_private():
    urls = ("turn:t.example.org:3478", "turns:t.example.org:443")
    lines = configuration(urls, "secret", ("10.1.2.3",), "t.example.org").splitlines()
    assert {"use-auth-secret", "listening-port=3478", "tls-listening-port=443", "no-cli"} <= set(lines)
    assert "denied-peer-ip=10.0.0.0-10.255.255.255" in lines
    assert "allowed-peer-ip=10.1.2.3" in lines
    assert "allow-loopback-peers" not in lines
    assert "allow-loopback-peers" in configuration(urls, "secret", ("127.0.0.1",), "t").splitlines()
