"""Patients are found and told apart; nothing leaves the inbox but by an act that the record keeps."""

from pathlib import Path

import pytest

from fhir_server.pages.tests.browser import Browser
from fhir_server.pages.visits import results_inbox
from fhir_server.pages.visits.reviews import review
from fhir_server.pages.visits.tests.conftest import Rig, at, concept, rigged
from fhir_server.repository.bound import BoundRepository
from resources.errors import NotFound, OutcomeUnknown
from resources.repository import Caller, Create, Grant, Grants

HL7 = "http://terminology.hl7.org/CodeSystem/v3-ObservationInterpretation"
ADA = {"reference": "Patient/ada"}


@pytest.fixture
def browser(rig: Rig) -> Browser:
    return rig.browser.get("/visits/patients")


def found(browser: Browser, **asked: str) -> str:
    return browser.submit("/visits/patients", **asked).words


def test_by_the_beginnings_of_names_by_date_number_and_contact(rig: Rig, browser: Browser) -> None:
    rig.house.put("Patient", "zoe", name=[{"given": ["Zoë"], "family": "Okafor-Lund"}], birthDate="1999-05-01",
                  identifier=[{"system": "urn:mrn", "value": "A,1|2"}],
                  telecom=[{"system": "email", "value": "zoe@example.org"}])  # fmt: skip
    assert "2 found" in found(browser, name="okaf")
    for asked in ({"name": "zoe okafor"}, {"born": "1999-05"}, {"number": "A,1|2"}, {"contact": "zoe@example.org"}):
        assert "1 found" in found(browser, **asked) and "Zoë Okafor-Lund" in browser.words, asked
    assert "born 1 May 1999" in browser.words and "urn:mrn A,1|2" in browser.words
    assert "Nobody in the record fits" in found(browser, name="okafor", born="1999-06")
    assert browser.answer.request.path == "/visits/patients" and not browser.answer.request.query_string


def test_namesakes_the_dead_and_the_merged_are_marked(rig: Rig, browser: Browser) -> None:
    rig.house.put("Patient", "old", name=[{"given": ["Ada"], "family": "Okafor"}], deceasedBoolean=True, active=False,
                  link=[{"type": "replaced-by", "other": ADA}])  # fmt: skip
    page = found(browser, name="Ada Okafor")
    assert page.count("Same name as another") == 2
    assert page.count("Died") == page.count("Record not active") == page.count("Merged into another") == 1


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ({}, "Enter a name"),
        ({"born": "28.2.1980"}, "A date such as 1980-02-28"),
        ({"born": "1980-02-30"}, "There is no such date"),
        ({"name": "x" * 500 + " ' OR 1=1 --"}, "Nobody in the record"),
    ],
)
def test_what_cannot_be_looked_for_is_told_at_its_field(browser: Browser, asked: dict[str, str], told: str) -> None:
    assert told in found(browser, **asked)


def reported(rig: Rig, id: str, value: float, flag: str = "", **of: object) -> None:
    flags = [concept("", flag, HL7)] if flag else None
    rig.house.put("Observation", id, subject=ADA, status="final", code=concept("Potassium", "2823-3"),
                  effectiveDateTime=at(-30), valueQuantity={"value": value, "unit": "mmol/L"},
                  interpretation=flags)  # fmt: skip
    rig.house.put("DiagnosticReport", id, subject=ADA, code=concept(f"Panel {id}"),
                  result=[{"reference": f"Observation/{id}"}], **({"status": "final"} | of))  # fmt: skip


def test_the_worst_result_comes_first_and_leaves_when_it_is_reviewed(rig: Rig) -> None:
    reported(rig, "usual", 4.1)
    reported(rig, "bad", 7.2, "HH")
    reported(rig, "low", 3.1, "L")
    browser = rig.browser.get("/visits/inbox")
    order = [browser.words.index(f"Panel {id}") for id in ("bad", "low", "usual")]
    assert order == sorted(order) and "Critically high" in browser.words
    browser.submit("/visits/inbox/seen")
    assert "Panel bad" not in browser.words and "It is marked as seen to." in browser.words
    [kept] = rig.house.all("Provenance")
    assert kept["target"] == [{"reference": "DiagnosticReport/bad/_history/1"}]


