"""Operations and values of Parameters."""

import pytest

from resources.errors import BadSyntax
from resources.fhirpath.node import fields
from resources.patch.document import Place
from resources.patch.parameters_value import Value, operations, primitive, value_for

PLACE = Place(1, "add", "Patient")


def test_operations() -> None:
    parts = [{"name": "type", "valueCode": "move"}, {"name": "path", "valueString": "Patient.name"}]
    parts += [{"name": "source", "valueInteger": 1}, {"name": "destination", "valueInteger": 0}]
    [found] = operations({"resourceType": "Parameters", "parameter": [{"name": "operation", "part": parts}]})
    assert (found.type, found.path, found.number("source")) == ("move", "Patient.name", 1)
    with pytest.raises(BadSyntax):
        found.text("source")


def test_values() -> None:
    part = {"name": "value", "valueAge": {"value": 1}}
    assert value_for(PLACE, part, fields("Condition")["onset"], "onset") == Value("onsetAge", {"value": 1}, None)
    text = {"name": "value", "valueString": "x", "_valueString": {"id": "1"}}
    assert value_for(PLACE, text, fields("HumanName")["family"], "family") == Value("family", "x", {"id": "1"})
    assert primitive({"valueCode": "a"}) == "a" and primitive({"valueAge": {}}) is None


@pytest.mark.parametrize("name", [None, 1, ["path"], {"a": "b"}])
def test_a_part_without_a_name(name: object) -> None:
    with pytest.raises(BadSyntax):
        operations({"resourceType": "Parameters", "parameter": [{"name": "operation", "part": [{"name": name}]}]})
