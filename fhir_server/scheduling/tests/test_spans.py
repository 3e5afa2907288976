"""Sets of minutes, against sets of minutes."""

from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fhir_server.scheduling.spans import between, intersection, is_within, union, without

SPANS = st.lists(st.tuples(st.integers(0, 60), st.integers(0, 60)), max_size=6)


def minutes(spans):
    return {minute for lo, hi in spans for minute in range(lo, hi)}


@given(SPANS, SPANS)
def test_as_sets_do(left, right):
    assert minutes(union(left)) == minutes(left)
    assert minutes(intersection(left, right)) == minutes(left) & minutes(right)
    assert minutes(without(left, right)) == minutes(left) - minutes(right)


@given(SPANS, st.tuples(st.integers(0, 60), st.integers(0, 60)).filter(lambda span: span[0] < span[1]))
def test_within(spans, span):
    assert is_within(span, union(spans)) == (minutes([span]) <= minutes(spans))


@given(SPANS)
def test_none_touch(spans):
    found = union(spans)
    assert all(left[1] < right[0] for left, right in pairwise(found))


@pytest.mark.parametrize(
    ("start", "end", "span"),
    [
        ("1970-01-01T00:10:00Z", "1970-01-01T00:20:00Z", (10, 20)),
        ("1970-01-01T00:10:30Z", "1970-01-01T00:20:01Z", (10, 21)),
        ("1970-01-01", "1970-01-01", (0, 1440)),
    ],
)
def test_a_time_ends_where_it_says_and_a_day_with_its_last_minute(start, end, span):
    assert between(start, end) == span


def test_dates_are_days_of_the_zone():
    kolkata = ZoneInfo("Asia/Kolkata")
    lo, hi = between("2026-11-23", "2026-11-23", kolkata)
    assert (lo, hi) == (between("2026-11-23T00:00:00+05:30", "")[0], lo + 1440)
    assert between("2026-11-23T09:00:00Z", "", kolkata) == between("2026-11-23T09:00:00Z", "")
    assert between("", "9999-12-31", kolkata) == between("", "9999-12-31")
