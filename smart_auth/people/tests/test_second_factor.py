"""Of whom a second factor is required."""

import pytest

from smart_auth.model import Person
from smart_auth.people.second_factor import Required, usual

ROOT = Person(id="r", login="root", name="Root", administrator=True)
GRACE = Person(id="g", login="grace", name="Grace", fhir_user="Practitioner/1")
ADA = Person(id="a", login="ada", name="Ada", fhir_user="Patient/1", patient="1")


@pytest.mark.parametrize(
    ("required", "people"),
    [(Required.NOBODY, []), (Required.ADMINISTRATORS, [ROOT]), (Required.STAFF, [ROOT, GRACE])],
)
def test_of_whom(required: Required, people: list[Person]) -> None:
    assert [one for one in (ROOT, GRACE, ADA) if required.owed(one, ("pwd",))] == people
    assert not any(required.owed(one, ("hwk", "user", "mfa")) for one in (ROOT, GRACE, ADA))


@pytest.mark.parametrize(
    ("issuer", "required"),
    [
        ("https://fhir.hospital.example", Required.ADMINISTRATORS),
        ("http://10.0.0.5:8080", Required.ADMINISTRATORS),
        ("https://localhost.example", Required.ADMINISTRATORS),
        ("http://127.0.0.1:8080", Required.NOBODY),
        ("http://[::1]:8080", Required.NOBODY),
        ("http://localhost:8080", Required.NOBODY),
    ],
)
def test_what_is_usual(issuer: str, required: Required) -> None:
    assert usual(issuer) is required
