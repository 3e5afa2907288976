import pytest

from hl7_bridge.journal import Query
from hl7_bridge.journal.marks import MARKS
from hl7_bridge.journal.reading import Standing
from hl7_bridge.journal.receiving import Linked
from hl7_bridge.ports import APPLIED, State
from resources.errors import Conflict


def found(journal, **asked):
    return [entry.control_id for entry in journal.search(Query(**asked))]


def test_search_by_everything(journal, message):
    journal.receive(
        [
            message("1", patient="P1", placer="O1", received=1000),
            message("2", patient="P2", filler="O1", received=2000, sender="ward"),
            message("3", patient="P1", received=3000, state=State.REJECTED, reason="no"),
            message("4", direction="out", received=4000, sender="pharmacy"),
        ]
    )
    assert found(journal) == ["4", "3", "2", "1"]
    assert found(journal, patient="P1") == ["3", "1"]
    assert found(journal, order="O1") == ["2", "1"]
    assert found(journal, sender="ward") == ["2"]
    assert found(journal, state="rejected") == ["3"]
    assert found(journal, direction="out") == ["4"]
    assert found(journal, since=2000, until=4000) == ["3", "2"]
    assert found(journal, control_id="2") == ["2"]
    assert found(journal, type="ORU", event="R01", direction="in", patient="P2") == ["2"]
    assert found(journal, type="ADT") == []


def test_pages_by_keyset_forward_and_back(journal, message):
    receipts = [r.id for r in journal.receive([message(str(n)) for n in range(7)])]
    first = journal.search(Query(), 3)
    second = journal.search(Query(), 3, before=first[-1].id)
    assert [e.id for e in first + second] == receipts[:0:-1]
    assert [e.id for e in journal.search(Query(), 3, after=receipts[1])] == receipts[2:5]


def test_standings_and_the_last_of_each_sender(journal, message):
    _, _, c = journal.receive(
        [message("1", received=1000), message("2", received=2000), message("3", received=3000, sender="ward")]
    )
    journal.settle(c.id, State.HELD, "")
    assert set(journal.standings()) == {
        Standing("in", "lab", State.RECEIVED, 2, 1000),
        Standing("in", "ward", State.HELD, 1, 3000),
    }
    assert journal.last_received(["lab", "ward", "silent"]) == {"lab": 2000, "ward": 3000}


def test_replay_is_a_message_of_its_own_linked_to_the_first(journal, message, rows):
    [first] = journal.receive([message()])
    with pytest.raises(Conflict):
        journal.replay(first.id, message())
    rows(MARKS[APPLIED], id=first.id, at=1, reason="", ack=b"")
    again = journal.replay(first.id, message())
    edited = journal.replay(first.id, message(text="NTE|better"))
    assert (journal.read(again.id).replay_of, journal.read(again.id).edited) == (first.id, False)
    assert (journal.read(edited.id).replay_of, journal.read(edited.id).edited) == (first.id, True)
    assert [work.id for work in journal.claim(9, 30)] == [again.id]
    assert journal.receive([message()])[0].id == first.id
    with pytest.raises(Conflict):
        journal.replay(10**9, message())


def test_purge_takes_what_is_done_and_old_and_nothing_a_person_must_decide(journal, message, rows, clock):
    old = [r.id for r in journal.receive([message(str(n), received=1000) for n in range(4)])]
    [new] = journal.receive([message("9", received=clock() + 1)])
    rows(MARKS[APPLIED], id=old[0], at=1001, reason="", ack=b"")
    rows(MARKS[APPLIED], id=new.id, at=1001, reason="", ack=b"")
    journal.settle(old[1], State.HELD, "")
    journal.settle(old[2], State.DEAD, "")
    assert journal.purge(clock()) == 1
    assert {entry.id for entry in journal.search(Query())} == {*old[1:], new.id}
    assert rows("SELECT count(*) FROM hl7_body")[0][0] == rows("SELECT count(*) FROM hl7_message")[0][0] == 4
    assert journal.raw(old[0]) == b""


def test_an_unknown_message_is_none(journal):
    assert journal.read(5) is None
    assert journal.outcomes([5]) == {}
    assert Linked(1, True).edited
