import pytest

from hl7_bridge.er7 import parse
from hl7_bridge.errors import DUPLICATE_KEY, SEGMENT_SEQUENCE, Held, Malformed
from hl7_bridge.parts import Whole, whole
from hl7_bridge.site.model import Sender

LAB = Sender("lab")


def part(id, *lines, follows=""):
    return "\r".join((f"MSH|^~\\&|LAB|A|||2026||ORU^R01|{id}|P|2.5.1||{follows}", *lines, "")).encode()


class Journal:
    """The parts that wait, by pointer."""

    def __init__(self, *parts):
        self.parts = dict(enumerate(parts, 1))

    def parts_before(self, sender, continues):
        last = {id: parse(raw).segments[-1] for id, raw in self.parts.items()}
        return [id for id, segment in last.items() if segment.name == "DSC" and segment.text(1) == continues]

    def hold_part(self, id, sender, pointer, reason, ack): ...

    def raw(self, id):
        return self.parts[id]


def test_what_continues_nothing_is_whole():
    message = parse(part("1", "PID|||5"))
    assert whole(Journal(), message, LAB) == Whole(message)


def test_three_parts():
    journal = Journal(part("1", "PID|||5", "OBX|1", "DSC|a"), part("2", "OBX|2", "DSC|b", follows="a"))
    made = whole(journal, parse(part("3", "OBX|3", follows="b")), LAB)
    assert made.earlier == (1, 2)
    assert [segment.name for segment in made.message.segments] == ["MSH", "PID", "OBX", "OBX", "OBX"]
    assert made.message.control_id == "1"


def test_a_missing_part_is_held_and_so_is_a_choice():
    with pytest.raises(Held) as held:
        whole(Journal(), parse(part("2", "OBX|2", follows="a")), LAB)
    assert held.value.code is SEGMENT_SEQUENCE and str(held.value.place) == "MSH-14"
    both = Journal(part("1", "PID|||5", "DSC|a"), part("2", "PID|||6", "DSC|a"))
    with pytest.raises(Held) as held:
        whole(both, parse(part("3", "OBX|2", follows="a")), LAB)
    assert held.value.code is DUPLICATE_KEY


def test_parts_that_go_round_in_a_circle_are_held():
    journal = Journal(part("1", "OBX|1", "DSC|a", follows="b"), part("2", "OBX|2", "DSC|b", follows="a"))
    with pytest.raises(Held):
        whole(journal, parse(part("3", "OBX|3", follows="b")), LAB)


def test_a_whole_message_with_words_in_msh_14():
    message = parse(part("1", "PID|||5", follows="456"))
    assert whole(Journal(), message, LAB) == Whole(message)


def test_a_part_that_was_not_the_last_one_is_never_applied():
    journal = Journal(part("1", "PID|||5", "DSC|a"))
    journal.parts_before = lambda sender, continues: [1] if continues == "x" else []
    with pytest.raises(Malformed):
        whole(journal, parse(part("2", "OBX|1", follows="x")), LAB)
