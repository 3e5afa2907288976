"""The typed view of decoded JSON."""

from decimal import Decimal

import pytest

from resources.fhirpath.errors import PathSemanticError
from resources.fhirpath.node import Node, children, element_type, plain, root, select, subtype, system_value
from resources.fhirpath.quantity import Quantity
from resources.fhirpath.tests.sample import OBSERVATION, PATIENT


def _children(node: Node, name: str, strict: bool = False) -> list[Node]:
    out: list[Node] = []
    select(node, name, out, strict)
    return out


def test_types_and_places() -> None:
    [given] = _children(_children(root(PATIENT), "name")[1], "given")
    assert (given.value, given.type, given.path) == ("Adi", "string", "Patient.name[1].given[0]")


def test_choices() -> None:
    [value] = _children(root(OBSERVATION), "value")
    assert value.type == "Quantity"
    assert [node.type for node in _children(root(OBSERVATION), "valueQuantity")] == ["Quantity"]
    with pytest.raises(PathSemanticError):
        _children(root(OBSERVATION), "valueQuantity", strict=True)


def test_primitive_extensions() -> None:
    [born] = _children(root(PATIENT), "birthDate")
    [extension] = _children(born, "extension")
    assert [str(node.value) for node in _children(extension, "value")] == ["1974-12-25T14:35:45-05:00"]
    assert [child.type for child in children(born)] == ["Extension"]


def test_nulls_keep_the_pairing() -> None:
    name = Node({"given": ["a", None], "_given": [None, {"id": "x"}]}, "HumanName")
    first, second = _children(name, "given")
    assert (first.value, first.extra, second.value, second.extra) == ("a", None, None, {"id": "x"})
    assert [node.value for node in _children(second, "id")] == ["x"]


def test_resources_within() -> None:
    assert [node.type for node in _children(root(PATIENT), "contained")] == ["Organization"]


def test_unknown_types_are_plain_objects() -> None:
    assert [node.value for node in _children(root({"a": [1, 2]}), "a")] == [1, 2]


def test_element_types() -> None:
    assert element_type("ElementDefinition.max") == "string"
    assert element_type("Patient.contact") == "Patient.contact"
    assert element_type("Observation.value[x]") == "" == element_type("Nothing.at.all")
    assert subtype("code", "string") and subtype("Age", "Quantity") and not subtype("Patient", "Practitioner")


def test_system_values() -> None:
    assert str(system_value(Node("1974", "date"))) == "1974"
    assert isinstance(system_value(Node(5, "decimal")), Decimal)
    assert system_value(Node({"value": 5}, "Quantity")) == Quantity(Decimal(5), "1")
    assert system_value(Node("not a date", "date")) == "not a date"


def test_plain() -> None:
    assert plain(system_value(Node("10:30", "time"))) == "10:30"
    assert plain(Quantity(Decimal(1), "mg"))["code"] == "mg"
    assert "system" not in plain(Quantity(Decimal(1), "day", calendar=True))
