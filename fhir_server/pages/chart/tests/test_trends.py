"""Plots of results: one unit each, everything inside its box, told in words."""

import itertools
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from fhir_server.pages.chart.tests.test_observed import measured
from fhir_server.pages.chart.trends import HEIGHT, WIDTH, courses, lines, plot

BEGAN = datetime(2026, 1, 2, tzinfo=UTC)
VALUES = st.floats(-1e9, 1e9) | st.integers(-5, 5)
UNITS = st.sampled_from(["mmol/L", "mg/dL"])


def series(*values: Any, **of: Any) -> list[dict[str, Any]]:
    """The newest first, a day apart."""
    days = ((BEGAN - timedelta(days=n)).isoformat() for n in range(len(values)))
    return [measured(value, effectiveDateTime=at, **of) for value, at in zip(values, days, strict=True)]


@given(st.lists(st.tuples(VALUES, UNITS, st.integers(0, 10_000)), min_size=2, max_size=30))
def test_one_unit_and_inside_the_box(rows: list[tuple[float, str, int]]) -> None:
    found = [
        measured(effectiveDateTime=(BEGAN + timedelta(hours=hours)).isoformat(),
                 valueQuantity={"value": value, "unit": unit}) for value, unit, hours in rows
    ]  # fmt: skip
    made = lines(found)
    assert all({point.shown.partition(" ")[2] for point in line.points} == {line.unit} for line in made)
    drawn = plot(made, UTC)
    for dot in (dot for line in drawn.lines for dot in line.dots) if drawn else ():
        assert 0 <= dot.x <= WIDTH and 0 <= dot.y <= HEIGHT


@given(st.lists(st.integers(-1000, 1000), min_size=2, max_size=20))
def test_higher_is_drawn_higher_and_later_further_right(values: list[int]) -> None:
    drawn = plot(lines(series(*values)), UTC)
    assert drawn is not None
    [line] = drawn.lines
    heights = [dot.y for dot in line.dots]
    rising = list(zip(values[::-1], heights, strict=True))
    assert all(a[1] >= b[1] for a, b in itertools.pairwise(rising) if a[0] <= b[0])
    assert [dot.x for dot in line.dots] == sorted(dot.x for dot in line.dots)


def test_the_plot_in_words() -> None:
    drawn = plot(lines(series(5.5, 7.25, 6)), UTC)
    assert drawn is not None
    assert (
        drawn.told == "3 values from 31 Dec 2025 to 2 Jan 2026, lowest 5.5 mmol/L, highest 7.25 mmol/L, last 5.5 mmol/L"
    )
    assert (drawn.first, drawn.last) == ("31 Dec 2025", "2 Jan 2026")


def test_a_reference_range_is_a_band_and_one_open_end_goes_on_to_the_edge() -> None:
    of = {"unit": "mmol/L"}
    both = series(5, 9, referenceRange=[{"low": {"value": 4} | of, "high": {"value": 6} | of}])
    above = series(5, 9, referenceRange=[{"low": {"value": 4} | of}])
    other = series(5, 9, referenceRange=[{"low": {"value": 72, "unit": "mg/dL"}}])
    bands = [plot(lines(one), UTC).lines[0].band for one in (both, above, other)]  # type: ignore[union-attr]
    assert bands[0] is not None and bands[0][0] > 0 and sum(bands[0]) < HEIGHT
    assert bands[1] is not None and bands[1][0] == 0.0
    assert bands[2] is None


def test_what_is_no_plain_number_is_in_the_list_alone() -> None:
    found = series(5, 6, 7)
    found[1]["valueQuantity"]["comparator"] = "<"
    [course] = courses(found, UTC).values()
    assert course.plot is not None and len(course.plot.lines[0].dots) == 2
    assert [one.value for one in course.earlier] == ["<6 mmol/L", "7 mmol/L"]


def test_a_pressure_has_two_lines() -> None:
    def taken(upper: int, lower: int) -> list[dict[str, Any]]:
        pairs = (("Systolic", upper), ("Diastolic", lower))
        return [{"code": {"text": text}, "valueQuantity": {"value": n, "unit": "mmHg"}} for text, n in pairs]

    found = [one | {"component": taken(120 + n, 80 - n)} for n, one in enumerate(series(None, None))]
    drawn = plot(lines(found), UTC)
    assert drawn is not None and [line.label for line in drawn.lines] == ["Systolic", "Diastolic"]


def test_of_cancelled_and_single_values_there_is_no_course() -> None:
    found = series(5, 6)
    found[1]["status"] = "entered-in-error"
    assert courses(found, UTC) == {}


def test_what_no_plot_has_room_for_is_in_the_table_alone() -> None:
    huge = [{"low": {"value": 1}, "high": {"value": Decimal("1E+400")}}]
    [line] = lines(series(5, Decimal("1E+400"), 4, Decimal("-1E+400"), referenceRange=huge))
    assert [point.value for point in line.points] == [4, 5] and (line.low, line.high) == (1, None)
