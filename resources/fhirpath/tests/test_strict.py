"""Checks before evaluation."""

import pytest

from resources.fhirpath import PathSemanticError, compile
from resources.fhirpath.parser import parse
from resources.fhirpath.strict import result_types
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


@pytest.mark.parametrize(
    ("expression", "types"),
    [
        ("Patient.name | Patient.contact.name", {"HumanName"}), ("Patient.extension('u').value as code", {"code"}),
        ("Patient.name.given.first() | Observation.code", {"string"}),
        ("Observation.code", set()), ("active", {"boolean"}),
        ("Resource.id | Patient.birthDate", {"", "date"}), ("(Patient.name)[0]", {"HumanName"}),
        ("Patient.extension.value.ofType(Quantity)", {"Quantity"}), ("Patient.name.count() > 1", {""}),
    ],
)  # fmt: skip
def test_what_an_expression_leads_to(expression: str, types: set[str]) -> None:
    assert result_types(parse(expression), "Patient") == types
