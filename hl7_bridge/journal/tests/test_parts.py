import pytest

from hl7_bridge.ports import State

DAY = 86_400


def held(journal, message, id, pointer="", continues="", sender="lab"):
    """A part that came and waits; its number."""
    [receipt] = journal.receive(
        [message(id, sender=sender, pointer=pointer, continues=continues, lanes=("parts|lab",))]
    )
    journal.claim(1, 30)
    if pointer:
        journal.hold_part(receipt.id, sender, pointer, "a part", b"ack")
    else:
        journal.settle(receipt.id, State.HELD, "", b"ack")
    return receipt.id


def test_what_waits_under_a_pointer(journal, message, clock):
    one = held(journal, message, "1", pointer="a")
    assert journal.parts_before("lab", "a") == [one]
    assert journal.parts_before("lab", "b") == journal.parts_before("other", "a") == []
    two = held(journal, message, "2", pointer="a")
    assert journal.parts_before("lab", "a") == [two, one]
    clock.sleep(DAY + 1)
    assert journal.parts_before("lab", "a") == []


@pytest.mark.parametrize("links", [[("x", "")], [("x", "y"), ("y", "")]])
def test_a_late_part_lets_the_last_one_be_looked_at_again(journal, message, links):
    later = [held(journal, message, f"L{n}", pointer=points, continues=follows)
             for n, (follows, points) in enumerate(links)]  # fmt: skip
    held(journal, message, "1", pointer="x")
    [work] = journal.claim(9, 30)
    assert work.id == later[-1]
    assert journal.outcomes([later[-1]])[later[-1]].state is State.RECEIVED


def test_parts_go_with_their_messages(journal, message, rows):
    journal.receive([message("1", pointer="a", state=State.REJECTED)])
    assert len(rows("SELECT * FROM hl7_part")) == 1
    assert journal.purge(10**15) == 1
    assert rows("SELECT * FROM hl7_part") == []
