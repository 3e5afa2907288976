"""Functions on numbers."""

from decimal import Decimal
from typing import Any

import pytest

from resources.fhirpath import PathExecutionError, evaluate


@pytest.mark.parametrize(
    ("expression", "result"),
    [
        ("(-5).abs() | (-5.5).abs()", [5, Decimal("5.5")]),
        ("(-1.1).ceiling() | (-1.1).floor() | (-1.9).truncate()", [-1, -2]),
        ("3.14159.round(3)", [Decimal("3.142")]),
        ("81.sqrt() = 9.0 and 16.log(2) = 4.0 and 0.exp() = 1 and 1.ln() = 0", [True]),
        ("(-1).sqrt()", []),
        ("0.ln()", []),
        ("2.power(3)", [8]),
        ("(-1).power(0.5)", []),
        ("1.587.lowBoundary(2) | 1.587.highBoundary(2)", [Decimal("1.58"), Decimal("1.59")]),
        ("1.587.lowBoundary(40)", []),
        ("@2014.highBoundary().toString()", ["2014-12-31"]),
        ("(1.5 'mg').lowBoundary(2).toString()", ["1.45 'mg'"]),
        ("1.58700.precision() | @2014-01.precision()", [5, 6]),
        ("(1 'cm').comparable(1 '[in_i]')", [True]),
        ("{}.abs() | {}.precision() | {}.lowBoundary()", []),
    ],
)
def test_results(expression: str, result: list[Any]) -> None:
    assert evaluate(expression, {}) == result


@pytest.mark.parametrize("expression", ["'a'.abs()", "1.5.round(-1)", "'a'.precision()"])
def test_refused(expression: str) -> None:
    with pytest.raises(PathExecutionError):
        evaluate(expression, {})
