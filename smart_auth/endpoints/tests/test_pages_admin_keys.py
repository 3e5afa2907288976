"""Signing keys: told, rotated, withdrawn."""

from smart_auth.endpoints.tests.surroundings import Browser
from smart_auth.model import Event, Person, Told
from smart_auth.service import AuthService


def test_rotate(browser: Browser, administrator: Person, service: AuthService, told: list[Told]) -> None:
    before, _ = service.keys.current()
    browser.log_in("root").get("/auth/admin/keys")
    assert before in browser.text
    browser.submit("/auth/admin/keys/rotate")
    after, _ = service.keys.current()
    assert after != before and after in browser.text and service.keys.public(before)
    assert told[-1].event is Event.KEY_ROTATED


def test_withdraw(browser: Browser, administrator: Person, service: AuthService) -> None:
    before, _ = service.keys.current()
    browser.log_in("root").get("/auth/admin/keys").submit("/auth/admin/keys/withdraw", kid=before)
    assert before not in browser.text and service.keys.public(before) is None
    assert browser.submit("/auth/admin/keys/withdraw", kid="unknown").status == 410
