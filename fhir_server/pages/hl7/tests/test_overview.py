import pytest

from fhir_server.pages.hl7.overview import alarms
from fhir_server.pages.hl7.tests.conftest import Rig
from hl7_bridge.journal.aside import Aside
from hl7_bridge.journal.strangers import Stranger
from hl7_bridge.watch import Peer


def test_senders_receivers_and_what_waits(rig: Rig) -> None:
    rig.take("1")
    rig.queue()
    page = rig.browser.get("/hl7/")
    assert page.answer.status_code == 200
    assert "lab" in page.text and "pharmacy" in page.text and "never" in page.text
    assert "/hl7/messages?direction=in&amp;sender=lab&amp;state=received" in page.text
    assert "Nothing is held, dead, late or silent." in page.words


def test_a_silent_sender_and_dead_letters_are_alarms(rig: Rig) -> None:
    held = rig.take("1", ago=3600, kind="NM", patient="")
    rig.work()
    assert rig.state(held) == "held"
    words = rig.browser.get("/hl7/").words
    assert "lab has been silent for 1 h" in words and "1 message from lab held for a person." in words


def test_a_site_kit_with_faults_says_so_and_the_rest_goes_on(rig: Rig) -> None:
    (rig.process.settings.hl7_site / "senders" / "lab.toml").write_text("colour = 1\n")
    page = rig.browser.get("/hl7/")
    assert page.answer.status_code == 200 and "'colour' is no key here" in page.words


def test_what_waits_for_long_is_an_alarm() -> None:
    peer = Peer("out", "pharmacy", waiting=2, dead=1, oldest=1_000_000)
    found = list(alarms([peer], 1_000_000 + 3_600_000))
    assert [alarm.level for alarm in found] == ["bad", "warn"]
    assert found[1].text == "The oldest message to pharmacy has waited for 1 h." and found[0].query["state"] == "dead"


def test_who_was_turned_away_is_shown(rig: Rig) -> None:
    assert "Turned away" not in rig.browser.get("/hl7/").words
    rig.process.journal.note_strangers([Stranger("10.0.0.9", "What came is no message.", 12, 1)])
    assert "10.0.0.9 What came is no message. 12" in rig.browser.get("/hl7/").words


def test_what_is_set_aside_is_shown(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "Set aside" not in rig.browser.get("/hl7/").words
    monkeypatch.setattr(rig.process.journal, "aside", lambda: [Aside(3, 120)])
    assert "aside-3 120 not known It was acknowledged and cannot be opened" in rig.browser.get("/hl7/").words
