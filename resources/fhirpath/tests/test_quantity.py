"""Quantities and their units."""

from decimal import Decimal

import pytest

from resources.fhirpath.quantity import (
    Quantity,
    add,
    canonical,
    comparable,
    compare,
    convert_like,
    divide,
    from_fhir,
    key,
    multiply,
    parse_quantity,
)


def _of(text: str) -> Quantity:
    found = parse_quantity(text)
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("left", "right", "order"),
    [
        ("4.0000 'g'", "4000.0 'mg'", 0),
        ("6 days", "1 week", -1),
        ("1 year", "12 months", 0),
        ("1 'wk'", "1 week", 0),
        ("1 'mo'", "1 month", None),
        ("1 'cm'", "1 's'", None),
        ("37 'Cel'", "310.15 'K'", 0),
        ("1 'nonsense'", "1 'g'", None),
    ],
)
def test_compare(left: str, right: str, order: int | None) -> None:
    assert compare(_of(left), _of(right)) == order
    assert comparable(_of(left), _of(right)) == (order is not None)


def test_arithmetic() -> None:
    assert compare(multiply(_of("2.0 'cm'"), _of("2.0 'm'")), _of("0.040 'm2'")) == 0
    assert divide(_of("1 'm'"), _of("1 'm'")) == Quantity(Decimal(1), "1")
    assert divide(_of("1 'm'"), _of("0 's'")) is None
    assert add(_of("1 'm'"), _of("50 'cm'"), 1) == Quantity(Decimal("1.5"), "m")
    assert add(_of("1 'm'"), _of("1 's'"), 1) is None
    assert convert_like(_of("300 'cm'"), _of("1 'm'")) == 3


def test_text() -> None:
    assert [str(_of(text)) for text in ("4 days", "1.50 'mg'", "3")] == ["4 days", "1.50 'mg'", "3 '1'"]
    assert parse_quantity("4 fortnights") is None and parse_quantity("'mg'") is None


def test_from_fhir() -> None:
    assert from_fhir({"value": 5, "system": "http://unitsofmeasure.org", "code": "mg"}) == Quantity(Decimal(5), "mg")
    box = from_fhir({"value": 5, "unit": "box"})
    assert box is not None and compare(box, box) == 0 and canonical(box) is None
    assert from_fhir({"unit": "mg"}) is None


def test_keys_are_equal_for_equal_quantities() -> None:
    assert key(_of("1 'g'")) == key(_of("1000 'mg'")) != key(_of("1 'mg'"))


def test_numbers_beyond_use_do_not_compare() -> None:
    assert compare(Quantity(Decimal("1e5000"), "g"), _of("1 'mg'")) is None
