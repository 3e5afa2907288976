"""Stored composites: what their components are, and what is indexed of an element."""

import pytest

from resources.definitions import SearchParam
from resources.search_param import compile_param, extract
from resources.search_param.composed import element, kind
from resources.search_param.parameters import LEAVES, composites
from resources.search_param.registry import Custom, Registry, using

CODE = "http://hl7.org/fhir/SearchParameter/clinical-code"


@pytest.mark.parametrize(
    ("url", "expression", "found"),
    [
        (CODE, "code", "token"),
        ("u:x", "code", "token"),
        ("u:x", "value as Quantity", "quantity"),
        ("u:x", "value as string", "string"),
        ("u:x", "value.ofType(dateTime)", "date"),
        ("u:x", "value", ""),
        (CODE, "value", "token"),
        (CODE, "value as Quantity", ""),
    ],
)
def test_what_a_component_is(url: str, expression: str, found: str) -> None:
    assert kind(url, expression, "Observation.component", LEAVES) == found


def test_the_elements_are_of_one_type() -> None:
    assert element("Observation.component", "Observation") == "Observation.component"
    assert element("Observation", "Observation") == "Observation"
    assert element("Observation.component | Observation.code", "Observation") == ""


def test_values_are_joined_within_an_element() -> None:
    parts = ((CODE, "code"), ("u:x", "value as CodeableConcept"))
    param = SearchParam("pair", "u:pair", "composite", ("Observation",), "Observation.component", components=parts)
    component = [
        {"code": {"coding": [{"code": code}]}, "valueCodeableConcept": {"coding": [{"code": value}]}}
        for code, value in (("a", "x"), ("b", "y"))
    ]
    with using(Registry(1, (Custom(5, "p", param),))):
        [place] = composites("Observation")["pair"]
        found = extract({"resourceType": "Observation", "id": "1", "component": component})
        compile_param("Observation", "pair", "", "a$x")
    assert [part.kind for part in place.parts] == ["token", "token"]
    assert sorted(key.value for key in found.posts if key.branch == "#5 pair") == ["|a$|x", "|b$|y"]
