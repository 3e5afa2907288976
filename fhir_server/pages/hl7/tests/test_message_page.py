import re

from fhir_server.pages.hl7.message_page import rows
from fhir_server.pages.hl7.tests.conftest import ORU, Rig
from hl7_bridge.inspection import Line
from hl7_bridge.journal import Query
from hl7_bridge.mapping.model import Fate, Trace
from hl7_bridge.ports import State


def test_lines_fates_answer_and_what_was_made(rig: Rig) -> None:
    id = rig.take()
    rig.work()
    page = rig.browser.get(f"/hl7/messages/{id}")
    assert page.answer.status_code == 200 and page.answer.headers["Cache-Control"] == "no-store"
    words = page.words
    assert "Applied" in words and "PID-5 Okafor^Ada mapped Patient.name" in words
    assert "MSA|AA|1" in words and " mapped " in words
    link = re.search(r'href="(/hl7/messages/\d+/made/Observation/[^"]+)"', page.text)
    assert link
    page.get(link[1])
    assert page.answer.status_code == 200 and '"value": 13.5' in page.words
    assert rig.audited() == [("open", f"hl7/{id}", "show")]


def test_only_what_the_message_made_is_shown_below_it(rig: Rig) -> None:
    id, other = rig.take("1"), rig.take("2", patient="6")
    rig.work()
    made = re.search(r'made/(Patient/[^"]+)"', rig.browser.get(f"/hl7/messages/{other}").text)
    assert made
    assert rig.browser.get(f"/hl7/messages/{id}/made/{made[1]}").answer.status_code == 404
    assert rig.browser.get(f"/hl7/messages/{other}/made/{made[1]}").answer.status_code == 200


def test_there_is_no_such_message(rig: Rig) -> None:
    for path in ("/hl7/messages/99", f"/hl7/messages/{1 << 70}", "/hl7/messages/99/edit"):
        page = rig.browser.get(path)
        assert page.answer.status_code == 404 and "There is no such message" in page.words
    assert rig.audited() == []


def test_replayed_as_it_came(rig: Rig) -> None:
    id = rig.take()
    rig.work()
    page = rig.browser.get(f"/hl7/messages/{id}").submit(f"/hl7/messages/{id}/replay")
    assert "The message is read again." in page.words and "Replayed as" in page.words
    before = rig.search("Observation", ("_summary", "false"))
    rig.work()
    assert rig.search("Observation", ("_summary", "false")) == before
    assert ("open", f"hl7/{id}", "replay") in rig.audited()


def test_a_held_message_is_edited_and_applied(rig: Rig) -> None:
    id = rig.take(patient="")
    rig.work()
    assert rig.state(id) == "held"
    form = f"/hl7/messages/{id}/edit"
    page = rig.browser.get(form)
    assert "PID|||^^^HOSP||Okafor^Ada" in page.text
    page.submit(form, text=ORU.format(id="1", patient="77", kind="NM", flag="").replace("\r", "\r\n"))
    assert "The message is read again." in page.words
    again = max(entry.id for entry in rig.process.journal.search(Query()))
    rig.work()
    assert rig.state(again) == "applied" and rig.state(id) == "rejected"
    assert rig.search("Patient", ("identifier", "77")) == 1
    assert "Edited from Message" in page.get(f"/hl7/messages/{again}").words
    assert [row[2] for row in rig.audited()] == ["show", "edit-and-replay", "show", "show"]


def test_a_held_message_is_set_aside_and_can_still_be_replayed(rig: Rig) -> None:
    id = rig.take(patient="")
    rig.work()
    page = rig.browser.get(f"/hl7/messages/{id}").submit(f"/hl7/messages/{id}/set-aside")
    assert "The message is set aside" in page.words and "Set aside by a person. PID-3" in page.words
    assert rig.state(id) == "rejected" and ("open", f"hl7/{id}", "set aside") in rig.audited()
    page.submit(f"/hl7/messages/{id}/replay")
    assert rig.state(id) == "received"


def test_an_edited_text_that_is_no_message_comes_back_with_the_reason(rig: Rig) -> None:
    id = rig.take(patient="")
    rig.work()
    form = f"/hl7/messages/{id}/edit"
    page = rig.browser.get(form).submit(form, text="MSH|^~\\&|LAB|A|||20260101||ORU^R01|1|X|2.5.1\nPID|||9")
    assert page.answer.status_code == 400 and "MSH-11" in page.words and "PID|||9" in page.text
    assert len(rig.process.journal.search(Query())) == 1


def test_a_receivers_dead_letter_is_sent_again(rig: Rig) -> None:
    id = rig.queue()
    rig.process.journal.settle(id, State.DEAD, "AR: not here", b"MSA|AR|1\r")
    page = rig.browser.get(f"/hl7/messages/{id}")
    assert "AR: not here" in page.words and "Edit and" not in page.words
    assert page.get(f"/hl7/messages/{id}/edit").answer.status_code == 404
    page.get(f"/hl7/messages/{id}").submit(f"/hl7/messages/{id}/replay")
    assert "The message waits to be sent again." in page.words and rig.state(id) == "received"


def test_markup_in_a_message_is_text(rig: Rig) -> None:
    id = rig.take(flag="<script>alert(1)</script>")
    rig.work()
    page = rig.browser.get(f"/hl7/messages/{id}")
    assert "<script>alert" not in page.text and "&lt;script&gt;alert" in page.text


def test_values_by_repetition_and_component_with_the_messages_own_delimiters() -> None:
    header = Line("MSH", "MSH$*+\\&$LAB", (Trace("MSH-3", Fate.KEPT),))
    traces = (
        Trace("PID-3", Fate.MAPPED, "Patient.identifier"),
        Trace("PID-3[2].4", Fate.KEPT),
        Trace("PID-9", Fate.KEPT),
    )
    found = list(rows([header, Line("PID", "PID$$$1*a+2*b*c*d", traces)]))
    assert found[0].fields[0].value == "LAB"
    assert [field.value for field in found[1].fields] == ["1*a+2*b*c*d", "d", ""]


def test_a_document_in_a_line_is_cut() -> None:
    row = next(rows([Line("OBX", "OBX|" + "x" * 5000, (Trace("OBX-1", Fate.MAPPED),))]))
    assert len(row.text) == 2000 and row.hidden == 3004 and len(row.fields[0].value) == 201
