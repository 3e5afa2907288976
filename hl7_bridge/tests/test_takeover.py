import threading
import time

import pytest

from hl7_bridge.journal.forecourt import Standing
from hl7_bridge.ports import Receipt, State
from hl7_bridge.takeover import Takeover
from resources.errors import Unavailable


class Court:
    """A forecourt and a journal on paper; fails when told."""

    def __init__(self):
        self.file, self.kept, self.failures = [], [], []
        self.gate = threading.Event()
        self.gate.set()

    def keep(self, incoming):
        made = [Standing(len(self.file) + n, each) for n, each in enumerate(incoming, 1)]
        self.file += made
        return made

    def left(self, after, count):
        reached = max([after, *(number for number, _ in self.kept)])
        return [each for each in self.file if each.number > reached][:count]

    def take_over(self, standing):
        self.gate.wait()
        if self.failures:
            raise self.failures.pop(0)
        if any(each.control_id == "poison" for _, each in standing):
            raise ValueError("not for this database")
        there = {number for number, _ in self.kept}
        self.kept += [each for each in standing if each[0] not in there]
        return [Receipt(number) for number, _ in standing]


@pytest.fixture
def court():
    return Court()


@pytest.fixture
def takeover(court):
    made = Takeover(court, lambda: None)
    yield made
    made.stop()


def at_once(told):
    told()


def test_what_was_left_comes_before_what_is_new(court, takeover, message):
    court.keep([message("left")])
    [kept] = takeover.keep([message("new")])
    takeover.start(at_once)
    assert kept.receipt.result(5).id == 2
    assert [each.control_id for _, each in court.kept] == ["left", "new"]
    assert takeover.backlog == 0


def test_an_absent_database_is_waited_for_and_nothing_passes(court, takeover, message):
    court.failures = [Unavailable("away")] * 3
    takeover.start(at_once)
    first, second = [takeover.keep([message(id)])[0] for id in "12"]
    assert (first.receipt.result(10).id, second.receipt.result(10).id) == (1, 2)
    assert [number for number, _ in court.kept] == [1, 2]


def test_a_message_that_the_journal_does_not_take_is_kept_for_a_person(court, takeover, message):
    court.gate.clear()
    takeover.start(at_once)
    kept = [takeover.keep([message(id)])[0] for id in ("good", "poison", "better")]
    court.gate.set()
    assert [each.receipt.result(10).id for each in kept] == [1, 2, 3]
    bare = court.kept[1][1]
    assert (bare.state, bare.control_id, bare.raw) == (State.DEAD, "", message("poison").raw)


def test_who_cannot_be_told_does_not_end_the_takeover(court, message):
    told = []

    def hand(settle):
        told.append(settle)
        if len(told) == 1:
            raise RuntimeError("the loop is closed")
        settle()

    def stored():
        raise OSError("nobody applies")

    takeover = Takeover(court, stored)
    takeover.start(hand)
    takeover.keep([message("1")])
    while takeover.backlog:
        time.sleep(0.01)
    [kept] = takeover.keep([message("2")])
    assert kept.receipt.result(5).id == 2
    takeover.stop()


def test_what_cannot_be_taken_over_at_a_stop_stays_for_the_next_start(court, message):
    takeover = Takeover(court, lambda: None)
    takeover.start(at_once)
    court.failures = [Unavailable("away")] * 10_000
    [kept] = takeover.keep([message("1")])
    while takeover.backlog and len(court.failures) == 10_000:
        time.sleep(0.01)
    takeover.stop()
    with pytest.raises(Unavailable):
        kept.receipt.result(0)
    court.failures.clear()
    after = Takeover(court, lambda: None)
    after.start(at_once)
    after.stop()
    assert [each.control_id for _, each in court.kept] == ["1"]
