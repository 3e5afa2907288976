"""FHIRPath Patch: each operation, choices, primitive extensions, backbone elements, errors."""

from copy import deepcopy
from typing import Any

import pytest

from resources.errors import BadSyntax, BusinessRule
from resources.patch import fhirpath_patch

PATIENT: dict[str, Any] = {
    "resourceType": "Patient",
    "name": [
        {"use": "official", "family": "Moor", "given": ["Ada", "Ida"], "_given": [None, {"id": "g"}]},
        {"text": "Adi"},
    ],
    "birthDate": "1974-12-25",
    "_birthDate": {"extension": [{"url": "u", "valueString": "x"}]},
    "deceasedBoolean": False,
    "gender": "female",
    "contact": [{"gender": "male"}],
}


def operation(kind: str, path: str, **parts: Any) -> dict[str, Any]:
    """One operation; a value given as ``valueX={...}`` becomes the part 'value', other parts keep their names."""
    found = [{"name": "type", "valueCode": kind}, {"name": "path", "valueString": path}]
    for name, value in parts.items():
        if name.startswith(("value", "part", "resource", "_value")):
            found.append({"name": "value", name: value})
        else:
            found.append({"name": name, "valueInteger" if isinstance(value, int) else "valueString": value})
    return {"name": "operation", "part": found}


def _applied(*operations: dict[str, Any]) -> dict[str, Any]:
    before = deepcopy(PATIENT)
    result = fhirpath_patch.apply(PATIENT, {"resourceType": "Parameters", "parameter": list(operations)})
    assert before == PATIENT
    return result


def test_no_operations() -> None:
    assert fhirpath_patch.apply(PATIENT, {"resourceType": "Parameters"}) == PATIENT


def test_add() -> None:
    assert _applied(operation("add", "Patient", name="active", valueBoolean=True))["active"] is True
    added = _applied(operation("add", "Patient.name[1]", name="given", valueString="Adi"))
    assert added["name"][1]["given"] == ["Adi"]
    assert len(_applied(operation("add", "Patient", name="name", valueHumanName={"text": "C"}))["name"]) == 3


def test_add_choice() -> None:
    quantity = {"value": 1}
    extension = {"resourceType": "Observation", "status": "final"}
    patch = {
        "resourceType": "Parameters",
        "parameter": [operation("add", "Observation", name="value", valueQuantity=quantity)],
    }
    assert fhirpath_patch.apply(extension, patch)["valueQuantity"] == quantity
    with pytest.raises(BusinessRule):
        _applied(operation("add", "Patient", name="deceased", valueDateTime="2020"))


def test_add_backbone_by_parts() -> None:
    parts = [
        {"name": "gender", "valueCode": "other"},
        {"name": "telecom", "valueContactPoint": {"value": "1"}},
        {"name": "telecom", "valueContactPoint": {"value": "2"}},
        {"name": "name", "valueHumanName": {"text": "N"}},
    ]
    contact = {"gender": "other", "telecom": [{"value": "1"}, {"value": "2"}], "name": {"text": "N"}}
    assert _applied(operation("add", "Patient", name="contact", part=parts))["contact"][1] == contact
    link = [{"name": "type", "valueCode": "refer"}, {"name": "other", "valueReference": {"reference": "Patient/1"}}]
    assert _applied(operation("add", "Patient", name="link", part=link))["link"][0]["type"] == "refer"


def test_add_contained_resource() -> None:
    resource = {"resourceType": "Organization", "id": "o"}
    assert _applied(operation("add", "Patient", name="contained", resource=resource))["contained"] == [resource]


def test_extensions_of_primitives() -> None:
    extension = {"url": "v", "valueString": "y"}
    parts = [{"name": "url", "valueUri": "v"}, {"name": "value", "valueString": "y"}]
    assert _applied(operation("add", "Patient.gender", name="extension", part=parts))["_gender"] == {
        "extension": [extension]
    }
    second = _applied(operation("add", "Patient.name[0].given[0]", name="extension", part=parts))
    assert second["name"][0]["_given"] == [{"extension": [extension]}, {"id": "g"}]
    assert "_birthDate" not in _applied(operation("delete", "Patient.birthDate.extension"))
    assert "_given" not in _applied(operation("delete", "Patient.name[0].given[1].id"))["name"][0]


def test_insert() -> None:
    result = _applied(operation("insert", "Patient.name[0].given", index=1, valueString="Eva"))["name"][0]
    assert result["given"] == ["Ada", "Eva", "Ida"] and result["_given"] == [None, None, {"id": "g"}]
    assert (
        _applied(operation("insert", "Patient.name", index=2, valueHumanName={"text": "C"}))["name"][2]["text"] == "C"
    )


