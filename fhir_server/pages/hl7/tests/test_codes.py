from fhir_server.pages.hl7.codes import _told
from fhir_server.pages.hl7.tests.conftest import Rig
from hl7_bridge.worklist import Again

INTERPRETATION = "http://terminology.hl7.org/CodeSystem/v3-ObservationInterpretation"


def test_an_unmapped_code_is_answered_and_its_messages_come_again(rig: Rig) -> None:
    rig.take("1", flag="ZZ")
    rig.work()
    page = rig.browser.get("/hl7/codes")
    assert "ZZ" in page.words and "1 time" in page.words
    answer = {"code": "ZZ", "system": INTERPRETATION, "target": "HH", "display": "Critical high"}
    page.submit("/hl7/codes", **answer)
    assert "The answer for ZZ is kept. 1 message is read again." in page.words
    assert rig.search("ConceptMap") == 1
    assert ("open", "hl7/1", "replay") in rig.audited()
    assert "Means HH Critical high" in page.get("/hl7/codes?answered=1").words
    assert "Every code that came is known." in page.get("/hl7/codes").words


def test_an_answer_without_a_code_or_system_comes_back_as_it_was_typed(rig: Rig) -> None:
    rig.take("1", flag="ZZ")
    rig.work()
    page = rig.browser.get("/hl7/codes")
    for fields, fault in (
        ({"system": "loinc", "target": "1"}, "The code system is a URI"),
        ({"system": "http://loinc.org", "target": ""}, "Say which code ZZ means."),
    ):
        page.get("/hl7/codes").submit("/hl7/codes", code="ZZ", display="d", **fields)
        assert page.answer.status_code == 400 and fault in page.words and fields["system"] in page.text
    assert rig.search("ConceptMap") == 0


def test_a_code_that_nobody_sent_is_no_answer(rig: Rig) -> None:
    rig.take("1", flag="ZZ")
    rig.work()
    page = rig.browser.get("/hl7/codes").submit("/hl7/codes", code="YY", system="urn:oid:1.2", target="1")
    assert page.answer.status_code == 400 and "has no unmapped code" in page.words


def test_the_page_says_how_many_follow() -> None:
    assert _told(Again(50, 1200)) == "50 messages are read again. 1,200 more follow."
