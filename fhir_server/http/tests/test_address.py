"""Who asks, behind proxies and beside them."""

import pytest

from fhir_server.http.address import behind_proxies, plain

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
