import re

from fhir_server.pages.hl7 import journal
from fhir_server.pages.hl7.tests.conftest import Rig


def shown(rig: Rig) -> list[int]:
    return [int(id) for id in re.findall(r'<th scope="row"><a href="/hl7/messages/(\d+)"', rig.browser.text)]


def search(rig: Rig, **asked: str) -> list[int]:
    rig.browser.get("/hl7/messages").submit("/hl7/messages", **asked)
    return shown(rig)


def test_found_by_every_filter(rig: Rig) -> None:
    one, two = rig.take("A1", patient="5"), rig.take("A2", patient="6", ago=7200)
    out = rig.queue("A3")
    assert search(rig) == [out, two, one]
    assert search(rig, patient="6") == [two]
    assert search(rig, order="PA1") == [one] and search(rig, order="FA1") == [one]
    assert search(rig, control_id="A2") == [two]
    assert search(rig, direction="out") == [out] and search(rig, sender="lab") == [two, one]
    assert search(rig, type="RDE", event="O11") == [out]
    assert search(rig, state="applied") == []
    assert search(rig, until="2020-01-01T00:00") == [] and len(search(rig, since="2020-01-01T00:00")) == 3


def test_a_link_holds_no_number_of_a_patient_or_an_order(rig: Rig) -> None:
    rig.take("1", patient="5")
    rig.browser.get("/hl7/messages?state=received&patient=6&order=x")
    assert len(shown(rig)) == 1  # the two are not taken from an address
    search(rig, patient="5")
    assert 'value="5"' in rig.browser.text
    assert not re.search(r'(href|action)="[^"]*patient=', rig.browser.text)


def test_a_time_that_is_none_is_said(rig: Rig) -> None:
    page = rig.browser.get("/hl7/messages").submit("/hl7/messages", since="yesterday")
    assert page.answer.status_code == 400 and "is no time" in page.words


def test_pages_by_keyset(rig: Rig, monkeypatch) -> None:  # type: ignore[no-untyped-def]
    monkeypatch.setattr(journal, "PAGE", 2)
    ids = [rig.take(str(n)) for n in range(5)]
    rig.browser.get("/hl7/messages?sender=lab")
    seen = shown(rig)
    while "Older" in rig.browser.text:
        rig.browser.submit("/hl7/messages", which=1)
        seen += shown(rig)
    assert seen == ids[::-1]


def test_dead_letters_are_read_again_ticked_or_all(rig: Rig) -> None:
    held = [rig.take(str(n), patient="") for n in range(3)]
    rig.work()
    assert {rig.state(id) for id in held} == {"held"}
    rig.browser.get("/hl7/messages?state=held").submit("/hl7/messages/replay", ids=[held[0]])
    assert "1 of 1 wait to be read again." in rig.browser.words
    assert [rig.state(id) for id in held] == ["received", "held", "held"]
    rig.browser.submit("/hl7/messages/replay", all="1")
    assert "Replay all of these?" in rig.browser.words and rig.state(held[1]) == "held"
    rig.browser.submit("/hl7/messages/replay")
    assert "2 of 2 wait to be read again." in rig.browser.words
    assert {rig.state(id) for id in held} == {"received"}
    assert rig.audited() == [("open", f"hl7/{id}", "replay") for id in held]


def test_nothing_ticked_is_said(rig: Rig) -> None:
    rig.take()
    for ids in (["x"], ["9" * 5000], ["9" * 18]):
        page = rig.browser.get("/hl7/messages").submit("/hl7/messages/replay", ids=ids)
        assert "Tick the messages to replay." in page.words
    assert rig.browser.submit("/hl7/messages", before="9" * 5000).answer.status_code == 200
