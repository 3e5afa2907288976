"""Type names."""

import pytest

from resources.fhirpath import PathSemanticError, evaluate
from resources.fhirpath.node import Node
from resources.fhirpath.tests.sample import OBSERVATION, PATIENT
from resources.fhirpath.types import system_type, type_info, type_test


def test_fhir_and_system_are_apart() -> None:
    assert evaluate("active is Boolean", PATIENT) == [False]
    assert evaluate("active is FHIR.boolean and true is System.Boolean", PATIENT) == [True]
    assert evaluate("value is Quantity and (1 'mg') is Quantity", OBSERVATION) == [True]


def test_specialisations() -> None:
    assert evaluate("Patient is DomainResource and name.use.first() is string", PATIENT) == [True]
    assert evaluate("value.ofType(Period)", OBSERVATION) == []


def test_unknown_types_are_refused() -> None:
    for name in ("string1", "System.Patient", "FHIR.Boolean", "Other.Patient"):
        with pytest.raises(PathSemanticError):
            type_test(name)


def test_type_info() -> None:
    assert type_info(Node("x", "code")).value == {"namespace": "FHIR", "name": "code"}
    assert type_info(1).value == {"namespace": "System", "name": "Integer"}
    assert system_type(object()) == ""
