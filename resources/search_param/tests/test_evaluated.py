"""Stored parameters of every type: what is indexed is what a query asks for, and no expression does any harm."""

from typing import Any

import pytest

from resources.definitions import SearchParam
from resources.search_param import compile_param, extract, sort_values
from resources.search_param.matching import Subject, fits
from resources.search_param.registry import BUILT_IN, Custom, Registry, current, using

EMAIL = {"system": "email", "value": "A@b"}
UCUM = "http://unitsofmeasure.org"
URL = "https://h.example/x"
PATIENT: dict[str, Any] = {
    "resourceType": "Patient",
    "id": "p",
    "active": True,
    "name": [{"family": "Åberg", "given": ["Kim", "Lee"]}],
    "contact": [{"name": {"family": "Mother"}}],
    "birthDate": "1980-05-06",
    "managingOrganization": {"reference": "Organization/o1"},
}
EXTENDED = f"Patient.extension.where(url='{URL}').value"

CASES: list[tuple[str, str, dict[str, Any], str, str]] = [
    ("token", f"{EXTENDED} as code", {"valueCode": "red"}, "red", "blue"),
    ("token", f"{EXTENDED}", {"valueCode": "red"}, "red", "blue"),
    ("token", f"{EXTENDED}.ofType(Coding)", {"valueCoding": {"system": "s", "code": "a"}}, "s|a", "s|b"),
    ("token", f"Patient.extension('{URL}')", {"valueCoding": {"system": "s", "code": "a"}}, "s|a", "s|b"),
    ("token", f"{EXTENDED}.ofType(Identifier)", {"valueIdentifier": {"system": "s", "value": "V"}}, "s|V", "s|v"),
    ("token", f"{EXTENDED}.ofType(ContactPoint)", {"valueContactPoint": EMAIL}, "a@B", "c@b"),
    ("token", "Patient.active.exists()", {}, "true", "false"),
    ("string", f"{EXTENDED}.ofType(string)", {"valueString": "Grün"}, "gru", "run"),
    ("string", "Patient.contact.name", {}, "moth", "ther"),
    ("string", "Patient.name.given.first() & ' ' & Patient.name.family.first()", {}, "kim aberg", "aberg"),
    ("date", f"{EXTENDED}.ofType(dateTime)", {"valueDateTime": "2024-05-06T07:08:09Z"}, "2024-05", "2024-06"),
    ("date", f"{EXTENDED}.ofType(Period)", {"valuePeriod": {"start": "2024-05-06"}}, "gt2024-07", "lt2024-04"),
    ("number", f"{EXTENDED}.ofType(integer)", {"valueInteger": 7}, "gt6", "lt7"),
    ("number", "Patient.name.given.count()", {}, "2", "3"),
    (
        "quantity", f"{EXTENDED}.ofType(Quantity)",
        {"valueQuantity": {"value": 5, "system": UCUM, "code": "mg"}},
        "ge5|http://unitsofmeasure.org|mg", "gt5|http://unitsofmeasure.org|mg",
    ),
    ("quantity", f"{EXTENDED} as Age", {"valueAge": {"value": 5, "system": UCUM, "code": "a"}}, "5", "6"),
    ("reference", f"{EXTENDED} as Reference", {"valueReference": {"reference": "Device/1"}}, "Device/1", "Device/2"),
    ("reference", "Patient.managingOrganization.where(resolve() is Organization)", {}, "o1", "o2"),
    ("uri", f"{EXTENDED} as uri", {"valueUri": "urn:x:y"}, "urn:x:y", "urn:x"),
]  # fmt: skip


def _registry(kind: str, expression: str, base: str = "Patient") -> Registry:
    targets = ("Organization", "Device") if kind == "reference" else ()
    return Registry(4, (Custom(9, "id", SearchParam("mine", "u", kind, (base,), expression, targets)),))


@pytest.mark.parametrize(("kind", "expression", "value", "hit", "miss"), CASES)
def test_each_type(kind: str, expression: str, value: dict[str, Any], hit: str, miss: str) -> None:
    with using(_registry(kind, expression)):
        resource = PATIENT | ({"extension": [{"url": URL, **value}]} if value else {})
        subject = Subject("Patient", "p", 0, b"", extract(resource))
        assert subject.entries.generation == 4
        assert fits(compile_param("Patient", "mine", "", hit), subject)
        assert not fits(compile_param("Patient", "mine", "", miss), subject)
        assert fits(compile_param("Patient", "mine", "missing", "false"), subject)
        assert sort_values(resource, "mine")
        without = Subject("Patient", "p", 0, b"", extract({"resourceType": "Patient", "id": "q"}))
        if "exists" not in expression and "count" not in expression and "&" not in expression:
            assert fits(compile_param("Patient", "mine", "missing", "true"), without)
            assert not [k for k in without.entries.posts if k.branch.startswith("#")]


def test_the_specification_is_all_there_is_outside() -> None:
    assert current() is BUILT_IN
    entries = extract(PATIENT)
    assert entries.generation == 0
    assert not [key for key in entries.posts if key.branch.startswith("#")]


@pytest.mark.parametrize(
    "expression",
    ["Patient.name.given.single()", "Patient.name.given + 1", "Patient.birthDate / 0", "Patient.name.toInteger() / 0",
     "Patient.name.select(%resource.name.select(%resource.name.select(%resource.name)))"],
)  # fmt: skip
def test_a_failing_expression_finds_nothing_and_harms_nothing(expression: str) -> None:
    many = PATIENT | {"name": [{"family": f"n{n}", "given": ["a", "b"]} for n in range(80)]}
    plain = extract(many)
    with using(_registry("token", expression)):
        found = extract(many)
    assert found._replace(generation=0) == plain


def test_a_parameter_of_all_types() -> None:
    with using(_registry("token", f"Resource.extension('{URL}').value.ofType(code)", "Resource")):
        for type in ("Patient", "Observation", "Binary"):
            found = extract({"resourceType": type, "id": "1", "extension": [{"url": URL, "valueCode": "red"}]})
            assert [key.type for key in found.posts if key.form == "c" and key.branch.startswith("#")] in ([type], [])
