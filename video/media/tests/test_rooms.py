"""Who is in which slot: whoever has one keeps it, and nobody without permission has one."""

from types import SimpleNamespace
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from video.media.rooms import MediaRoom
from video.ports import Slot


def somebody(slots: int, member: str = "") -> Any:
    """Of a session what a room asks for when nobody sends yet."""
    return SimpleNamespace(member=member, offer=SimpleNamespace(slots=slots), uplinks={}, downlinks={}, ready=True)


@given(st.lists(st.frozensets(st.sampled_from("abcdef")), min_size=1, max_size=8), st.integers(1, 5))
def test_slots_are_kept_and_only_of_those_permitted(permits: list[frozenset[str]], slots: int) -> None:
    room = MediaRoom()
    room.sessions = {member: somebody(slots, member) for member in "abcde"}
    before: dict[str, tuple[Slot, ...]] = {}
    for room.permitted in permits:
        room.connect(0.0)
        present = room.permitted & set(room.sessions)
        for member in "abcdef":
            shown = room.slots(member)
            others = [slot.member for slot in shown if slot.member]
            assert len(set(others)) == len(others)
            assert set(others) <= (present - {member} if member in present else set())
            if member in present:
                assert len(others) == min(slots, len(present) - 1)
                assert all(s in shown for s in before.get(member, ()) if s.member in present)
        before = {member: room.slots(member) for member in present}


def test_the_share_of_a_room_is_shared() -> None:
    room = MediaRoom()
    assert room.share(6000, 2500) == 2500
    room.sessions = {member: somebody(1) for member in "abcdef"}
    assert room.share(6000, 2500) == 1000
