"""Concepts, their hierarchy however it is written, and supplements."""

import pytest

from resources.terminology.code_system import CodeSystem
from resources.terminology.tests.given import ANIMALS, code_system, concept


def test_nested_concepts_are_a_hierarchy() -> None:
    known = CodeSystem(ANIMALS)
    assert list(known.concepts) == ["animal", "cat", "dog", "poodle", "dodo"]
    assert set(known.descendants("animal")) == {"cat", "dog", "poodle"}
    assert list(known.ancestors("poodle")) == ["dog", "animal"]
    assert list(known.children("animal")) == ["cat", "dog"]


@pytest.mark.parametrize("uri", ["", "http://hl7.org/fhir/concept-properties#"])
def test_properties_are_a_hierarchy_too(uri: str) -> None:
    """Under their usual names, or under others that the property's uri explains."""
    up, down = ("up", "down") if uri else ("parent", "child")
    declared = [{"code": up, "uri": f"{uri}parent"}, {"code": down, "uri": f"{uri}child"}] if uri else []
    known = CodeSystem(
        code_system(
            concept("a", property=[{"code": down, "valueCode": "b"}]),
            concept("b"),
            concept("c", property=[{"code": up, "valueCode": "b"}, {"code": up, "valueCode": "a"}]),
            property=declared,
        )
    )
    assert set(known.descendants("a")) == {"b", "c"} and set(known.parents("c")) == {"a", "b"}


def test_a_cycle_ends() -> None:
    chain = [concept(f"c{n}", property=[{"code": "parent", "valueCode": f"c{(n + 1) % 5}"}]) for n in range(5)]
    assert set(CodeSystem(code_system(*chain)).descendants("c0")) == {"c1", "c2", "c3", "c4"}


def test_a_depth_of_thousands() -> None:
    chain = [concept(f"c{n}", property=[{"code": "parent", "valueCode": f"c{n - 1}"}]) for n in range(5000)]
    assert sum(1 for _ in CodeSystem(code_system(*chain)).descendants("c0")) == 4999
    nested = concept("n0")
    for n in range(1, 3000):
        nested = concept(f"n{n}", nested)
    assert sum(1 for _ in CodeSystem(code_system(nested)).ancestors("n0")) == 2999


def test_abstract_and_inactive_concepts() -> None:
    known = CodeSystem(ANIMALS)
    assert known.concepts["animal"].abstract and not known.concepts["cat"].abstract
    assert known.concepts["dodo"].inactive and not known.concepts["cat"].inactive


def test_case() -> None:
    assert CodeSystem(ANIMALS).find("CAT") is None
    found = CodeSystem({**ANIMALS, "caseSensitive": False}).find("CAT")
    assert found is not None and found.code == "cat"


def test_supplements_add_words_and_properties() -> None:
    extra = code_system(
        concept("cat", designation=[{"value": "chat"}], property=[{"code": "legs", "valueInteger": 4}]),
        content="supplement",
    )
    found = CodeSystem(ANIMALS, [extra]).concepts["cat"]
    assert [d["value"] for d in found.designations] == ["Katze", "chat"]
    assert found.values("legs") == [4]


@pytest.mark.parametrize(("content", "enumerable"), [("complete", True), ("fragment", False), ("not-present", False)])
def test_only_a_complete_one_is_all_of_it(content: str, enumerable: bool) -> None:
    assert CodeSystem({**ANIMALS, "content": content}).enumerable is enumerable
