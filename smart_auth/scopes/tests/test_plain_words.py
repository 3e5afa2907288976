"""The words that scopes are told in: complete, and of things that exist."""

import re

from resources import definitions
from resources.search_param.compile import compile_param
from smart_auth.scopes import plain_words
from smart_auth.scopes.algebra import LETTERS, SPECIAL


def test_every_type_of_the_patient_compartment_has_words() -> None:
    members = {type for type, params in definitions.compartment("Patient").items() if params}
    assert members <= set(plain_words.TYPES) <= definitions.RESOURCE_TYPES


def test_no_two_types_are_told_alike() -> None:
    assert len(set(plain_words.TYPES.values())) == len(plain_words.TYPES)


def test_words_are_plain() -> None:
    for words in plain_words.TYPES.values():
        assert re.fullmatch(r"[A-Z][A-Za-z,' -]+", words)


def test_every_special_scope_and_permission_has_words() -> None:
    assert set(plain_words.SPECIAL) == SPECIAL
    assert sorted("".join(action.letters for action in plain_words.ACTIONS.values())) == sorted(LETTERS)


def test_categories_can_be_searched() -> None:
    for type, rows in plain_words.CATEGORIES.items():
        for value in rows:
            compile_param(type, "category", "", value)


def test_a_type_without_words_is_told_by_its_name() -> None:
    assert plain_words.of_type("SubstanceProtein") == 'Entries of the kind "substance protein"'


def test_a_launch_context_by_its_type() -> None:
    words = plain_words.of_special("launch/imagingstudy?role=r")
    assert (words.label, words.declined) == ("Know the imagingstudy in use", False)


def test_parameters() -> None:
    lab = "http://terminology.hl7.org/CodeSystem/observation-category|laboratory"
    assert plain_words.of_params("Observation", (("category", lab),)) == "Laboratory results"
    told = plain_words.of_params("Observation", (("category", f"{lab},x"), ("value-quantity", "5")))
    assert told == f"Only those whose category is {lab},x; Only those whose value quantity is 5"