def test_a_critical_result_is_shown_however_many_wait(rig: Rig) -> None:
    """Also when it is the second of its test in a report, and is said to be so after a code of the laboratory's own."""
    reported(rig, "old", 4.1)
    own = {"coding": [{"system": "urn:lab", "code": "!!"}, {"system": HL7, "code": "HH"}]}
    rig.house.put("Observation", "second", status="final", subject=ADA, code=concept("Potassium", "2823-3"),
                  valueQuantity={"value": 7.9, "unit": "mmol/L"}, interpretation=[own])  # fmt: skip
    both = [{"reference": f"Observation/{id}"} for id in ("old", "second")]
    rig.house.put("DiagnosticReport", "old", status="final", subject=ADA, code=concept("Panel old"), result=both)
    for n in range(results_inbox._SHOWN + 1):
        rig.house.put("DiagnosticReport", f"new-{n}", status="final", subject=ADA, code=concept(f"Panel {n}"))
    words = rig.browser.get("/visits/inbox").words
    assert words.index("Panel old") < words.index("Panel 9") and "Critically high" in words and "7.9" in words


@pytest.mark.parametrize("contained", [False, True])
def test_a_critical_result_of_a_panel_or_inside_the_report_is_one_too(rig: Rig, contained: bool) -> None:
    reported(rig, "inner", 7.2, "HH")
    [inner] = rig.house.all("Observation")
    panel = {"status": "final", "code": concept("Electrolytes"), "subject": ADA}
    rig.house.put(
        "Observation", "panel", **panel, hasMember=[{"reference": f"Observation/{id}"} for id in ("inner", "panel")]
    )
    inside = {name: value for name, value in inner.items() if name != "meta"} | {"id": "i"}
    named = {"contained": [inside], "result": [{"reference": "#i"}]} if contained else {}
    of = {"status": "final", "subject": ADA, "result": [{"reference": "Observation/panel"}]} | named
    rig.house.put("DiagnosticReport", "inner", **of, code=concept("Panel inner"))
    words = rig.browser.get("/visits/inbox").words
    assert "Panel inner Critical" in words and "7.2" in words


def test_a_corrected_result_is_to_be_reviewed_anew(rig: Rig) -> None:
    reported(rig, "one", 4.1)
    browser = rig.browser.get("/visits/inbox")
    form = browser.hidden("/visits/inbox/seen")
    reported(rig, "one", 6.9, "H", status="corrected")
    browser.submit("/visits/inbox/seen")  # of the version that was on the screen
    assert browser.answer.status_code == 409 and "changed meanwhile" in browser.words
    assert "Panel one" in browser.words and "Corrected" in browser.words and form["version"].endswith("/1")
    browser.submit("/visits/inbox/seen")
    assert "Nothing waits" in browser.words


def test_a_result_of_which_nobody_says_how_final_it_is_waits_too(rig: Rig) -> None:
    """As HL7 v2 says it of reports in some states."""
    reported(rig, "one", 4.1, status="unknown")
    assert "Panel one" in rig.browser.get("/visits/inbox").words


def test_a_patient_reviews_nothing(rig: Rig) -> None:
    """Whatever an app of theirs writes into their own compartment, in whoever's name."""
    reported(rig, "bad", 7.2, "HH")
    asked(rig, "one", "May I have coffee?")
    own = Caller("Patient/ada", grants=Grants((Grant("*", "cruds", compartment=("Patient", "ada")),)))
    for version in ("DiagnosticReport/bad/_history/1", "Communication/one/_history/1"):
        said = review(version, "Practitioner/ben", at(0))
        assert said is not None
        forged = {name: value for name, value in said.resource.items() if name != "id"}
        rig.process.repository(own).commit([Create(forged)])
        with pytest.raises(NotFound):
            rig.process.repository(own).commit([said])
    words = rig.browser.get("/visits/inbox").words
    assert len(rig.house.all("Provenance")) == 2 and "Panel bad" in words and "Messages to answer (1)" in words


def test_said_twice_it_is_the_same(rig: Rig) -> None:
    reported(rig, "one", 4.1)
    browser = rig.browser.get("/visits/inbox")
    sent = browser.hidden("/visits/inbox/seen")
    for _ in range(2):
        browser.post("/visits/inbox/seen", sent, **{"Sec-Fetch-Site": "same-origin", "Origin": "null"})
        assert browser.answer.status_code == 200
    assert len(rig.house.all("Provenance")) == 1


