"""$lookup and $subsumes."""

import pytest

from resources.errors import BusinessRule, NotFound
from resources.terminology.code_system import CodeSystem
from resources.terminology.lookup import lookup, subsumes
from resources.terminology.tests.given import ANIMALS

KNOWN = CodeSystem(ANIMALS)


def properties(found):
    parts = [{p["name"]: p for p in each["part"]} for each in found["parameter"] if each["name"] == "property"]
    return {(p["code"]["valueCode"], next(v for k, v in p["value"].items() if k != "name")) for p in parts}


def test_what_is_said_of_a_code() -> None:
    found = lookup(KNOWN, "dog")
    assert found["parameter"][:3] == [
        {"name": "name", "valueString": "Animals"},
        {"name": "version", "valueString": "1"},
        {"name": "display", "valueString": "Dog"},
    ]
    assert properties(found) == {("parent", "animal"), ("child", "poodle")}


def test_only_the_properties_wanted() -> None:
    assert properties(lookup(KNOWN, "poodle")) == {("parent", "dog"), ("size", 3)}
    assert properties(lookup(KNOWN, "poodle", ["size"])) == {("size", 3)}
    names = [each["name"] for each in lookup(KNOWN, "cat", ["lang.de-AT"])["parameter"]]
    assert "designation" in names
    assert "designation" not in [each["name"] for each in lookup(KNOWN, "cat", ["parent"])["parameter"]]


def test_display_in_a_language() -> None:
    assert {"name": "display", "valueString": "Katze"} in lookup(KNOWN, "cat", language="de")["parameter"]


def test_what_is_no_code() -> None:
    with pytest.raises(NotFound):
        lookup(KNOWN, "cow")


@pytest.mark.parametrize(
    ("a", "b", "outcome"),
    [
        ("dog", "dog", "equivalent"),
        ("animal", "poodle", "subsumes"),
        ("poodle", "animal", "subsumed-by"),
        ("cat", "dog", "not-subsumed"),
    ],
)
def test_subsumption(a: str, b: str, outcome: str) -> None:
    assert subsumes(KNOWN, a, b)["parameter"] == [{"name": "outcome", "valueCode": outcome}]


def test_what_cannot_be_said() -> None:
    with pytest.raises(BusinessRule, match="of parts"):
        subsumes(CodeSystem({**ANIMALS, "hierarchyMeaning": "part-of"}), "animal", "dog")
    with pytest.raises(BusinessRule, match="Only a part"):
        subsumes(CodeSystem({**ANIMALS, "content": "fragment"}), "cat", "dog")
