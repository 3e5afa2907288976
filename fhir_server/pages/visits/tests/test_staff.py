import json
from typing import Any

import pytest

from fhir_server.pages.tests.browser import BASE, Browser
from fhir_server.pages.visits.tests.conftest import Rig
from smart_auth.endpoints import pages_desk
from smart_auth.endpoints.tests.surroundings import CHEAP, PASSWORD
from smart_auth.model import Clearance, Person

CHART = "/visits/chart/Encounter/visit"
OURS = {"Sec-Fetch-Site": "same-origin", "Origin": "null"}


@pytest.fixture
def rig(monkeypatch: pytest.MonkeyPatch, secured: Rig) -> Rig:
    monkeypatch.setattr(pages_desk, "Passwords", lambda: CHEAP)
    for login, who, more in (
        ("ben", "Practitioner/ben", {}),
        ("eve", "Practitioner/eve", {}),
        ("ada", "Patient/ada", {"patient": "ada"}),
        ("root", "", {"administrator": True}),
    ):
        person(secured, login, fhir_user=who, **more)
    return secured


def person(rig: Rig, login: str, **fields: Any) -> None:
    given = {"id": f"id-{login}", "login": login, "name": login.title(), "password_argon2": CHEAP.hash(PASSWORD)}
    rig.process.authorization.service.records.put_person(Person(**(given | fields)))


def log_in(rig: Rig, login: str) -> Browser:
    browser = rig.browser.get("/visits/")
    assert browser.answer.request.path == "/auth/login"
    return browser.submit("/auth/login", login=login, password=PASSWORD)


def test_practitioners_see_their_own_and_the_clinic(rig: Rig) -> None:
    rig.house.booked("a1")
    rig.house.booked("a2", "PractitionerRole/eves", reasonCode=[{"text": "Rash"}])
    browser = log_in(rig, "eve")
    assert browser.answer.request.path == "/visits/" and "Rash" in browser.words and "Cough" not in browser.words
    assert 'href="/visits/" aria-current="page">Clinic' in browser.text
    everybody = browser.get("/visits/?all=1")
    assert "Cough" in everybody.words and "It does not name you." in everybody.words
    form = {"csrf": everybody.hidden("/visits/enter")["csrf"], "as": "Practitioner/ben"}
    refused = everybody.post("/visits/enter", form | {"visit": "Appointment/a1"}, **OURS)
    assert refused.answer.status_code == 403 and "names you nowhere" in refused.words
    joined = browser.client.post("/visits/enter", base_url=BASE, data=form | {"visit": "Appointment/a2"}, headers=OURS)
    assert joined.status_code == 303 and rig.audited("video-ticket") == [("Practitioner/eve", "hearth visits")]


def test_patients_and_administrators_are_refused(rig: Rig) -> None:
    rig.house.visit()
    for login in ("ada", "root"):
        browser = log_in(rig, login)
        assert browser.answer.status_code == 403 and "Clinic</a>" not in browser.get("/auth/access").text
        for path in ("/visits/", CHART, "/visits/changes", "/visits/session"):
            assert browser.get(path).answer.status_code == 403 and "Okafor" not in browser.text
        assert browser.client.post(f"{CHART}/note", base_url=BASE, headers=OURS).status_code == 403


def test_what_is_labelled_shows_by_clearance_and_the_page_says_so(rig: Rig) -> None:
    rig.house.visit()
    secret = {"security": [{"system": "http://terminology.hl7.org/CodeSystem/v3-Confidentiality", "code": "R"}]}
    rig.house.put("Condition", "c", code={"text": "Secret"}, subject={"reference": "Patient/ada"}, meta=secret)
    service = rig.process.authorization.service
    eve = service.records.person_by_login("eve")
    assert eve
    service.clearances.change(eve, Clearance.VERY_RESTRICTED, "root")
    sees_some, sees_all = log_in(rig, "ben").get(CHART), log_in(rig, "eve").get(CHART)
    assert "Secret" not in sees_some.words and "None recorded that you may see." in sees_some.words
    assert "Secret" in sees_all.words and "that you may see" not in sees_all.words


def test_writes_carry_the_name_of_who_is_logged_in(rig: Rig) -> None:
    rig.house.visit()
    browser = log_in(rig, "eve").get(CHART).submit(f"{CHART}/observations", pain="4")
    assert "The measurements are saved." in browser.words
    [observation] = rig.house.all("Observation")
    assert observation["performer"] == [{"reference": "Practitioner/eve"}]
    [provenance] = rig.house.all("Provenance")
    assert provenance["agent"][0]["who"] == {"reference": "Practitioner/eve"}


def test_log_off_is_told_in_the_frame_and_what_was_typed_comes_back(rig: Rig) -> None:
    rig.house.visit()
    browser = log_in(rig, "ben").get(CHART)
    form = browser.hidden(f"{CHART}/note") | {"text": "Not <b>lost</b>.", "do": "save"}
    assert json.loads(browser.get("/visits/session").text)["who"] == "Practitioner/ben"
    browser.client.delete_cookie("hearth", domain="localhost")
    answer = browser.post(f"{CHART}/note", form, **OURS)
    assert answer.answer.status_code == 401 and "Not &lt;b&gt;lost&lt;/b&gt;.</textarea>" in answer.text
    assert "frame-ancestors http://localhost:1;" in answer.answer.headers["Content-Security-Policy"]
    assert "X-Frame-Options" not in answer.answer.headers and "Okafor" not in answer.text
    foreign = browser.post(f"{CHART}/note", form, **{"Sec-Fetch-Site": "cross-site"})
    assert foreign.answer.status_code == 401 and "lost" not in foreign.text
    assert browser.get("/visits/session").answer.status_code == 401
    assert rig.house.all("DocumentReference") == []


def test_mine_are_the_results_of_my_orders_and_of_patients_in_my_care(rig: Rig) -> None:
    ada, house = {"reference": "Patient/ada"}, rig.house
    house.put("Patient", "cared", name=[{"family": "Cared"}], generalPractitioner=[{"reference": "Practitioner/eve"}])
    for id, requester in (("mine", "PractitionerRole/eves"), ("others", "Practitioner/ben")):
        of = {"subject": ada, "code": {"text": f"Panel {id}"}}
        house.put("ServiceRequest", id, status="active", intent="order", requester={"reference": requester}, **of)
        house.put("DiagnosticReport", id, status="final", basedOn=[{"reference": f"ServiceRequest/{id}"}], **of)
    of_care = {"subject": {"reference": "Patient/cared"}, "code": {"text": "Of care"}}
    house.put("DiagnosticReport", "care", status="final", **of_care)
    browser = log_in(rig, "eve").get("/visits/inbox")
    assert "Panel mine" in browser.words and "Of care" in browser.words and "Panel others" not in browser.words
    assert "HL7 messages" not in browser.words
    browser.submit("/visits/inbox/seen")
    assert "It is marked as seen to." in browser.words
    [kept] = house.all("Provenance")
    assert kept["agent"][0]["who"] == {"reference": "Practitioner/eve"}
    assert "Panel others" in browser.get("/visits/inbox?all=1").words
