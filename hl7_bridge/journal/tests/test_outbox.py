"""What goes out is queued once, whatever nodes and crashes do."""

from collections.abc import Callable
from typing import Any

from hl7_bridge.journal import SqlJournal
from hl7_bridge.outbound.events import Sent
from hl7_bridge.outbound.follower import Told
from hl7_bridge.ports import Incoming

SENT = Sent(1, "active", "", "abc")
TOLD = Told("lab", "ServiceRequest", "1", "C1", SENT)
KEY = ("lab", "ServiceRequest", "1")


def test_messages_told_and_place_are_one(journal: SqlJournal, message: Callable[..., Incoming]) -> None:
    outbox = journal.outbox
    assert outbox.position("outbound") == 0
    assert outbox.queue("outbound", 0, 7, [message("C1", direction="out", lanes=("receiver|lab",))], [TOLD])
    assert outbox.position("outbound") == 7
    assert outbox.told([KEY, ("lab", "ServiceRequest", "2")]) == {KEY: SENT}
    assert outbox.about("lab", "C1") == ("ServiceRequest", "1")
    assert [work.sender for work in journal.claim(5, 60, "out")] == ["lab"]


def test_a_second_node_queues_nothing(journals: Callable[..., SqlJournal], message: Callable[..., Incoming]) -> None:
    one, two = journals().outbox, journals()
    assert one.queue("outbound", 0, 7, [message("C1", direction="out")], [TOLD])
    assert not two.outbox.queue("outbound", 0, 7, [message("C1", direction="out")], [TOLD])
    assert len(two.claim(5, 60, "out")) == 1


def test_what_is_told_later_replaces(journal: SqlJournal) -> None:
    journal.outbox.queue("outbound", 0, 1, [], [TOLD])
    later = Told("lab", "ServiceRequest", "1", "C2", Sent(2, "revoked", "", "x"))
    journal.outbox.queue("outbound", 1, 2, [], [later])
    assert journal.outbox.told([KEY]) == {KEY: later.sent}
    assert journal.outbox.about("lab", "C1") is None


def test_receivers_have_lanes_of_their_own(journal: SqlJournal, message: Callable[..., Incoming]) -> None:
    def out(control_id: str, receiver: str) -> Any:
        return message(control_id, sender=receiver, direction="out", lanes=(f"receiver|{receiver}",))

    journal.outbox.queue("outbound", 0, 1, [out("1", "lab"), out("2", "lab"), out("3", "pharmacy")], [])
    assert sorted(work.sender for work in journal.claim(5, 60, "out")) == ["lab", "pharmacy"]
