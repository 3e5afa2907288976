"""SearchParameter resources: what is taken, what is refused and where, what has no effect."""

from typing import Any

import pytest

from resources import validation
from resources.errors import BadDefinition
from resources.search_param.custom import parameter_of, problems
from resources.search_param.registry import Custom, Registry, using

GENDER = {"definition": "https://h.example/gender", "expression": "gender"}
NAME = {"definition": "https://h.example/of", "expression": "organization"}
FAVOURITE = {
    "resourceType": "SearchParameter", "url": "https://h.example/favourite", "name": "Favourite", "status": "active",
    "description": "A colour", "code": "favourite", "base": ["Patient"], "type": "token",
    "expression": "Patient.extension.where(url='https://h.example/colour').value as code",
}  # fmt: skip


def test_an_active_one_is_a_parameter() -> None:
    found = parameter_of(FAVOURITE)
    assert found is not None
    assert (found.code, found.type, found.base) == ("favourite", "token", ("Patient",))
    assert parameter_of(FAVOURITE | {"status": "draft"}) is None
    assert parameter_of(FAVOURITE | {"status": "retired"}) is None


@pytest.mark.parametrize(
    ("changed", "place", "said"),
    [
        ({"expression": "Patient.colour"}, "expression", "Patient has no element 'colour'"),
        ({"expression": "Patient.name.where("}, "expression", "at character 20"),
        ({"expression": "Observation.code"}, "expression", "begins at Patient"),
        ({"expression": "Patient.name"}, "expression", "leads to HumanName"),
        ({"expression": "Patient.descendants()"}, "expression", "descendants()"),
        ({"expression": "now()"}, "expression", "now()"),
        ({"expression": "Patient.name.given.matches('(a+)+$')"}, "expression", "matches()"),
        ({"expression": "Patient." + "name.where(true)." * 200 + "family"}, "expression", "1 to 2000"),
        ({"code": "name", "type": "string", "expression": "Patient.contact.name"}, "code", "Patient-name"),
        ({"code": "_mine"}, "code", "a letter or a digit"),
        ({"code": "a:b"}, "code", "a letter or a digit"),
        ({"type": "special", "expression": "Patient.address"}, "type", "one of token"),
        ({"type": "composite", "expression": "Patient"}, "component", "two components"),
        ({"type": "composite", "expression": "Patient.name | Patient.contact"}, "expression", "of one type"),
        (
            {"type": "composite", "expression": "Patient.contact", "component": [GENDER, NAME]},
            "component[1].expression",
            "token or quantity or date or string",
        ),
        ({"base": ["AuditEvent"], "type": "date", "expression": "AuditEvent.recorded"}, "base[0]", "AuditEvent"),
        ({"modifier": ["exact"]}, "modifier[0]", "missing"),
    ],
)
def test_what_cannot_work_is_refused_with_its_place(changed: dict[str, Any], place: str, said: str) -> None:
    with pytest.raises(BadDefinition) as refused:
        validation.check(FAVOURITE | changed)
    assert refused.value.status == 422
    [issue] = refused.value.issues
    assert issue.expression == f"SearchParameter.{place}"
    assert said in issue.text


def test_a_draft_may_say_anything() -> None:
    validation.check(FAVOURITE | {"status": "draft", "expression": "(("})


def test_what_the_specification_defines_stays_as_it_is() -> None:
    own = FAVOURITE | {"code": "gender", "expression": "Patient.gender"}
    derived = own | {"derivedFrom": "http://hl7.org/fhir/SearchParameter/individual-gender"}
    assert problems(derived) == []
    assert parameter_of(derived) is None
    assert problems(own)


def test_two_stored_ones_have_two_codes() -> None:
    found = parameter_of(FAVOURITE)
    assert found is not None
    with using(Registry(1, (Custom(1, "f", found),))):
        assert problems(FAVOURITE) == []  # itself
        assert "favourite" in problems(FAVOURITE | {"url": "https://h.example/other"})[0].text
        wide = {"url": "https://h.example/other", "base": ["Resource"], "expression": "Resource.extension('u').value"}
        assert problems(FAVOURITE | wide)


@pytest.mark.parametrize("element", ["url", "code", "type", "base", "expression", "target", "modifier"])
def test_an_extension_in_the_place_of_a_value_is_refused(element: str) -> None:
    """R4 lets any element have one instead of its value."""
    unknown = {"url": "http://hl7.org/fhir/StructureDefinition/data-absent-reason", "valueCode": "unknown"}
    whole = FAVOURITE | {"target": ["Patient"], "modifier": ["missing"]}
    several = isinstance(whole[element], list)
    said = {name: value for name, value in whole.items() if name != element or several}
    said |= {f"_{element}": [{"extension": [unknown]}] if several else {"extension": [unknown]}}
    said |= {element: [None]} if several else {}
    found = validation.issues(said)
    assert found
    assert all(issue.expression.startswith(f"SearchParameter.{element}") for issue in found)
    assert parameter_of(said) is None
