"""Who asks, behind proxies and beside them."""

import pytest

from smart_auth.endpoints.address import client_address
from smart_auth.endpoints.tests.surroundings import Browser
from smart_auth.model import Person, Told

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
        ("", "", ""),
    ],
)
def test_whence(peer: str, forwarded: str, found: str) -> None:
    assert client_address(peer, forwarded, PROXIES) == found


def test_a_stranger_does_not_lock_out_all_who_come_by_the_same_proxy(
    browser: Browser, patient: Person, told: list[Told]
) -> None:
    browser.get("/auth/login")
    for number in range(52):
        fields = browser.hidden("/auth/login") | {"login": f"x{number}", "password": "x"}
        browser.post("/auth/login", fields, **{"X-Forwarded-For": "198.51.100.7"})
    assert "Please wait" in browser.text and told[-1].address == "198.51.100.7"
    assert browser.log_in("ada").title == "Who has access to my data"
