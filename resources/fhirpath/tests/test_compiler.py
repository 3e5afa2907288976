"""Closures: paths, indexes, calls."""

from typing import Any

import pytest

from resources.fhirpath import PathExecutionError, PathSemanticError, compile, evaluate
from resources.fhirpath.tests.sample import OBSERVATION, PATIENT


@pytest.mark.parametrize(
    ("expression", "result"),
    [
        ("Patient.name.given", ["Ada", "Ida", "Adi", "Ada"]), ("name[1].given", ["Adi"]), ("name[9]", []),
        ("Practitioner.name", []), ("DomainResource.id", ["p"]), ("+3", [3]), ("{}[0]", []), ("+{}", []),
        ("name.where($index = 2).family", ["Ohm"]), ("name.given.first().$this", [PATIENT]),
        ("deceased", [False]), ("deceasedBoolean", [False]), ("name.given.as(string).count()", [4]),
    ],
)  # fmt: skip
def test_paths(expression: str, result: list[Any]) -> None:
    assert evaluate(expression, PATIENT) == result


@pytest.mark.parametrize("expression", ["nothing()", "first(1)", "where()", "is(1)", "ofType(1 + 1)", "take()", "as()"])
def test_calls_are_checked(expression: str) -> None:
    with pytest.raises(PathSemanticError):
        compile(expression)


def test_is_needs_one_item() -> None:
    with pytest.raises(PathExecutionError):
        evaluate("name is HumanName", PATIENT)


def test_numbers_stay_as_written() -> None:
    assert str(evaluate("value.value", OBSERVATION)[0]) == "185.0"
