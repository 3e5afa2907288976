"""The patient's pages behind a log-in: booked, prepared and read by a patient and who cares for one; nobody else."""

import re

import pytest

from deploy.demo.questionnaire import URL, questionnaire
from fhir_server.pages.tests.browser import BASE, Browser
from fhir_server.pages.visits.tests.conftest import Rig, folder, rigged, secured
from smart_auth.endpoints import pages_desk
from smart_auth.endpoints.tests.surroundings import CHEAP, PASSWORD
from smart_auth.model import Person

__all__ = ["folder", "rigged", "secured"]

ALL_WEEK = [{"allDay": True}]
OURS = {"Sec-Fetch-Site": "same-origin", "Origin": "null"}
LABEL = {"security": [{"system": "http://terminology.hl7.org/CodeSystem/v3-Confidentiality", "code": "V"}]}


@pytest.fixture
def rig(monkeypatch: pytest.MonkeyPatch, secured: Rig) -> Rig:
    monkeypatch.setattr(pages_desk, "Passwords", lambda: CHEAP)
    house = secured.house
    house.put("Patient", "bob", name=[{"given": ["Bob"], "family": "Hartwell"}])
    house.put("RelatedPerson", "mum", patient={"reference": "Patient/ada"}, name=[{"family": "Okafor"}])
    house.put("PractitionerRole", "bens", practitioner={"reference": "Practitioner/ben"}, availableTime=ALL_WEEK)
    body = questionnaire()
    house.put("Questionnaire", body["id"], **{k: v for k, v in body.items() if k not in ("resourceType", "id")})
    asks = [{"url": "urn:x-hearth:questionnaire", "valueCanonical": URL}]
    house.put("Schedule", "bens", actor=[{"reference": "PractitionerRole/bens"}], extension=asks)
    for login, who, patient in (("ada", "Patient/ada", "ada"), ("bob", "Patient/bob", "bob"),
                                ("mum", "RelatedPerson/mum", "ada")):  # fmt: skip
        given = {"id": login, "login": login, "name": login.title(), "fhir_user": who, "patient": patient}
        person = Person(**given, password_argon2=CHEAP.hash(PASSWORD))
        secured.process.authorization.service.records.put_person(person)
    return secured


def log_in(rig: Rig, login: str) -> Browser:
    return rig.browser.get("/my/").submit("/auth/login", login=login, password=PASSWORD)


def booked(browser: Browser) -> str:
    """The page on which to prepare for what is booked now."""
    browser.get("/my/book?schedule=bens")
    start = re.findall(r'name="start" value="([^"]+)"', browser.text)[-1]
    browser.submit("/my/book", start=start)
    found = re.findall(r'href="(/my/appointments/[^"]+/prepare)"', browser.text)
    assert len(found) == 1, browser.words
    return found[0]


def test_who_fills_it_in_is_who_it_is_from(rig: Rig) -> None:
    browser, who = log_in(rig, "mum"), "RelatedPerson/mum"
    place = booked(browser)
    browser.get(place).submit(place, go="send", **{"a0.0:why": "Cough", "a0:takes": "false"})
    assert "with the clinic" in browser.words
    [made] = rig.house.all("QuestionnaireResponse")
    assert (made["status"], made["source"], made["author"]) == ("completed", {"reference": who}, {"reference": who})
    assert made["subject"] == {"reference": "Patient/ada"}


def test_another_patient_learns_nothing(rig: Rig) -> None:
    ada = log_in(rig, "ada")
    place = booked(ada)
    [task] = rig.house.all("Task")
    attachment = {"attachment": {"contentType": "text/plain", "data": "eA=="}}
    rig.house.put("DocumentReference", "d", status="current", subject={"reference": "Patient/ada"},
                  content=[attachment], meta=LABEL)  # fmt: skip
    assert ada.get("/my/documents/DocumentReference/d/0").answer.data == b"x"
    bob = log_in(rig, "bob")
    for path in (place, f"{place}?task={task['id']}", "/my/documents/DocumentReference/d/0"):
        assert bob.get(path).answer.status_code == 404, path
    csrf = bob.get("/my/messages").hidden("/my/messages")["csrf"]
    form = {"csrf": csrf, "go": "send", "task": task["id"], "versions": "1-0", "a0.0:why": "x", "a0:takes": "false"}
    assert bob.post(place, form, **OURS).answer.status_code == 404
    assert bob.client.post(place, base_url=BASE, data=form | {"csrf": "forged"}, headers=OURS).status_code == 403
    assert rig.house.all("QuestionnaireResponse") == [] and rig.house.all("Task")[0]["status"] == "requested"


def test_the_session_of_the_pages_is_no_token_for_the_record(rig: Rig) -> None:
    """The page writes Tasks for patients; they themselves cannot."""
    browser = log_in(rig, "ada")
    booked(browser)
    [task] = rig.house.all("Task")
    answer = browser.client.put(f"/fhir/Task/{task['id']}", base_url=BASE, json=task)
    assert answer.status_code == 401
