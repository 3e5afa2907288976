"""Codes and words of repetition as rhythms."""

import pytest

from hl7_bridge.mapping.segments.medication_rhythm import rhythm


@pytest.mark.parametrize(
    ("code", "repeat"),
    [
        ("QD", (1, 1, "d")),
        ("BID", (2, 1, "d")),
        ("tid", (3, 1, "d")),
        ("QID", (4, 1, "d")),
        ("6ID", (6, 1, "d")),
        ("Q6H", (1, 6, "h")),
        ("Q90M", (1, 90, "min")),
        ("QOD", (1, 2, "d")),
        ("twice a day", (2, 1, "d")),
        ("3 times in 2 wk", (3, 2, "wk")),
    ],
)
def test_rhythms(code: str, repeat: tuple[int, int, str]) -> None:
    assert rhythm(code) == dict(zip(("frequency", "period", "periodUnit"), repeat, strict=True))


@pytest.mark.parametrize("code", ["", "C", "0ID", "Q0H", "as told", "Q6X"])
def test_what_is_no_rhythm(code: str) -> None:
    assert rhythm(code) == {}


def test_days_of_the_week() -> None:
    assert rhythm("Q1J135") == {"dayOfWeek": ["mon", "wed", "fri"], "frequency": 1, "period": 1, "periodUnit": "wk"}
