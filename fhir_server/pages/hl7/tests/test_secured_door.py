from typing import Any

import pytest

from fhir_server.pages.hl7.tests.conftest import BASE, Browser, Rig
from smart_auth.endpoints.tests.surroundings import CHEAP, PASSWORD
from smart_auth.model import Clearance, Person


@pytest.fixture(autouse=True)
def cheap(monkeypatch: pytest.MonkeyPatch) -> None:
    from smart_auth.endpoints import pages_desk

    monkeypatch.setattr(pages_desk, "Passwords", lambda: CHEAP)


@pytest.fixture
def rig(cheap: None, secured: Rig) -> Rig:
    return secured


def person(rig: Rig, login: str, **fields: Any) -> None:
    given = {"id": f"id-{login}", "login": login, "name": login.title(), "password_argon2": CHEAP.hash(PASSWORD)}
    rig.process.authorization.service.records.put_person(Person(**(given | fields)))


def log_in(rig: Rig, login: str, path: str = "/hl7/") -> Browser:
    browser = rig.browsers().get(path)
    assert browser.answer.request.path == "/auth/login"
    return browser.submit("/auth/login", login=login, password=PASSWORD)


def test_administrators_come_to_the_console_by_their_log_in(rig: Rig) -> None:
    person(rig, "root", administrator=True)
    browser = log_in(rig, "root", "/hl7/messages")
    assert browser.answer.request.path == "/hl7/" and "Logged in as Root." in browser.words
    assert "HL7 messages" in browser.get("/auth/access").text and "Refresh" in browser.get("/hl7/codes").answer.headers
    assert browser.submit("/auth/logout").get("/hl7/").answer.request.path == "/auth/login"


def test_others_are_refused_and_do_not_see_it_in_the_menu(rig: Rig) -> None:
    person(rig, "grace", fhir_user="Practitioner/1")
    id = rig.take(patient="")
    rig.work()
    browser = log_in(rig, "grace")
    assert browser.answer.status_code == 403 and "/hl7/" not in browser.get("/auth/access").text
    for path in ("/hl7/messages", f"/hl7/messages/{id}", f"/hl7/messages/{id}/edit", "/hl7/codes", "/hl7/receivers"):
        assert browser.get(path).answer.status_code == 403, path
    ours = {"Sec-Fetch-Site": "same-origin", "Origin": "null"}
    answer = browser.client.post(f"/hl7/messages/{id}/replay", base_url=BASE, headers=ours)
    assert answer.status_code == 403 and rig.state(id) == "held" and rig.audited() == []


def test_looks_and_replays_carry_the_persons_name(rig: Rig) -> None:
    person(rig, "root", administrator=True)
    id = rig.take(patient="")
    rig.work()
    browser = log_in(rig, "root").get(f"/hl7/messages/{id}").submit(f"/hl7/messages/{id}/replay")
    assert rig.state(id) == "received" and browser.answer.status_code == 200
    assert rig.audited() == [("root", f"hl7/{id}", what) for what in ("show", "replay", "show")]
    token = {"csrf": browser.hidden("/auth/logout")["csrf"]}
    rig.work()
    foreign = {"Sec-Fetch-Site": "cross-site", "Origin": "https://evil.example"}
    answer = browser.client.post(f"/hl7/messages/{id}/replay", base_url=BASE, data=token, headers=foreign)
    assert answer.status_code == 403 and rig.state(id) == "held"


def test_what_a_message_made_is_seen_as_far_as_the_clearance_goes(rig: Rig) -> None:
    person(rig, "root", administrator=True)
    person(rig, "chief", administrator=True, clearance=Clearance.VERY_RESTRICTED)
    rig.take("1", flag="ZZ")
    rig.work()
    browser = log_in(rig, "root").get("/hl7/messages/1")
    assert "made/Observation/" in browser.text and "made/Patient/" in browser.text
    system = "http://terminology.hl7.org/CodeSystem/v3-ObservationInterpretation"
    browser.get("/hl7/codes").submit("/hl7/codes", code="ZZ", system=system, target="HH")
    assert "1 message is read again" in browser.words and rig.search("ConceptMap") == 1
    assert log_in(rig, "chief").get("/hl7/messages/1").answer.status_code == 200
