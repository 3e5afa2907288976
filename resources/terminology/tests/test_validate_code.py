"""$validate-code: membership, displays, abstract codes, concepts of several codings."""

import pytest

from resources.terminology.code_system import CodeSystem
from resources.terminology.tests.given import ANIMALS, SYSTEM, Shelf, chosen, listed, value_set
from resources.terminology.validate_code import Coded, in_code_system, in_value_set

SHELF = Shelf(ANIMALS)
ALL = value_set("http://example.org/all", [{"system": SYSTEM}], [listed("dog")])
JUDGED = [
    (Coded(SYSTEM, "cat"), True, ""),
    (Coded(SYSTEM, "cat", "cat"), True, ""),
    (Coded(SYSTEM, "cat", "katze"), True, ""),
    (Coded(SYSTEM, "cat", "Dog"), False, "display"),
    (Coded(SYSTEM, "dog"), False, "not in the value set"),
    (Coded(SYSTEM, "cow"), False, "no code of that code system"),
    (Coded("urn:other", "cat"), False, "not in the value set"),
    (Coded(SYSTEM, "animal"), False, "abstract"),
    (Coded(SYSTEM, "dodo"), True, "inactive"),
]


def answer(found):
    return {each["name"]: next(v for k, v in each.items() if k != "name") for each in found["parameter"]}


@pytest.mark.parametrize(("coded", "result", "text"), JUDGED)
def test_one_code(coded: Coded, result: bool, text: str) -> None:
    found = answer(in_value_set(SHELF, ALL, [coded]))
    assert found["result"] is result and text in found.get("message", "" if not text else "-")


def test_an_abstract_code_where_one_is_asked_for() -> None:
    assert answer(in_value_set(SHELF, ALL, [Coded(SYSTEM, "animal")], abstract=True))["result"] is True


def test_of_a_concept_one_coding_is_enough() -> None:
    good, bad, wrong = Coded(SYSTEM, "cat"), Coded("urn:x", "1"), Coded(SYSTEM, "poodle", "Cat")
    assert answer(in_value_set(SHELF, ALL, [bad, good]))["result"] is True
    assert answer(in_value_set(SHELF, ALL, [bad]))["result"] is False
    named = value_set("", [listed("poodle"), chosen("concept", "is-a", "cat")])
    named["compose"]["include"][0]["concept"][0]["display"] = "Poodle"
    assert answer(in_value_set(SHELF, named, [good, wrong]))["result"] is False


def test_a_system_that_is_not_here_cannot_be_vouched_for() -> None:
    found = answer(in_value_set(Shelf(), value_set("", [{"system": "urn:x"}]), [Coded("urn:x", "1")]))
    assert found["result"] is False and "not stored here" in found["message"]


def test_in_a_code_system() -> None:
    known = CodeSystem(ANIMALS)
    assert in_code_system(known, Coded(SYSTEM, "animal")).result
    assert not in_code_system(known, Coded(SYSTEM, "cow")).result
    part = in_code_system(CodeSystem({**ANIMALS, "content": "fragment"}), Coded(SYSTEM, "cow"))
    assert not part.result and "Only a part" in part.message
