"""What expressions see beside their input, and their limits."""

import pytest

from resources.fhirpath import Hooks, PathExecutionError, PathSemanticError, compile, evaluate
from resources.fhirpath.tests.sample import PATIENT


def test_constants() -> None:
    assert evaluate("%ucum", {}) == ["http://unitsofmeasure.org"]
    assert evaluate("%`vs-administrative-gender`", {}) == ["http://hl7.org/fhir/ValueSet/administrative-gender"]
    with pytest.raises(PathSemanticError):
        evaluate("%nothing", {})


def test_variables() -> None:
    assert evaluate("%mine.name.count() + %number", {}, variables={"mine": PATIENT, "number": 4}) == [7]
    assert evaluate("%none.empty()", {}, variables={"none": None}) == [True]


def test_resource_and_root() -> None:
    name = compile("%resource.id | %rootResource.id | %context.use", "HumanName")
    bundle = {"resourceType": "Bundle", "id": "b"}
    assert name(PATIENT["name"][0], resource=PATIENT, root=bundle) == ["p", "b", "official"]


def test_now_is_one_moment() -> None:
    assert evaluate("now() = now() and today() <= today() and timeOfDay() = timeOfDay()", {}) == [True]


def test_hooks() -> None:
    found = {"resourceType": "Practitioner", "id": "1"}
    hooks = Hooks(
        resolve=lambda reference: found if reference == "Practitioner/1" else None,
        member_of=lambda value, url: value == "M" and url == "http://example.org",
        conforms_to=lambda resource, url: True,
    )
    assert evaluate("'Practitioner/1'.resolve() is Practitioner", {}, hooks=hooks) == [True]
    assert evaluate("'Practitioner/2'.resolve()", {}, hooks=hooks) == []
    assert evaluate("maritalStatus.coding.code.memberOf('http://example.org')", PATIENT, hooks=hooks) == [True]
    assert evaluate("conformsTo('http://example.org/profile')", PATIENT, hooks=hooks) == [True]


def test_steps_are_counted() -> None:
    with pytest.raises(PathExecutionError, match="too many steps"):
        evaluate("(1 | 2)" + ".select($this.combine($this))" * 40, {})
