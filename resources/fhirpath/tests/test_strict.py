"""Checks before evaluation."""

import pytest

from resources.fhirpath import PathSemanticError, compile
from resources.fhirpath.tests.sample import OBSERVATION, PATIENT


@pytest.mark.parametrize(
    "expression",
    [
        "(Observation.value as Period).unit", "Observation.valueQuantity", "children().skip(1)", "descendants()[0]",
        "Observation.code.where(codng.exists())", "Patient.nam", "Patient.name.select(given).nothing",
    ],
)  # fmt: skip
def test_refused(expression: str) -> None:
    with pytest.raises(PathSemanticError):
        compile(expression, "", True)(OBSERVATION)


@pytest.mark.parametrize(
    ("expression", "count"),
    [
        ("Patient.name.where(use = 'official').given", 2), ("Patient.contained.name", 1), ("Patient.deceased", 1),
        ("Patient.birthDate.extension.value", 1), ("Patient.name.first().family | Patient.id", 2),
        ("Patient.contained.ofType(Organization).name", 1), ("(-1).abs() | $this.id", 2),
    ],
)  # fmt: skip
def test_accepted(expression: str, count: int) -> None:
    assert len(compile(expression, "", True)(PATIENT)) == count


def test_context_type() -> None:
    with pytest.raises(PathSemanticError):
        compile("givn", "HumanName", True)
