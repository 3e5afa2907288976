from collections.abc import Callable

import pytest

from hl7_bridge.conftest import Clock
from hl7_bridge.journal import SqlJournal
from hl7_bridge.ports import Incoming, State


@pytest.mark.parametrize("count", [0, 1, 7])
def test_passed_since(journal: SqlJournal, clock: Clock, message: Callable[..., Incoming], count: int) -> None:
    start = clock.now
    for n in range(count):
        journal.receive([message(str(n), received=start + n * 1000), message(f"o{n}", received=start + n * 1000,
                                                                             sender="p", direction="out")])  # fmt: skip
    for since in range(count + 1):
        left = count - since
        expected = {("in", "lab"): left, ("out", "p"): left} if left else {}
        assert journal.passed(start + since * 1000) == expected


def test_passed_since_by_halving_the_ids(
    journal: SqlJournal, clock: Clock, message: Callable[..., Incoming], monkeypatch: pytest.MonkeyPatch
) -> None:
    from hl7_bridge.journal import figures

    monkeypatch.setattr(figures, "_SLACK", 0)
    times = [clock.now + n * 1000 for n in range(20)]
    ids = [journal.receive([message(str(at), received=at)])[0].id for at in times]
    for n, at in enumerate(times):
        assert figures._first(journal._database, at) == ids[n]
        assert journal.passed(at) == {("in", "lab"): 20 - n}


def test_arrivals_are_the_newest_without_replays(
    journal: SqlJournal, clock: Clock, message: Callable[..., Incoming]
) -> None:
    receipts = [journal.receive([message(str(n), received=n)])[0] for n in (1, 2, 3)]
    journal.settle(receipts[0].id, State.REJECTED)
    journal.replay(receipts[0].id, message("1", received=9))
    assert journal.arrivals("lab", 2) == [3, 2] and journal.arrivals("nobody", 2) == []


def test_repeats(journal: SqlJournal, message: Callable[..., Incoming]) -> None:
    [first] = journal.receive([message("1")])
    journal.settle(first.id, State.REJECTED)
    again = [journal.replay(first.id, message("1", text=text)).id for text in ("", "NTE|1")]
    entry = journal.read(first.id)
    assert entry and journal.repeats(entry) == again


def test_the_last_reason_of_a_receiver(journal: SqlJournal, message: Callable[..., Incoming]) -> None:
    assert journal.last_reason("p") == (0, "")
    one, two, _ = journal.receive([message(n, sender="p", direction="out") for n in "123"])
    journal.settle(one.id, State.DEAD, "AR: no")
    journal.postpone(two.id, "Nobody listens.", 5)
    assert journal.last_reason("p") == (two.id, "Nobody listens.")
