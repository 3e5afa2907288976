from fhir_server.pages.hl7.tests.conftest import Rig
from hl7_bridge.ports import State


def test_queue_last_error_and_another_try(rig: Rig) -> None:
    one, two, three = rig.queue("1"), rig.queue("2"), rig.queue("3")
    rig.process.journal.settle(one, State.DEAD, "AR: unknown patient")
    rig.process.journal.postpone(two, "Nobody listens.", 60)
    page = rig.browser.get("/hl7/receivers")
    assert "127.0.0.1:2599" in page.words and "MedicationRequest as RDE^O11" in page.words
    assert "Last error Nobody listens." in page.words and "Dead 1" in page.words
    page.submit("/hl7/receivers/resend")
    assert "1 of 1 wait to be sent to pharmacy again." in page.words
    assert [rig.state(id) for id in (one, two, three)] == ["received"] * 3
    assert rig.audited() == [("open", f"hl7/{one}", "replay")]