def test_delete() -> None:
    assert "birthDate" not in _applied(operation("delete", "Patient.birthDate"))
    assert "_birthDate" not in _applied(operation("delete", "Patient.birthDate"))
    result = _applied(operation("delete", "Patient.name[0].given[0]"))["name"][0]
    assert result["given"] == ["Ida"] and result["_given"] == [{"id": "g"}]
    assert "contact" not in _applied(operation("delete", "Patient.contact.gender"))
    assert _applied(operation("delete", "Patient.maritalStatus")) == PATIENT


def test_replace() -> None:
    assert _applied(operation("replace", "Patient.gender", valueCode="male"))["gender"] == "male"
    born = _applied(operation("replace", "Patient.birthDate", valueDate="1975"))
    assert born["birthDate"] == "1975" and "_birthDate" not in born
    late = _applied(operation("replace", "Patient.deceased", valueDateTime="2020"))
    assert list(late)[4] == "deceasedDateTime" and "deceasedBoolean" not in late
    given = _applied(operation("replace", "Patient.name.given.where($this = 'Ida')", valueString="Eva"))["name"][0]
    assert given["given"] == ["Ada", "Eva"] and "_given" not in given
    part = [{"name": "gender", "valueCode": "unknown"}]
    assert _applied(operation("replace", "Patient.contact[0]", part=part))["contact"] == [{"gender": "unknown"}]
    hidden = _applied(operation("replace", "Patient.gender", _valueCode={"id": "h"}))
    assert "gender" not in hidden and hidden["_gender"] == {"id": "h"}


def test_move() -> None:
    names = _applied(operation("move", "Patient.name", source=1, destination=0))["name"]
    assert [name.get("text") for name in names] == ["Adi", None]
    given = _applied(operation("move", "Patient.name[0].given", source=0, destination=1))["name"][0]
    assert given["given"] == ["Ida", "Ada"] and given["_given"] == [{"id": "g"}, None]


@pytest.mark.parametrize(
    "wrong",
    [
        operation("add", "Patient.maritalStatus", name="text", valueString="x"),
        operation("add", "Patient", name="gender", valueCode="male"),
        operation("add", "Patient.name", name="text", valueString="x"),
        operation("replace", "Patient.maritalStatus", valueCodeableConcept={"text": "x"}),
        operation("replace", "Patient", valueString="x"),
        operation("replace", "Patient.name", valueHumanName={"text": "x"}),
        operation("delete", "Patient.name"),
        operation("delete", "Patient"),
        operation("insert", "Patient.name", index=3, valueHumanName={"text": "x"}),
        operation("insert", "Patient.photo", index=0, valueAttachment={"title": "x"}),
        operation("insert", "Patient.gender", index=0, valueCode="x"),
        operation("insert", "Patient.name.where(use = 'official')", index=0, valueHumanName={"text": "x"}),
        operation("move", "Patient.name", source=2, destination=0),
        operation("delete", "Patient.name.single()"),
    ],
)
def test_what_does_not_fit(wrong: dict[str, Any]) -> None:
    with pytest.raises(BusinessRule, match="Operation 1") as error:
        _applied(wrong)
    assert error.value.issues[0].expression == "Parameters.parameter[0]"


@pytest.mark.parametrize(
    "wrong",
    [
        operation("upsert", "Patient"),
        operation("delete", "Patient.nam"),
        operation("delete", "Patient.name["),
        operation("delete", "Patient.deceasedBoolean"),
        operation("delete", "Patient.name.count()"),
        operation("add", "Patient", name="nam", valueString="x"),
        operation("add", "Patient", name="name", valueString="x"),
        operation("add", "Patient", name="active"),
        operation("add", "Patient.gender", name="text", valueString="x"),
        operation("add", "Patient", name="contact", part=[{"name": "size", "valueInteger": 1}]),
        operation("add", "Patient", name="contact", part=[{"name": "gender", "valueCode": c} for c in "ab"]),
        operation("add", "Patient", name="active", part=[]),
        operation("add", "Patient", name="active", valueBoolean=[True]),
        operation("add", "Patient", name="active", valueBoolean=None),
        operation("add", "Patient", name="active", valueNothing=1),
        operation("replace", "Patient.deceased", valueString="x"),
        operation("insert", "Patient.name", index=-1, valueHumanName={"text": "x"}),
        operation("move", "Patient.name", source=0),
        {"name": "other"},
        {"name": "operation", "part": "x"},
        {"name": "operation", "part": [{"name": "type", "valueCode": "delete"}]},
        {"name": "operation", "part": [{"name": "what"}]},
        "x",
    ],
)
def test_what_is_no_patch(wrong: Any) -> None:
    with pytest.raises(BadSyntax):
        _applied(wrong)


@pytest.mark.parametrize("patch", [None, [], {}, {"resourceType": "Parameters", "parameter": {}}])
def test_what_is_no_parameters(patch: Any) -> None:
    with pytest.raises(BadSyntax):
        fhirpath_patch.apply(PATIENT, patch)
