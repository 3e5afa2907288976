from datetime import UTC, datetime

import pytest

from resources.search_param.intervals import BEGINNING, END, SECOND, interval, period, timing, whole_second

DAY = 86_400 * SECOND


def micros(*parts):
    return int(datetime(*parts, tzinfo=UTC).timestamp()) * SECOND


@pytest.mark.parametrize(
    ("text", "lo", "hi"),
    [
        ("2020", micros(2020, 1, 1), micros(2021, 1, 1)),
        ("2020-02", micros(2020, 2, 1), micros(2020, 3, 1)),
        ("2020-12", micros(2020, 12, 1), micros(2021, 1, 1)),
        ("2020-02-29", micros(2020, 2, 29), micros(2020, 3, 1)),
        ("2020-02-29T10:30", micros(2020, 2, 29, 10, 30), micros(2020, 2, 29, 10, 31)),
        ("2020-02-29T10:30:05Z", micros(2020, 2, 29, 10, 30, 5), micros(2020, 2, 29, 10, 30, 6)),
        ("2020-02-29T10:30:05+02:00", micros(2020, 2, 29, 8, 30, 5), micros(2020, 2, 29, 8, 30, 6)),
        ("2020-02-29T23:30:05-05:30", micros(2020, 3, 1, 5, 0, 5), micros(2020, 3, 1, 5, 0, 6)),
        ("1969-12-31", -DAY, 0),
    ],
)
def test_precision_is_the_length_of_the_interval(text, lo, hi):
    assert interval(text) == (lo, hi)


def test_fractions_of_a_second():
    start = micros(2020, 1, 1)
    assert interval("2020-01-01T00:00:00.5Z") == (start + 500_000, start + 600_000)
    assert interval("2020-01-01T00:00:00.123Z") == (start + 123_000, start + 124_000)
    assert interval("2020-01-01T00:00:00.1234567Z") == (start + 123_456, start + 123_457)
    assert interval("1960-01-01T00:00:00.5Z") == (micros(1960, 1, 1) + 500_000, micros(1960, 1, 1) + 600_000)


def test_the_calendar_ends_open():
    assert interval("9999")[1] == END
    assert interval("9999-12-31")[1] == END
    assert interval("9999-12-31T23:59:59Z")[1] < END


def test_a_leap_second_is_the_last_second():
    assert interval("2016-12-31T23:59:60Z") == interval("2016-12-31T23:59:59Z")


@pytest.mark.parametrize(
    "text", ["", "x", "2020-13", "2020-02-30", "2020-1-1", "20200101", "2020-01-01T25:00Z", "٢٠٢٠"]
)
def test_no_date_is_refused(text):
    with pytest.raises(ValueError):
        interval(text)


def test_whole_second():
    assert whole_second(interval("2020-01-01T00:00:00Z"))
    assert not whole_second(interval("2020-01-01T00:00:00.000Z"))
    assert not whole_second(interval("2020-01-01"))


def test_periods_are_open_where_a_side_is_missing():
    assert period({"start": "2020", "end": "2020-02"}) == (micros(2020, 1, 1), micros(2020, 3, 1))
    assert period({"start": "2020"}) == (micros(2020, 1, 1), END)
    assert period({"end": "2020"}) == (BEGINNING, micros(2021, 1, 1))
    assert period({}) is None
    assert period({"start": "2021", "end": "2020"}) is None


def test_timings_are_their_outer_limits():
    value = {"event": ["2020-05", "2020-01-02"], "repeat": {"boundsPeriod": {"start": "2020-03", "end": "2020-07"}}}
    assert timing(value) == (micros(2020, 1, 2), micros(2020, 8, 1))
    assert timing({"code": {"text": "BID"}}) is None
