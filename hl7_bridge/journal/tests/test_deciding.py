from collections.abc import Callable

import pytest

from hl7_bridge.journal import SqlJournal
from hl7_bridge.ports import Incoming, State


@pytest.mark.parametrize(("state", "decided"), [(State.HELD, True), (State.DEAD, True), (State.APPLIED, False)])
def test_what_is_held_or_dead_is_set_aside(
    journal: SqlJournal, message: Callable[..., Incoming], state: State, decided: bool
) -> None:
    [receipt] = journal.receive([message("1")])
    assert not journal.set_aside(receipt.id, "no")
    journal.settle(receipt.id, state, "why")
    assert journal.set_aside(receipt.id, "no\0") is decided
    entry = journal.read(receipt.id)
    assert entry and entry.state is (State.REJECTED if decided else state)
    assert entry.reason == ("no\ufffd" if decided else "why")
