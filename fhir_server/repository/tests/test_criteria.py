"""What criteria lock: as little as tells apart who can disturb each other."""

import pytest

from fhir_server.repository.criteria import carried, lock_parts

TYPE = [("Patient", "criteria")]


@pytest.mark.parametrize(
    ("criteria", "values"),
    [
        ("identifier=urn:a|1", ["urn:a|1"]),
        ("identifier=urn:a|1&identifier=urn:b|2", ["urn:a|1", "urn:b|2"]),
        ("identifier=urn:a%7C1,urn:b%7C2", ["urn:a|1", "urn:b|2"]),
        ("identifier=urn:a|1%5C,2", ["urn:a|1,2"]),
        ("identifier=urn:a|1%5C%7C2", ["urn:a|1|2"]),
    ],
)
def test_identifiers_are_locked_one_by_one_as_resources_carry_them(criteria: str, values: list[str]) -> None:
    assert list(lock_parts("Patient", criteria)) == [("Patient", "identifier", value) for value in values]
    resource = {
        "resourceType": "Patient",
        "identifier": [dict(zip(("system", "value"), v.split("|", 1), strict=True)) for v in values],
    }
    assert list(carried(resource)) == list(lock_parts("Patient", criteria))


@pytest.mark.parametrize(
    "criteria",
    ["name=x", "identifier=1", "identifier=urn:a|", "identifier=urn:a|1,2", "identifier=urn:a|1&active=true"],
)
def test_other_criteria_lock_the_type(criteria: str) -> None:
    assert list(lock_parts("Patient", criteria)) == TYPE
