import pytest

from fhir_server.pages.door import Visitor
from fhir_server.pages.hl7.tests.conftest import Rig
from resources.errors import Unavailable
from resources.repository import WHOLE_RECORD, Caller

ME = Visitor(Caller("me", grants=WHOLE_RECORD), "")


def test_what_the_audit_trail_does_not_take_is_not_done(rig: Rig) -> None:
    id = rig.take(patient="")
    rig.work()
    entry = rig.process.journal.read(id)
    assert entry

    def full(records: object) -> None:
        raise Unavailable("The trail is full.")

    console = rig.process.console
    object.__setattr__(console, "note", full)
    with pytest.raises(Unavailable):
        console.again(ME, [entry])
    assert rig.state(id) == "held"
    page = rig.browser.get(f"/hl7/messages/{id}")
    assert page.answer.status_code == 503 and "Okafor" not in page.text and page.answer.headers["Retry-After"] == "5"


def test_what_waits_or_has_no_sender_is_not_read_again(rig: Rig) -> None:
    waiting, held = rig.take("1"), rig.take("2", patient="")
    entries = [rig.process.journal.read(id) for id in (waiting,)]
    assert rig.process.console.again(ME, [entry for entry in entries if entry]) == 0
    rig.work()
    (rig.process.settings.hl7_site / "senders" / "lab.toml").unlink()
    entry = rig.process.journal.read(held)
    assert entry and rig.process.console.again(ME, [entry]) == 0
