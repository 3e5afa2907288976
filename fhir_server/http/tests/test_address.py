"""Who asks, behind proxies and beside them."""

import pytest

from fhir_server.http.address import among, behind_proxies, plain

PROXIES = frozenset({"127.0.0.1", "10.0.0.1"})


@pytest.mark.parametrize(
    ("peer", "forwarded", "found"),
    [
        ("192.0.2.1", "", "192.0.2.1"),
        ("192.0.2.1", "198.51.100.7", "192.0.2.1"),  # no proxy of ours: anybody's word
        ("127.0.0.1", "198.51.100.7", "198.51.100.7"),
        ("127.0.0.1", "1.2.3.4, 198.51.100.7", "198.51.100.7"),
        ("127.0.0.1", "1.2.3.4, 198.51.100.7, 10.0.0.1", "198.51.100.7"),
        ("127.0.0.1", "2001:db8::1", "2001:db8::1"),
        ("127.0.0.1", "unknown", "127.0.0.1"),
        ("127.0.0.1", "<script>, 10.0.0.1", "10.0.0.1"),
        ("127.0.0.1", " ,, ", "127.0.0.1"),
        ("127.0.0.1", "10.0.0.1", "10.0.0.1"),
        ("127.0.0.1", "::ffff:198.51.100.7", "198.51.100.7"),
        ("127.0.0.1", "198.51.100.7, ::ffff:10.0.0.1", "198.51.100.7"),
        ("", "", ""),
    ],
)
def test_whence(peer: str, forwarded: str, found: str) -> None:
    assert behind_proxies(peer, forwarded, PROXIES) == found


@pytest.mark.parametrize(
    ("address", "found"),
    [("::ffff:192.0.2.1", "192.0.2.1"), ("::FFFF:192.0.2.1", "192.0.2.1"), ("192.0.2.1", "192.0.2.1"),
     ("::ffff:0:1", "::ffff:0:1"), ("2001:db8::1", "2001:db8::1"), ("", "")],
)  # fmt: skip
def test_an_ipv4_address_has_one_name(address: str, found: str) -> None:
    assert plain(address) == found


@pytest.mark.parametrize(
    ("address", "is_among"),
    [("10.42.7.1", True), ("10.43.0.1", False), ("fd00::7", True), ("192.0.2.1", True), ("unknown", False)],
)
def test_networks_are_named_as_addresses_are(address: str, is_among: bool) -> None:
    places = ("10.42.0.0/16", "fd00::/8", "192.0.2.1")
    assert among(address, places) is is_among
    asked = behind_proxies(address, "198.51.100.7", places)
    assert (asked == "198.51.100.7") is is_among
