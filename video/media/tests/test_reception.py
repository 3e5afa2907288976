"""What came and what did not: counts, holes, repeats and the requests for what is missing."""

from hypothesis import given
from hypothesis import strategies as st

from video.media.reception import TRIES, Reception


@given(st.integers(0, 65535), st.sets(st.integers(1, 198), max_size=20))
def test_holes_are_missing_until_they_are_filled(first: int, lost: set[int]) -> None:
    reception = Reception(1, 90000, first)
    for step in range(200):
        if step not in lost:
            assert reception.add(first + step & 0xFFFF, step * 3000, step / 30)
    assert set(reception.missing) == {first + step & 0xFFFF for step in lost}
    assert reception.due - reception.count == len(lost)
    for step in lost:
        assert reception.add(first + step & 0xFFFF, step * 3000, 7.0)
        assert not reception.add(first + step & 0xFFFF, step * 3000, 7.0)
    assert reception.due == reception.count == 200


def test_what_never_comes_is_given_up() -> None:
    reception = Reception(1, 90000, 10)
    reception.add(10, 0, 0.0)
    reception.add(12, 0, 0.0)
    asked = [reception.wanted(1.0 + second) for second in range(TRIES + 2)]
    assert asked == [[11]] * TRIES + [[], []]
    assert reception.missing == {}


def test_a_report_tells_the_worst_of_both_ways() -> None:
    reception = Reception(1, 48000, 0)
    for number in range(10):
        reception.add(number, number * 960, number / 50)
    assert reception.block(1.0, 13).fraction == 13
    reception.add(11, 0, 1.0)
    assert reception.block(1.0).fraction == 128
