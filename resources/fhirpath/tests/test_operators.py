"""Operators, by whole expressions."""

from typing import Any

import pytest

from resources.fhirpath import PathExecutionError, PathSemanticError, evaluate


@pytest.mark.parametrize(
    ("expression", "result"),
    [
        ("1 + 2 * 3", [7]), ("7 div 2", [3]), ("7 mod 2", [1]), ("1 / 0", []), ("5 mod 0", []), 
        ("1 / 4 = 0.25", [True]),
        ("'a' + 'b'", ["ab"]), ("'a' & {}", ["a"]), ("{} + 1", []), ("2 'm' > 100 'cm'", [True]),
        ("@2018-03 < @2018-03-01", []), ("1 'm' + 1 's'", []), ("(1 | 2 | 2).count()", [2]),
        ("1 in {}", [False]), ("{} in (1 | 2)", []), ("(1 | 2) contains 2", [True]),
        ("true and {}", []), ("false and {}", [False]), ("true or {}", [True]), ("{} implies true", [True]),
        ("true xor {}", []), ("true xor false", [True]), ("1 !~ 2", [True]), ("{} != 1", []), 
        ("-(2 'mg') = -2 'mg'", [True]),
        ("@2015-01-31 + 1 month", ["2015-02-28"]), ("@T10:00 - 1 hour", ["09:00"]), ("2 * 3 'mg' = 6 'mg'", [True]),
        (f"1{'0' * 60} * 1{'0' * 60}", []),
    ],
)  # fmt: skip
def test_results(expression: str, result: list[Any]) -> None:
    assert evaluate(expression, {}) == result


@pytest.mark.parametrize("expression", ["'a' - 'b'", "1 < 'a'", "(1 | 2) + 1", "(1 | 2) in (1 | 2)", "-'a'"])
def test_refused(expression: str) -> None:
    with pytest.raises(PathExecutionError):
        evaluate(expression, {})


def test_dates_take_durations_only() -> None:
    with pytest.raises(PathSemanticError):
        evaluate("@1974-12-25 + 7", {})


def test_text_has_a_limit() -> None:
    with pytest.raises(PathExecutionError, match="characters"):
        evaluate("'0123456789'" + ".select($this & $this)" * 25, {})
