"""Shapes of paths, and the checks of types and ids."""

import pytest

from fhir_server.interactions.addresses import checked_id, checked_type, shape
from resources.errors import Invalid, NotFound


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("", ""),
        ("metadata", "metadata"),
        ("_history", "_history"),
        ("$meta", "$"),
        ("Patient", "{type}"),
        ("Patient/_search", "{type}/_search"),
        ("Patient/$validate", "{type}/$"),
        ("Patient/1", "{type}/{id}"),
        ("Patient/1/_history", "{type}/{id}/_history"),
        ("Patient/1/_history/2", "{type}/{id}/_history/{vid}"),
        ("Patient/1/$everything", "{type}/{id}/$"),
        ("Patient/1/Observation", "{type}/{id}/{other}"),
        ("Patient/1/Observation/_search", "{type}/{id}/{other}/_search"),
        ("Patient/1/*", "{type}/{id}/*"),
        ("a/b/c/d/e", "?"),
    ],
)
def test_shape(path: str, expected: str) -> None:
    assert shape(tuple(path.split("/")) if path else ()) == expected


@pytest.mark.parametrize(
    ("wrong", "near"), [("Patients", "Patient"), ("patient", "Patient"), ("Observaton", "Observation")]
)
def test_unknown_type_names_the_nearest(wrong: str, near: str) -> None:
    with pytest.raises(NotFound, match=f"Did you mean {near}"):
        checked_type(wrong)


def test_abstract_types_are_no_resource_types() -> None:
    assert checked_type("Patient") == "Patient"
    for type in ("Resource", "DomainResource", "HumanName", ""):
        with pytest.raises(NotFound):
            checked_type(type)


@pytest.mark.parametrize("id", ["a b", "", "a" * 65, "é", "a/b", "a_b"])
def test_no_id(id: str) -> None:
    with pytest.raises(Invalid):
        checked_id(id)


def test_id() -> None:
    assert checked_id("A-1.b") == "A-1.b"