def asked(rig: Rig, id: str, text: str, sender: str = "Patient/ada", minutes: int = -30, **of: object) -> None:
    care = [concept("", "care-team", "urn:x-hearth:communication")]
    rig.house.put("Communication", id, category=care, subject=ADA, sender={"reference": sender}, sent=at(minutes),
                  payload=[{"contentString": text}], **({"status": "completed"} | of))  # fmt: skip


def test_a_message_is_answered_or_needs_none(rig: Rig) -> None:
    asked(rig, "one", "May I have <coffee>?", topic={"text": "Food"})
    asked(rig, "two", "Thank you!", minutes=-20)
    browser = rig.browser.get("/visits/inbox")
    assert "Messages to answer (2)" in browser.words and "May I have <coffee>?" in browser.words
    browser.submit("/visits/inbox/answer", text="Water only.")
    assert "Messages to answer (1)" in browser.words and "coffee" not in browser.words
    browser.submit("/visits/inbox/seen")
    assert "Every message is answered." in browser.words
    [answer] = [one for one in rig.house.all("Communication") if "inResponseTo" in one]
    assert answer["inResponseTo"] == [{"reference": "Communication/one"}] and answer["recipient"] == [ADA]
    asked(rig, "three", "And tea?", minutes=600, inResponseTo=[{"reference": "Communication/one"}])
    assert "And tea?" in browser.get("/visits/inbox").words


@pytest.mark.parametrize("status", ["entered-in-error", "preparation", "not-done"])
def test_what_was_taken_back_or_never_sent_is_no_message(rig: Rig, status: str) -> None:
    asked(rig, "one", "May I have coffee?")
    asked(rig, "two", "Of somebody else.", minutes=-10, status=status)
    for page in ("/visits/inbox", "/my/messages?patient=Patient/ada"):
        words = rig.browser.get(page).words
        assert "coffee" in words and "somebody else" not in words


def test_an_answer_hides_no_message_that_its_writer_did_not_see(rig: Rig) -> None:
    asked(rig, "one", "May I have coffee?")
    browser = rig.browser.get("/visits/inbox")
    asked(rig, "two", "My chest hurts.", minutes=-10, inResponseTo=[{"reference": "Communication/one"}])
    browser.submit("/visits/inbox/answer", text="Water only.")
    assert browser.answer.status_code == 409 and "wrote again meanwhile" in browser.words
    assert "My chest hurts." in browser.words and "Water only." in browser.text
    assert len(rig.house.all("Communication")) == 2
    browser.submit("/visits/inbox/answer", text="Come at once.")
    assert "Every message is answered." in browser.words


def test_of_an_answer_that_may_be_stored_nobody_says_that_it_is_not(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    def lost(*given: object) -> None:
        raise OutcomeUnknown("The line went dead.")

    asked(rig, "one", "May I have coffee?")
    browser = rig.browser.get("/visits/inbox")
    with monkeypatch.context() as broken:
        broken.setattr(BoundRepository, "commit", lost)
        browser.submit("/visits/inbox/answer", text="Water only.")
    assert browser.answer.status_code == 503 and "may have been saved or not" in browser.words
    assert "Nothing was saved" not in browser.words and "Water only." in browser.text


def test_an_empty_answer_is_not_sent(rig: Rig) -> None:
    asked(rig, "one", "Hello?")
    browser = rig.browser.get("/visits/inbox").submit("/visits/inbox/answer", text="  ")
    assert browser.answer.status_code == 400 and "Please write a message." in browser.words
    assert "Hello?" in browser.words


@pytest.mark.parametrize("version", ["", "Patient/ada/_history/1", "DiagnosticReport/one", "nonsense"])
def test_nothing_else_is_seen_to(rig: Rig, version: str) -> None:
    reported(rig, "one", 4.1)
    browser = rig.browser.get("/visits/inbox").submit("/visits/inbox/seen", version=version)
    assert browser.answer.status_code == 404 and rig.house.all("Provenance") == []


def test_without_visits_by_video_the_clinic_has_its_pages(folder: Path) -> None:
    for rig in rigged(folder, OPEN=True, VIDEO_PUBLIC_URL=""):
        rig.house.booked("a1")
        day = rig.browser.get("/visits/")
        assert "Appointments" in day.words and "Ada Okafor" in day.words and "/visits/enter" not in day.text
        assert "video service does not answer" not in day.words
        assert rig.browser.get("/visits/chart/Patient/ada").answer.status_code == 200
        assert rig.browser.post("/visits/enter", {"visit": "Appointment/a1"}).answer.status_code in (400, 403)
