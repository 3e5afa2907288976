"""Numbered events: nothing missed, nothing twice, bounded."""

import json

from hypothesis import given
from hypothesis import strategies as st

from video.signalling.mailbox import KEPT, Mailbox


@given(st.integers(0, 3 * KEPT), st.integers(-5, 4 * KEPT))
def test_everything_after_a_number_or_nothing_at_all(count: int, after: int) -> None:
    box = Mailbox(1000)
    for number in range(count):
        box.put("chat", {"number": number})
    letters = box.after(1000 + after)
    if letters is None:
        assert after < max(0, count - KEPT) or after > count
        return
    assert [letter.n for letter in letters] == list(range(1000 + after + 1, 1000 + count + 1))
    assert [json.loads(letter.text)["number"] for letter in letters] == list(range(after, count))


def test_numbers_of_an_earlier_process_are_never_taken_for_ours() -> None:
    earlier, later = Mailbox(1000), Mailbox(1300)
    for _ in range(200):
        earlier.put("x", {})
    assert later.after(earlier.n) is None
