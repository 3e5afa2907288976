import pytest

from hl7_bridge.applier import Applier, Retries
from hl7_bridge.door import Caps, arrive, incoming
from hl7_bridge.ports import APPLIED, State
from hl7_bridge.record import Record
from hl7_bridge.tests.conftest import KEY, SITE, mapped
from resources.repository import Mark

LAB = SITE.senders[0]


def applier(house, **more):
    record = Record(house.journal.stamps, KEY, lambda: 1_700_000_000_000)
    given = {
        "site": SITE,
        "journal": house.journal,
        "sender_of": {"lab": LAB}.get,
        "repository_of": lambda sender: house.repository,
        "keeper": lambda: house.repository,
        "mapper": mapped,
        "record": record,
        "retries": Retries(pauses=(0.0,), tries=3, faults=2, claims=4),
    }
    return Applier(**given | more)


def received(house, value="5", id="1", sender=LAB, patient=1):
    raw = f"MSH|^~\\&|LAB|A|||2026||ORU^R01|{id}|P|2.5.1\rPID|||{patient}\rOBX|1|NM|c||{value}\r".encode()
    [receipt] = house.journal.receive([incoming(arrive(raw, lambda *_: sender, Caps()), 1)])
    return receipt.id


def claimed(house):
    [work] = house.journal.claim(1, 60)
    return work


def test_a_message_is_applied_with_its_mark_in_one_commit(house):
    id = received(house)
    outcome = applier(house).apply(claimed(house))
    assert (outcome.state, b"MSA|AA|1" in outcome.ack) == (State.APPLIED, True)
    assert house.journal.outcomes([id])[id] == outcome
    assert house.count("Observation") == 1


def test_a_second_commit_of_the_same_message_changes_nothing(house):
    """Two workers have the same message, because a lease ended too early."""
    id = received(house)
    work = claimed(house)

    def late(message, sender):
        store = house.repository._services.store
        store.session().mark([Mark(APPLIED, {"id": id, "at": 5, "reason": "by another node", "ack": b"first"})])
        return mapped(message, sender)

    outcome = applier(house, mapper=late).apply(work)
    assert (outcome.state, outcome.ack, outcome.reason) == (State.APPLIED, b"first", "by another node")
    assert house.count("Observation") == 0


@pytest.mark.parametrize(("value", "tries"), [("failed", 3), ("fault", 2), ("invalid", 1)])
def test_tries_and_the_dead_letter(house, value, tries):
    id = received(house, value)
    for _ in range(tries - 1):
        assert applier(house).apply(claimed(house)) is None
    outcome = applier(house).apply(claimed(house))
    assert (outcome.state, b"MSA|AE|1" in outcome.ack) == (State.DEAD, True)
    assert house.journal.read(id).failures == tries - 1
    assert "secret" not in outcome.reason


def test_a_message_that_never_comes_to_an_end_is_dead(house):
    received(house)
    worker = applier(house)
    for _ in range(4):
        house.journal.release_dead()
        work = claimed(house)
        house.journal.postpone(work.id, "the process died", 0)
    assert worker.apply(claimed(house)).state is State.DEAD


@pytest.mark.parametrize(("value", "state", "code"), [("held", State.HELD, b"AE"), ("unmapped", State.HELD, b"AA")])
def test_what_a_person_must_decide(house, value, state, code):
    received(house, value)
    outcome = applier(house).apply(claimed(house))
    assert (outcome.state, b"MSA|" + code in outcome.ack) == (state, True)


def test_a_sender_that_is_gone(house):
    received(house)
    outcome = applier(house, sender_of=lambda name: None).apply(claimed(house))
    assert (outcome.state, outcome.reason) == (State.HELD, "Its sender is no longer configured.")
    assert house.journal.claim(1, 60) == []


def test_messages_that_have_nothing_in_common_go_into_one_commit(house, monkeypatch):
    ids = [received(house, str(n), id=str(n), patient=n) for n in range(1, 4)]
    commits, commit = [], type(house.repository).commit
    monkeypatch.setattr(
        type(house.repository), "commit", lambda self, *a, **k: commits.append(a) or commit(self, *a, **k)
    )
    outcomes = applier(house).apply_all(house.journal.claim(3, 60))
    assert [outcome.state for outcome in outcomes] == [State.APPLIED] * 3
    assert house.journal.outcomes(ids) == dict(zip(ids, outcomes, strict=True))
    assert len(commits) == 1 and house.count("Observation") == 3


@pytest.mark.parametrize(("value", "state"), [("invalid", State.DEAD), ("fault", None), ("failed", None)])
def test_one_that_fails_stops_none_of_those_beside_it(house, value, state):
    for n, each in enumerate(("1", value, "3"), 1):
        received(house, each, id=str(n), patient=n)
    outcomes = applier(house).apply_all(house.journal.claim(3, 60))
    assert [outcome and outcome.state for outcome in outcomes] == [State.APPLIED, state, State.APPLIED]
    assert house.count("Observation") == 2


def test_one_that_another_worker_applied_meanwhile_is_not_applied_with_the_rest(house):
    ids = [received(house, str(n), id=str(n), patient=n) for n in range(1, 4)]
    works = house.journal.claim(3, 60)
    store = house.repository._services.store
    store.session().mark([Mark(APPLIED, {"id": ids[1], "at": 5, "reason": "by another node", "ack": b"first"})])
    outcomes = applier(house).apply_all(works)
    assert [outcome.reason for outcome in outcomes] == ["", "by another node", ""]
    assert house.count("Observation") == 2
