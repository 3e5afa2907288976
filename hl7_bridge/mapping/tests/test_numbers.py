"""Numbers keep their digits; a comparator in NM is one; UCUM only when stated or known."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hl7_bridge.mapping.datatypes import numbers, units
from hl7_bridge.mapping.tests.values import draft, value

UCUM = "http://unitsofmeasure.org"


@pytest.mark.parametrize(
    ("text", "expected"), [("1.00", "1.00"), ("+5", "5"), ("5.", "5"), (".5", "0.5"), ("x", None), ("1e5", None)]
)
def test_number(text: str, expected: str | None) -> None:
    found = numbers.number(text)
    assert (str(found) if found is not None else None) == expected


def test_comparator() -> None:
    found = numbers.quantity("<5", value("mg/dL"), draft())
    assert found == {"value": Decimal(5), "comparator": "<", "unit": "mg/dL", "system": UCUM, "code": "mg/dL"}


@pytest.mark.parametrize(
    ("unit", "expected"),
    [
        ("mg/dL^milligram^UCUM", {"unit": "milligram", "system": UCUM, "code": "mg/dL"}),
        ("K/uL", {"unit": "K/uL", "system": UCUM, "code": "10*3/uL"}),
        ("furlong", {"unit": "furlong"}),
        ("h", {"unit": "h"}),
        ("X^^L^m^^UCUM", {"unit": "X", "system": UCUM, "code": "m"}),
        ("", {}),
    ],
)
def test_units(unit: str, expected: dict[str, str]) -> None:
    assert units.unit(value(unit), draft()) == expected


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("^100", "Quantity"),
        (">^100", "Quantity"),
        ("^1^:^128", "Ratio"),
        ("^2^-^3", "Range"),
        ("^2^+", "string"),
        ("<>^5", "string"),
    ],
)
def test_structured(text: str, kind: str) -> None:
    found = numbers.structured(value(text), value("mL"), draft())
    assert found is not None
    assert found[0] == kind


@given(st.text(max_size=25))
def test_nothing_raises(text: str) -> None:
    numbers.number(text)
    numbers.quantity(text, value(""), draft())
