"""Who comes to the biller's pages by their log-in, and what they may do there."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from fhir_server.billing.tests.conftest import House
from fhir_server.pages.billing.staff import STAFF
from fhir_server.pages.billing.tests.conftest import running
from fhir_server.pages.tests.browser import Browser
from fhir_server.wiring import Process, compose
from resources.repository import WHOLE_RECORD, Caller
from smart_auth.endpoints import pages_desk
from smart_auth.endpoints.tests.surroundings import CHEAP, PASSWORD
from smart_auth.model import Person


@pytest.fixture
def process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Process]:
    monkeypatch.setattr(pages_desk, "Passwords", lambda: CHEAP)
    with running(tmp_path) as made:
        yield made


def log_in(process: Process, login: str, **fields: Any) -> Browser:
    given = {"id": f"id-{login}", "login": login, "name": login.title(), "password_argon2": CHEAP.hash(PASSWORD)}
    process.authorization.service.records.put_person(Person(**given, **fields))
    browser = Browser(compose(process)).get("/billing/")
    assert browser.answer.request.path == "/auth/login"
    return browser.submit("/auth/login", login=login, password=PASSWORD)


def test_a_practitioner_checks_under_their_name(process: Process) -> None:
    house = House(process, Caller("root", grants=WHOLE_RECORD))
    house.covered()
    visit = house.visit()
    browser = log_in(process, "ben", fhir_user=house.doctor).get(f"/billing/{visit}")
    assert "Billing" in browser.text and "Logged in as Ben." in browser.words
    browser.submit(f"/billing/{visit}/charge").submit(f"/billing/{visit}", code="long", do="check", despite="1")
    assert "The claim is checked" in browser.words
    found = house.client.send("GET", f"Provenance?agent={house.doctor}&_sort=recorded").json["entry"]
    assert [entry["resource"]["activity"]["text"][:7] for entry in found] == ["Draft b", "Checked"]


def test_patients_are_refused(process: Process) -> None:
    id = House(process, Caller("root", grants=WHOLE_RECORD)).patient.split("/")[1]
    browser = log_in(process, "ada", fhir_user=f"Patient/{id}", patient=id)
    assert browser.answer.status_code == 403 and "staff of the clinic" in browser.words
    assert "/billing/" not in browser.get("/auth/access").text


def test_no_more_than_billing_needs() -> None:
    grants = STAFF.grants(Person(id="1", login="ben", name="Ben", fhir_user="Practitioner/1"))
    assert grants.of("Claim", "u") and not grants.of("Claim", "d")
    for type in ("Observation", "DocumentReference", "DiagnosticReport", "Communication", "MedicationRequest"):
        assert not grants.of(type, "r")
