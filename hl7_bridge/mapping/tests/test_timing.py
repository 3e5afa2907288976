"""Rhythms, bounds and priorities of orders."""

from decimal import Decimal

import pytest

from hl7_bridge.mapping.segments.timing import old_timing, pattern, priority, timing
from hl7_bridge.mapping.tests.messages_of import message
from hl7_bridge.mapping.tests.values import draft, value


@pytest.mark.parametrize(
    ("code", "frequency", "period", "unit"),
    [("BID", 2, 1, "d"), ("Q6H", 1, 6, "h"), ("QOD", 1, 2, "d"), ("Q2W", 1, 2, "wk")],
)
def test_pattern(code: str, frequency: int, period: int, unit: str) -> None:
    assert pattern(code) == {"frequency": frequency, "period": period, "periodUnit": unit}


def test_no_rhythm() -> None:
    assert pattern("ONCE") is None
    assert pattern("Q0H") is None


def test_tq1() -> None:
    tq1 = message("OML^O21", "TQ1|1||TID||^|3^D|||R").segments[1]
    found = timing(tq1, draft())
    assert found is not None
    assert found["repeat"]["boundsDuration"] == {
        "value": Decimal(3),
        "unit": "D",
        "system": "http://unitsofmeasure.org",
        "code": "d",
    }
    assert found["code"] == {"text": "TID"}


def test_older_messages() -> None:
    made, urgency = old_timing(value("1^BID^^20260101^20260102^S"), draft())
    assert made is not None
    assert made["repeat"]["boundsPeriod"] == {"start": "2026-01-01", "end": "2026-01-02"}
    assert urgency == "stat"


def test_priorities() -> None:
    assert [priority(code, draft()) for code in ("S", "STAT", "A", "R", "TM10", "", "PRN")] == [
        "stat",
        "stat",
        "asap",
        "routine",
        "urgent",
        None,
        None,
    ]
