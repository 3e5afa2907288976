"""Functions that evaluate their argument for each item."""

from typing import Any

import pytest

from resources.fhirpath import PathExecutionError, evaluate
from resources.fhirpath.tests.sample import PATIENT


@pytest.mark.parametrize(
    ("expression", "result"),
    [
        ("name.where(use = 'usual').given", ["Adi"]),
        ("name.where({})", []),
        ("name.select(given.count())", [2, 1, 1]),
        ("name.select($index)", [0, 1, 2]),
        ("name.exists(use = 'maiden') and name.exists(use = 'old').not()", [True]),
        ("name.all(given.exists())", [True]),
        ("name.where(given.all(startsWith('A'))).count()", [2]),
        ("(1 | 2 | 3).aggregate($this + $total, 0)", [6]),
        ("(3 | 1 | 2).aggregate(iif($total.empty(), $this, iif($this < $total, $this, $total)))", [1]),
        ("1.repeat(iif($this < 4, $this + 1))", [2, 3, 4]),
        ("iif(true, 1, 1 / 'a') | iif({}, 1, 2) | iif(false, 3)", [1, 2]),
        ("'a'.iif($this = 'a', 'yes', 'no')", ["yes"]),
        ("name.given.trace('names', $this).count()", [4]),
        ("(3 | 1 | 2).sort() | (9)", [1, 2, 3, 9]),
        ("('b' | 'a').sort(-$this)", ["b", "a"]),
        ("name.sort(period.end, -use).use", ["usual", "official", "maiden"]),
        ("name.given.where($this = %context.name.given.first()).count()", [2]),
        ("name.select(given.where($this = 'Adi')).exists() and $this.id = 'p'", [True]),
    ],
)
def test_results(expression: str, result: list[Any]) -> None:
    assert evaluate(expression, PATIENT) == result


@pytest.mark.parametrize("expression", ["iif(1 | 2, 1)", "iif('x', 1)", "(1 | 2).iif(true, 1)", "(1 | 'a').sort()"])
def test_refused(expression: str) -> None:
    with pytest.raises(PathExecutionError):
        evaluate(expression, PATIENT)


def test_trace_prints_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    evaluate("name.trace('names')", PATIENT)
    assert capsys.readouterr() == ("", "")
