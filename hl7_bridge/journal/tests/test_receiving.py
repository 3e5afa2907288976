from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hl7_bridge.conftest import KEY
from hl7_bridge.journal import Query, Sealing, SqlJournal
from hl7_bridge.ports import State


def test_many_are_kept_in_their_order(journal, message):
    receipts = journal.receive([message(str(n), lanes=(f"A|{n}",)) for n in range(30)])
    assert sorted(r.id for r in receipts) == [r.id for r in receipts]
    assert not any(r.duplicate or r.changed for r in receipts)
    found = journal.search(Query(sender="lab"), count=100)
    assert [entry.control_id for entry in found] == [str(n) for n in reversed(range(30))]
    assert journal.raw(receipts[7].id) == message("7").raw


def test_the_same_again_is_a_duplicate_with_the_stored_answer(journal, journals, message):
    [first] = journal.receive([message()])
    assert journals().receive([message(received=5)]) == [type(first)(first.id, duplicate=True)]
    journal.settle(first.id, State.HELD, "why", b"MSA|AE")
    assert journals().receive([message()]) == [type(first)(first.id, duplicate=True, ack=b"MSA|AE")]
    assert len(journal.search(Query())) == 1


def test_the_same_id_with_other_content_is_kept_and_flagged(journal, message):
    a, b, c = journal.receive([message(), message(text="NTE|1"), message()])
    assert (a.changed, b.changed, c.duplicate, c.id) == (False, True, True, a.id)
    [d] = journal.receive([message(text="NTE|2")])
    assert d.changed
    assert {entry.id for entry in journal.search(Query(flag="changed"))} == {b.id, d.id}


def test_senders_are_apart_and_directions_too(journal, message):
    receipts = journal.receive([message(), message(sender="other"), message(direction="out")])
    assert not any(r.duplicate or r.changed for r in receipts[:2])
    assert not receipts[2].duplicate


def test_what_was_refused_is_shown_but_is_nobodys_duplicate(journal, message):
    refused = message(state=State.REJECTED, reason="MSH-11: test messages are not taken", ack=b"AR")
    one, two = journal.receive([refused, refused])
    assert one.id != two.id
    [taken] = journal.receive([message()])
    assert not taken.duplicate
    assert [work.id for work in journal.claim(9, 30)] == [taken.id]
    assert journal.read(one.id).reason.startswith("MSH-11")


def test_two_nodes_that_receive_the_same_keep_one(journals, message):
    nodes, start = [journals() for _ in range(4)], Barrier(4)
    batch = [message(str(n)) for n in range(25)]

    def node(journal):
        start.wait()
        return journal.receive(batch)

    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(node, nodes))
    assert len({r.id for answer in answers for r in answer}) == 25
    assert sum(not r.duplicate for answer in answers for r in answer) == 25


def test_texts_no_database_holds(journal, message):
    [receipt] = journal.receive([message("a\0b\ud800", sender="lab")])
    assert journal.read(receipt.id).control_id == "a\N{REPLACEMENT CHARACTER}b?"


class Xor:
    def seal(self, purpose, secret):
        return bytes(b ^ 0x55 for b in secret)

    open = seal


def test_sealed_bodies_leave_nothing_of_a_patient_in_clear(journals, message, rows):
    sealed = journals(Sealing(KEY, Xor()))
    [receipt] = sealed.receive([message(text="PID-OKAFOR", patient="4711", filler="F-99")])
    assert sealed.raw(receipt.id).endswith(b"OKAFOR")
    stored = repr(rows("SELECT * FROM hl7_message")) + repr([bytes(r[0]) for r in rows("SELECT raw FROM hl7_body")])
    stored += repr(rows("SELECT * FROM hl7_lane"))
    assert not any(word in stored for word in ("OKAFOR", "4711", "F-99", "A|1"))
    [plain] = journals().receive([message("2", patient="4711")])
    assert {e.id for e in sealed.search(Query(patient="4711"))} == {receipt.id, plain.id}
    assert sealed.raw(plain.id) == message("2").raw


def test_a_body_that_does_not_open_blocks_only_its_lane(journals, message, clock):
    sealed, blind = journals(Sealing(KEY, Xor())), journals()
    [first] = sealed.receive([message()])
    [other] = blind.receive([message("2", lanes=("A|2",))])
    blind.receive([message("3")])
    assert [work.id for work in blind.claim(9, 30)] == [other.id]
    assert "keys" in blind.read(first.id).reason
    clock.sleep(61)
    assert [work.id for work in sealed.claim(1, 30)] == [first.id]


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(data=st.data())
def test_any_batches_keep_each_message_once(journal, message, data):
    """Against a dict: one row for each (id, content), flagged when the id was there."""
    if not hasattr(journal, "model"):
        journal.model = {}
    model = journal.model
    batch = data.draw(st.lists(st.tuples(st.sampled_from("abcdef"), st.sampled_from("xyz")), min_size=1, max_size=8))
    receipts = journal.receive([message(id, text) for id, text in batch])
    for key, receipt in zip(batch, receipts, strict=True):
        known = model.get(key)
        assert receipt.duplicate == (known is not None)
        assert not receipt.duplicate or receipt.id == known
        assert receipt.duplicate or receipt.changed == any(key[0] == other[0] for other in model)
        model[key] = receipt.id
    assert len(journal.search(Query(), count=100)) == len(model)


def test_no_messages_is_no_work(journal: SqlJournal):
    assert journal.receive([]) == []


@pytest.mark.parametrize("size", [0, 3_000_000])
def test_sizes(journal, message, size):
    big = message(text="x" * size)
    [receipt] = journal.receive([big])
    [work] = journal.claim(1, 30)
    assert work.raw == big.raw
    assert journal.read(receipt.id).size == len(big.raw)
