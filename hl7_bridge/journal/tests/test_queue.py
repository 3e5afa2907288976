import random
import secrets
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hl7_bridge.journal import Query
from hl7_bridge.journal.marks import MARKS
from hl7_bridge.ports import APPLIED, State


def ids(work):
    return [each.id for each in work]


def test_a_lane_gives_one_at_a_time_and_others_go_on(journal, message):
    a1, a2, b1, both, b2 = journal.receive(
        [
            message("1"),
            message("2"),
            message("3", lanes=("A|2",)),
            message("4", lanes=("A|1", "A|2")),
            message("5", lanes=("A|2",)),
        ]
    )
    assert ids(journal.claim(9, 30)) == [a1.id, b1.id]
    assert journal.claim(9, 30) == []
    journal.settle(b1.id, State.HELD, "")
    assert journal.claim(9, 30) == []
    journal.settle(a1.id, State.REJECTED, "")
    assert ids(journal.claim(9, 30)) == [a2.id]
    journal.settle(a2.id, State.DEAD, "")
    assert ids(journal.claim(9, 30)) == [both.id]
    journal.settle(both.id, State.HELD, "")
    assert ids(journal.claim(9, 30)) == [b2.id]


def test_a_lease_ends_and_another_node_takes_over(journal, journals, message, clock):
    [receipt] = journal.receive([message()])
    assert journal.claim(1, 30)[0].attempt == 1
    other = journals()
    clock.sleep(29)
    assert other.claim(1, 30) == []
    clock.sleep(2)
    [work] = other.claim(1, 30)
    assert (work.id, work.attempt, work.failures) == (receipt.id, 2, 0)


def test_leases_of_dead_processes_of_this_machine_end_at_once(journal, journals, message):
    [receipt] = journal.receive([message()])
    journal.owner = journal.owner.split("/")[0] + "/4194305/gone"
    journal.claim(1, 1000)
    assert journals().release_dead() == 1
    assert ids(journals().claim(1, 30)) == [receipt.id]
    assert journals().release_dead() == 1  # same process number, another life
    living = journals()
    living.claim(1, 1000)
    assert living.release_dead() == 0


def test_what_was_not_begun_is_given_back_without_an_attempt(journal, journals, message):
    journal.receive([message()])
    journal.release(ids(journal.claim(1, 1000)))
    assert journals().claim(1, 30)[0].attempt == 1


def test_a_postponed_message_holds_its_lane_until_it_is_due(journal, message, clock):
    a1, a2, b1 = journal.receive([message("1"), message("2"), message("3", lanes=())])
    journal.claim(9, 30)
    journal.postpone(a1.id, "Conflict", 10)
    journal.settle(b1.id, State.HELD, "")
    assert journal.claim(9, 30) == []
    clock.sleep(10)
    [work] = journal.claim(9, 30)
    assert (work.id, work.failures) == (a1.id, 1)
    journal.settle(a1.id, State.DEAD, "tried too often")
    assert ids(journal.claim(9, 30)) == [a2.id]


def applied(rows, id, at=5):
    rows(MARKS[APPLIED], id=id, at=at, reason="", ack=b"MSA|AA")


def test_the_mark_applies_once_and_fails_the_second_time(journal, message, rows):
    [receipt] = journal.receive([message()])
    applied(rows, receipt.id)
    assert journal.outcomes([receipt.id])[receipt.id].ack == b"MSA|AA"
    with pytest.raises(sa.exc.IntegrityError):
        applied(rows, receipt.id, at=6)
    assert journal.read(receipt.id).settled == 5
    journal.settle(receipt.id, State.DEAD, "late")
    journal.postpone(receipt.id, "late", 1)
    assert journal.read(receipt.id).state is State.APPLIED


def test_lanes_are_swept_once_applied_but_not_while_a_message_may_be_reopened(journal, message, rows):
    a, b = journal.receive([message("1"), message("2", lanes=("A|2",))])
    applied(rows, a.id)
    journal.settle(b.id, State.HELD, "no authority", b"AE")
    assert journal.sweep() == 1
    assert journal.sweep() == 0
    [c] = journal.receive([message("3", lanes=("A|2",))])
    assert journal.reopen([a.id, b.id]) == 1
    assert ids(journal.claim(9, 30)) == [b.id]
    assert journal.read(c.id).state is State.RECEIVED
    assert journal.outcomes([b.id])[b.id].ack == b""


def test_out_and_in_are_claimed_apart(journal, message):
    sent, came = journal.receive([message(direction="out", lanes=("to lab",)), message()])
    assert ids(journal.claim(9, 30, "out")) == [sent.id]
    assert ids(journal.claim(9, 30)) == [came.id]


def test_late_ones_are_flagged(journal, message):
    [receipt] = journal.receive([message()])
    journal.flag_late([receipt.id])
    assert [entry.id for entry in journal.search(Query(flag="late"))] == [receipt.id]


def test_many_workers_on_many_nodes_keep_every_lane_in_order(journals, message, rows):
    """Each message once, each lane in order, merges (two lanes) included."""
    dice = random.Random(4)
    total, patients = 120, 9
    batch = [
        message(str(n), lanes=tuple(sorted({f"A|{dice.randrange(patients)}" for _ in range(1 + (n % 10 == 0))})))
        for n in range(total)
    ]
    receipts = journals().receive(batch)
    lanes = {receipt.id: incoming.lanes for receipt, incoming in zip(receipts, batch, strict=True)}
    done: list[int] = []
    guard = threading.Lock()

    def node(journal):
        while len(done) < total:
            for work in journal.claim(5, 60):
                with guard:
                    done.append(work.id)
                journal.settle(work.id, State.HELD, "")

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(node, [journals() for _ in range(4)]))
    assert sorted(done) == sorted(lanes)
    for patient in range(patients):
        mine = [id for id in done if f"A|{patient}" in lanes[id]]
        assert mine == sorted(mine)


@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(lanes=st.lists(st.sets(st.sampled_from("ABC"), max_size=2), min_size=1, max_size=12), data=st.data())
def test_the_order_of_lanes_against_a_model(journal, message, rows, lanes, data):
    rows("UPDATE hl7_message SET state = 'held'")  # what an example that was cut short left
    receipts = journal.receive([message(secrets.token_hex(8), lanes=tuple(sorted(each))) for each in lanes])
    waiting = {receipt.id: each for receipt, each in zip(receipts, lanes, strict=True)}
    leased: set[int] = set()
    while waiting:
        heads = {i for i, each in waiting.items() if not any(j < i and each & other for j, other in waiting.items())}
        got = ids(journal.claim(100, 1000))
        assert set(got) == heads - leased
        leased |= set(got)
        end = data.draw(st.sampled_from(sorted(leased & set(waiting))))
        journal.settle(end, State.HELD, "")
        del waiting[end]


def test_what_was_held_beside_a_merge_waits_again(journal, message):
    one, other, merge = journal.receive(
        [message("1", lanes=("A|1",)), message("2", lanes=("A|9",)), message("3", lanes=("A|1", "A|2"))]
    )
    for receipt in (one, other):
        journal.settle(receipt.id, State.HELD, "two patients")
    assert journal.reopen_beside(merge.id) == 1
    assert journal.outcomes([one.id])[one.id].state is State.RECEIVED
    assert journal.outcomes([other.id])[other.id].state is State.HELD
