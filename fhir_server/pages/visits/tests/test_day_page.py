import json
from datetime import datetime, timedelta
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from fhir_server.pages.tests.browser import BASE
from fhir_server.pages.visits.tests.conftest import MARKUP, ZONE, Rig, at
from video.signalling.tickets import open_ticket
from video.visit.encryption import is_encrypted

OURS = {"Sec-Fetch-Site": "same-origin", "Origin": "null"}


def test_a_booked_visit_is_begun_and_joined_without_a_script(rig: Rig) -> None:
    from fhir_server import video

    rig.house.booked("a1")
    page = rig.browser.get("/visits/")
    assert "Ada Okafor born 1980-02-28" in page.words and "Cough Booked" in page.words
    form = page.hidden("/visits/enter")
    answer = page.client.post("/visits/enter", base_url=BASE, data=form, headers=OURS)
    link = urlsplit(answer.headers["Location"])
    assert (answer.status_code, link.netloc, link.path, link.query) == (303, "localhost:1", "/visit", "")
    ticket = open_ticket(video.sealer(rig.process), link.fragment.removeprefix("ticket="), video.now() // 1000)
    assert (ticket.actor, ticket.role, ticket.patient) == ("Practitioner/ben", "practitioner", "Patient/ada")
    [encounter] = rig.house.all("Encounter")
    assert ticket.encounter == f"Encounter/{encounter['id']}" and encounter["class"]["code"] == "VR"
    assert rig.audited("video-ticket") == [("open", "hearth visits")]
    assert ">Join<" in page.get("/visits/").text


def test_what_cannot_be_joined_says_why(rig: Rig) -> None:
    rig.house.booked("a1", status="pending")
    page = rig.browser.get("/visits/")
    assert "To be confirmed first." in page.words
    token = json.loads(rig.browser.get("/visits/session").text)["csrf"]
    for form, text in (
        ({"visit": "Appointment/a1", "as": "Practitioner/ben"}, "The Appointment is pending"),
        ({"visit": "Appointment/none", "as": "Practitioner/ben"}, "There is no Appointment/none"),
        ({"visit": "Appointment/a1", "as": "Patient/ada"}, ""),
    ):
        refused = rig.browser.post("/visits/enter", form | {"csrf": token}, **OURS)
        assert refused.answer.status_code >= 400 and text in refused.words
    assert rig.browser.post("/visits/enter", {"visit": "Appointment/a1"}, **OURS).answer.status_code == 403


def test_the_page_asks_cheaply_and_hears_of_changes(rig: Rig) -> None:
    browser = rig.browser.get("/visits/changes?position=0&sitting=")
    first = json.loads(browser.text)
    assert "No video visit today" in first["html"]
    asked = "/visits/changes?position={position}&sitting={sitting}".format(**first)
    before = len(rig.audited("search-type"))
    assert json.loads(browser.get(asked).text)["html"] is None
    assert len(rig.audited("search-type")) == before
    rig.house.booked("a1")
    news = json.loads(browser.get(asked).text)
    assert "Ada Okafor" in news["html"] and "<html" not in news["html"] and news["position"] > first["position"]


def test_the_picker_chooses_whose_visits(rig: Rig) -> None:
    rig.house.booked("a1")
    rig.house.booked("a2", "PractitionerRole/eves", reasonCode=[{"text": "Rash"}])
    browser = rig.browser
    assert "Cough" in browser.get("/visits/").words and "Rash" in browser.words
    assert "Cough" not in browser.get("/visits/?practitioner=Practitioner/eve").words and "Rash" in browser.words
    assert "with Dr Stein" in browser.words


def test_names_with_markup_are_text(rig: Rig) -> None:
    rig.house.put("Patient", "ada", name=[{"text": MARKUP}])
    rig.house.booked("a1", reasonCode=[{"text": MARKUP}], start=at(1))
    page = rig.browser.get("/visits/")
    assert MARKUP not in page.text and page.words.count(MARKUP) >= 2
    assert MARKUP not in json.loads(page.get("/visits/changes?position=0").text)["html"]


def test_the_days_before_and_after_are_looked_at_and_not_entered(rig: Rig) -> None:
    rig.house.visit("begun")
    for id, minutes, reason in (("a1", 24 * 60, "Tomorrow's cough"), ("a2", -24 * 60, "Yesterday's rash")):
        rig.house.booked(id, minutes=minutes, reasonCode=[{"text": reason}])
    page = rig.browser.get("/visits/")
    assert "Tomorrow's" not in page.words and "Yesterday's" not in page.words and ">Join<" in page.text
    for offset, mine, others in ((1, "Tomorrow's cough", "Yesterday's"), (-1, "Yesterday's rash", "Tomorrow's")):
        day = (datetime.now(ZoneInfo(ZONE)).date() + timedelta(days=offset)).isoformat()
        assert f'href="/visits/?day={day}"' in page.get("/visits/").text
        assert mine in page.get(f"/visits/?day={day}").words and others not in page.words
        assert "It can be entered on its day." in page.words and "/visits/enter" not in page.text
        assert "Ada Okafor" in json.loads(page.get(f"/visits/changes?position=0&day={day}").text)["html"]
    for wrong in ("9999-12-31", "x", "0001-01-01"):
        assert ">Join<" in page.get(f"/visits/?day={wrong}").text


def test_a_visit_is_begun_encrypted_when_that_is_ticked(rig: Rig) -> None:
    rig.house.booked("a1")
    page = rig.browser.get("/visits/")
    form = page.hidden("/visits/enter")
    assert 'name="encrypted"' in page.text
    page.client.post("/visits/enter", base_url=BASE, data=form | {"encrypted": "1"}, headers=OURS)
    [encounter] = rig.house.all("Encounter")
    assert is_encrypted(encounter)
    page.get("/visits/")
    assert ">Join<" in page.text and 'name="encrypted"' not in page.text and "Encrypted end to end" in page.words
