"""Dates of known precision."""

from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resources.fhirpath.errors import PathExecutionError
from resources.fhirpath.temporal import (
    Temporal,
    add,
    boundary,
    compare,
    digits,
    key,
    now,
    parse_date,
    parse_date_time,
    parse_literal,
    parse_time,
    today,
)


def _of(text: str) -> Temporal:
    found = parse_literal(text)
    assert found is not None
    return found


@pytest.mark.parametrize(
    "text", ["2015", "2015-02", "2015-02-04", "2015-02-04T14", "2015-02-04T14:34:28.123", "2015-02-04T14:34:28+10:00"]
)
def test_text_comes_back(text: str) -> None:
    assert str(parse_date_time(text)) == text


@pytest.mark.parametrize("text", ["", "2015-13", "2015-02-30", "0000", "2015-02-04T24", "2015T14", "2015-02-04T1"])
def test_no_date(text: str) -> None:
    assert parse_date_time(text) is None


def test_kinds() -> None:
    assert parse_date("2015-02-04T14") is None and parse_time("25:00") is None
    assert [_of(text).kind for text in ("2015", "2015T", "T14:30")] == ["Date", "DateTime", "Time"]


@pytest.mark.parametrize(
    ("left", "right", "order"),
    [
        ("2012-04-15", "2012-04-16", -1),
        ("2018-03", "2018-03-01", None),
        ("2018-03-01T10:30:00", "2018-03-01T10:30:00.0", 0),
        ("2012-04-15T15:00:00+02:00", "2012-04-15T16:00:00+03:00", 0),
        ("2012-04-15T15:00:00Z", "2012-04-15T10:00:00", None),
        ("2012-04-15T15:00:00Z", "2012-04-17", -1),
        ("T12:00", "T14:00", -1),
    ],
)
def test_compare(left: str, right: str, order: int | None) -> None:
    assert compare(_of(left), _of(right)) == order
    assert compare(_of(right), _of(left)) == (None if order is None else -order)


def test_times_and_dates_have_no_order() -> None:
    with pytest.raises(PathExecutionError):
        compare(_of("T12:00"), _of("2015"))


@pytest.mark.parametrize(
    ("moment", "amount", "unit", "result"),
    [
        ("2020-02-29", "1", "year", "2021-02-28"),
        ("2020-01-31", "1", "month", "2020-02-29"),
        ("1973-12-25", "7.7", "day", "1974-01-01"),
        ("1973-12-25T23:59:59.999Z", "1", "ms", "1973-12-26T00:00:00.000Z"),
        ("2014", "25", "month", "2016"),
        ("2014-05", "-31", "day", "2014-04"),
        ("T23:30:00", "1", "hour", "T00:30:00"),
    ],
)
def test_add(moment: str, amount: str, unit: str, result: str) -> None:
    assert str(add(_of(moment), Decimal(amount), unit)) == result.removeprefix("T")


@pytest.mark.parametrize(("amount", "unit"), [("1", "cm"), ("9999", "year"), ("1e20", "day"), ("3000000", "week")])
def test_add_refuses(amount: str, unit: str) -> None:
    with pytest.raises(PathExecutionError):
        add(_of("2015-01-01"), Decimal(amount), unit)


@given(st.dates(date(1000, 1, 1), date(3000, 1, 1)), st.integers(-20_000, 20_000))
def test_days_are_those_of_the_calendar(day: date, days: int) -> None:
    assert str(add(_of(day.isoformat()), Decimal(days), "day")) == (day + timedelta(days)).isoformat()


def test_boundaries() -> None:
    assert str(boundary(_of("2014-02"), None, high=True)) == "2014-02-28"
    assert str(boundary(_of("2014-01-01T08"), 17, high=False)) == "2014-01-01T08:00:00.000+14:00"
    assert str(boundary(_of("2014-01-01T08:05:30.1Z"), 17, high=True)) == "2014-01-01T08:05:30.199Z"
    assert boundary(_of("2014"), 5, high=True) is None


def test_digits_and_key() -> None:
    assert [digits(_of(text)) for text in ("2014", "2014-01-05", "T10:30:00.000")] == [4, 8, 9]
    assert key(_of("2012-04-15T15:00:00+02:00")) == key(_of("2012-04-15T16:00:00.0+03:00"))


def test_now() -> None:
    assert now().zone == "Z" and str(today(now())) == str(now())[:10]
