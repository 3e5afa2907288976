"""The strict JSON Schemas of the quick look."""

import json

from jsonschema import Draft4Validator

from resources.definitions import RESOURCE_TYPES
from resources.validation.schema import owned_rules, residual, schema_of
from resources.validation.tests.planted import VALID


def test_every_type_has_a_sound_schema() -> None:
    for name in sorted(RESOURCE_TYPES):
        schema = schema_of([name])
        known = set(schema["definitions"])
        used = set(json.dumps(schema).split('"#/definitions/')[1:])
        assert {text.partition('"')[0] for text in used} <= known
    Draft4Validator.check_schema(schema_of(["Patient"]))


def test_it_says_what_a_second_implementation_understands_too() -> None:
    schema = Draft4Validator(schema_of(["Encounter", "Patient"]))
    good = VALID["encounter"]
    assert schema.is_valid({"Encounter": good})
    assert not schema.is_valid({"Encounter": good | {"status": "done"}})
    assert not schema.is_valid({"Encounter": good | {"nosuch": 1}})
    assert not schema.is_valid({"Encounter": good | {"subject": {"reference": "Practitioner/1"}}})
    assert not schema.is_valid({"Patient": good})


def test_what_is_left_to_look_at() -> None:
    assert owned_rules("Period") == ["per-1"]
    assert owned_rules("Quantity") == []
    assert residual("Identifier")
    assert not residual("Coding")
    assert residual("Questionnaire.item")
