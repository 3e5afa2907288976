"""Conversions."""

from decimal import Decimal
from typing import Any

import pytest

from resources.fhirpath import evaluate
from resources.fhirpath.functions.conversion import to_string


@pytest.mark.parametrize(
    ("expression", "result"),
    [
        ("'Y'.toBoolean() and 1.toBoolean() and '0.0'.toBoolean().not()", [True]),
        ("2.toBoolean()", []),
        ("'-3'.toInteger()", [-3]),
        ("'1.1'.toInteger()", []),
        ("true.toDecimal()", [Decimal(1)]),
        ("'1.a'.convertsToDecimal()", [False]),
        ("1.50.toString()", ["1.50"]),
        ("(1 'wk').toString() | (2 days).toString()", ["1 'wk'", "2 days"]),
        ("'2015-02-04T10:00'.toDate().toString()", ["2015-02-04"]),
        ("'2015-02-04T10:00'.convertsToDate()", [False]),
        ("@2015.toDateTime() is DateTime", [True]),
        ("'14:30'.toTime().toString()", ["14:30"]),
        ("@2015.toTime()", []),
        ("'1 \\'wk\\''.toQuantity() = 7 days", [True]),
        ("'1500 \\'g\\''.toQuantity('kg').toString()", ["1.5 'kg'"]),
        ("'1 \\'g\\''.convertsToQuantity('s')", [False]),
        ("{}.convertsToInteger()", []),
    ],
)
def test_results(expression: str, result: list[Any]) -> None:
    assert evaluate(expression, {}) == result


def test_text_of_numbers_stays_short() -> None:
    assert to_string(Decimal("1E+5000")) == "1E+5000"
