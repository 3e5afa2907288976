"""Functions on collections."""

from typing import Any

import pytest

from resources.fhirpath import PathExecutionError, evaluate
from resources.fhirpath.functions.collections import at
from resources.fhirpath.tests.sample import PATIENT


@pytest.mark.parametrize(
    ("expression", "result"),
    [
        ("name.empty()", [False]),
        ("{}.not()", []),
        ("name.given.count()", [4]),
        ("(true | false).anyTrue() and (true | false).anyFalse()", [True]),
        ("(true | false).allTrue() or (true | false).allFalse()", [False]),
        ("name.given.distinct()", ["Ada", "Ida", "Adi"]),
        ("name.given.isDistinct()", [False]),
        ("(1 | 2).subsetOf(1 | 2 | 3)", [True]),
        ("(1 | 2).supersetOf(3)", [False]),
        ("name.given.tail().first() | name.given.last()", ["Ida", "Ada"]),
        ("name.given.skip(2).take(1)", ["Adi"]),
        ("name.given.skip(-1).take(-1)", []),
        ("{}.single()", []),
        ("name.given.intersect('Ada' | 'Eva')", ["Ada"]),
        ("name.given.exclude('Ada')", ["Ida", "Adi"]),
        ("1.union(1).combine(1)", [1, 1]),
        ("maritalStatus.children().descendants().count()", [2]),
        ("'x'.children()", []),
    ],
)
def test_results(expression: str, result: list[Any]) -> None:
    assert evaluate(expression, PATIENT) == result


@pytest.mark.parametrize("expression", ["name.single()", "(true | 'foo').allTrue()", "name.take('a')"])
def test_refused(expression: str) -> None:
    with pytest.raises(PathExecutionError):
        evaluate(expression, PATIENT)


def test_at() -> None:
    assert at([1, 2], 1) == [2] and at([1, 2], 2) == [] == at([1, 2], -1)
