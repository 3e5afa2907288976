import threading
import time

import pytest

from hl7_bridge.ports import Outcome, Receipt, State, Work
from hl7_bridge.workers import Workers, Writer, at_once
from resources.errors import Unavailable


class Paper:
    """A journal that fails when told."""

    def __init__(self):
        self.failures, self.kept, self.batches = [], [], []
        self.released, self.waiting = [], []
        self.gate = threading.Event()
        self.gate.set()

    def receive(self, incoming):
        self.gate.wait()
        if self.failures:
            raise self.failures.pop(0)
        if any(each.control_id == "poison" for each in incoming):
            raise ValueError("not for this database")
        self.batches.append(len(incoming))
        self.kept += incoming
        return [Receipt(len(self.kept) - len(incoming) + n + 1) for n in range(len(incoming))]

    def claim(self, count, lease_seconds, direction="in"):
        if self.failures:
            raise self.failures.pop(0)
        some, self.waiting = self.waiting[:count], self.waiting[count:]
        return some

    def release(self, ids):
        self.released += ids


@pytest.fixture
def paper():
    return Paper()


@pytest.fixture
def writer(paper):
    made = Writer(at_once(paper), lambda: None)
    made.start()
    yield made
    made.stop()


def test_what_waits_is_one_transaction_in_its_order(paper, writer, message):
    paper.gate.clear()
    futures = [writer.put(message("first"))]
    while writer.backlog:
        time.sleep(0.01)
    futures += [writer.put(message(str(n))) for n in range(50)]
    assert writer.backlog > 0
    paper.gate.set()
    assert [future.result(5).receipt.result(0).id for future in futures] == list(range(1, 52))
    assert paper.batches == [1, 50]
    assert writer.backlog == 0


def test_a_transaction_is_settled_at_once_where_it_is_asked_for(paper, message):
    writer, handed = Writer(at_once(paper), lambda: None), []
    futures = [writer.put(message(str(n))) for n in range(10)]
    writer.start(handed.append)
    writer.stop()
    assert not any(future.done() for future in futures)
    assert len(handed) == 1
    handed[0]()
    assert [future.result(0).receipt.result(0).id for future in futures] == list(range(1, 11))


def test_an_absent_database_is_waited_for(paper, writer, message):
    paper.failures = [Unavailable("away"), Unavailable("away")]
    assert writer.put(message()).result(10).receipt.result(0).id == 1


def test_one_message_that_cannot_be_stored_is_not_the_others_end(paper, writer, message):
    paper.gate.clear()
    first = writer.put(message("first"))
    while writer.backlog:
        time.sleep(0.01)
    good, bad, better = [writer.put(message(id)) for id in ("good", "poison", "better")]
    paper.gate.set()
    assert [future.result(5).receipt.result(0).id for future in (first, good, better)] == [1, 2, 3]
    with pytest.raises(ValueError, match="not for"):
        bad.result(5)


def test_whoever_gave_a_message_may_be_gone(paper, writer, message):
    paper.gate.clear()
    gone = writer.put(message("gone"))
    assert not gone.cancel()
    paper.gate.set()
    assert writer.put(message("next")).result(5)
    assert [each.control_id for each in paper.kept] == ["gone", "next"]


def test_a_stopped_writer_has_written_all_and_takes_no_more(paper, message):
    writer = Writer(at_once(paper), lambda: None, batch=3)
    futures = [writer.put(message(str(n))) for n in range(10)]
    writer.start()
    writer.stop()
    assert [future.result(0).receipt.result(0).id for future in futures] == list(range(1, 11))
    with pytest.raises(Unavailable):
        writer.put(message()).result(0)


def work(id):
    return Work(id, "lab", b"", 0, 1)


def test_workers_tell_each_end_and_outlive_faults(paper):
    told, enough = [], threading.Event()

    def apply(works):
        if works[0].id == 2:
            raise ZeroDivisionError
        return [Outcome(State.APPLIED, b"") if each.id != 3 else None for each in works]

    def tell(ended):
        told.append(ended)
        if len(told) == 4:
            enough.set()

    workers = Workers(paper, apply, tell, 2, 1)
    paper.waiting = [work(n) for n in range(1, 6)]
    workers.start()
    workers.wake()
    assert enough.wait(10)
    workers.stop(10)
    assert sorted(ended.id for ended in told) == [1, 3, 4, 5]
    assert [ended.outcome for ended in told if ended.id == 3] == [None]


def test_workers_that_stop_finish_what_they_are_at_and_give_back_the_rest(paper):
    begun, go = threading.Event(), threading.Event()
    told = []

    def apply(works):
        begun.set()
        go.wait(10)
        return [Outcome(State.APPLIED, b"") for _ in works]

    workers = Workers(paper, apply, told.append, 1, 1)
    paper.waiting = [work(n) for n in range(1, 5)]
    workers.start()
    assert begun.wait(10)
    stopping = threading.Thread(target=workers.stop, args=(10,))
    stopping.start()
    go.set()
    stopping.join(10)
    assert [ended.id for ended in told] == [1]
    assert paper.released == [2, 3, 4]


def test_each_thread_begins_its_share_of_what_waits(paper):
    begun, go = threading.Barrier(2), []

    def apply(works):
        begun.wait(10)
        go.append([each.id for each in works])
        return [Outcome(State.APPLIED, b"") for _ in works]

    told, enough = [], threading.Event()
    workers = Workers(paper, apply, lambda ended: (told.append(ended), len(told) == 3 and enough.set()), 2, 4)
    paper.waiting = [work(n) for n in range(1, 4)]
    workers.start()
    workers.wake()
    assert enough.wait(10)
    workers.stop(10)
    assert sorted(go) == [[1, 2], [3]]
