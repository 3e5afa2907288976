"""One-time links: looked at often, used once, and the second factor is still asked for."""

from collections.abc import Callable

import msgspec

from smart_auth.endpoints.tests.surroundings import Browser, Clock
from smart_auth.model import Person
from smart_auth.people.links import LIFETIMES, Links, Purpose
from smart_auth.records import SqlRecords

NEW = "seven quiet lanterns"


def test_an_invitation_is_opened_once(
    browser: Browser, other_browser: Browser, make_person: Callable[..., Person], records: SqlRecords, clock: Clock
) -> None:
    make_person("grace", fhir_user="Practitioner/1", password_argon2="")
    path = "/auth/link/" + Links(records, clock).issue("id-grace", Purpose.INVITATION)
    assert other_browser.get(path).title == browser.get(path).title == "Welcome to Hearth"
    assert browser.submit(path, password="short", again="short").status == 400
    assert browser.submit(path, password=NEW, again=NEW + "x").status == 400
    browser.submit(path, password=NEW, again=NEW)
    assert browser.title == "Who has access to my data"
    assert other_browser.submit(path, password=NEW, again=NEW).status == 410
    assert other_browser.get(path).status == 410
    assert other_browser.log_in("grace", NEW).title == "Who has access to my data"


def test_the_first_administrator(
    browser: Browser, make_person: Callable[..., Person], records: SqlRecords, clock: Clock
) -> None:
    make_person("admin", administrator=True, password_argon2="")
    path = "/auth/link/" + Links(records, clock).issue("id-admin", Purpose.ADMINISTRATOR)
    browser.get(path).submit(path, password=NEW, again=NEW)
    assert browser.title == "People"


def test_a_reset_logs_off_and_does_not_skip_the_second_factor(
    browser: Browser, other_browser: Browser, patient: Person, records: SqlRecords, clock: Clock
) -> None:
    other_browser.log_in("ada")
    records.put_person(msgspec.structs.replace(patient, totp=b"totp|x"))
    path = "/auth/link/" + Links(records, clock).issue(patient.id, Purpose.RESET)
    browser.get(path).submit(path, password=NEW, again=NEW)
    assert browser.title == "Log in" and "Your password is saved" in browser.text
    assert other_browser.get("/auth/access").title == "Log in"
    assert browser.log_in("ada", NEW).title == "Second step"


def test_old_unknown_and_of_a_disabled_person(
    browser: Browser, patient: Person, records: SqlRecords, clock: Clock
) -> None:
    path = "/auth/link/" + Links(records, clock).issue(patient.id, Purpose.RESET)
    records.put_person(msgspec.structs.replace(patient, disabled=True))
    assert browser.get(path).status == 410
    records.put_person(patient)
    assert browser.get(path).status == 200
    clock.at += LIFETIMES[Purpose.RESET] + 1
    assert browser.get(path).status == browser.get("/auth/link/nonsense").status == 410
