"""A term asked of one resource answers as the index does."""

from typing import Any

import msgspec
import pytest

from resources.search_param import compile_param, extract
from resources.search_param.matching import Subject, fits
from resources.search_param.terms import All, Not, Refers

OBSERVATION: dict[str, Any] = {
    "resourceType": "Observation",
    "id": "o1",
    "status": "final",
    "category": [{"coding": [{"system": "urn:cat", "code": "laboratory", "display": "Lab"}]}],
    "code": {"coding": [{"system": "http://loinc.org", "code": "8867-4"}], "text": "Heart rate"},
    "subject": {"reference": "Patient/p1"},
    "effectiveDateTime": "2020-05-01T10:00:00Z",
    "valueQuantity": {"value": 72, "unit": "/min", "system": "http://unitsofmeasure.org", "code": "/min"},
}
PATIENT: dict[str, Any] = {
    "resourceType": "Patient",
    "id": "p1",
    "name": [{"family": "Smith", "given": ["Ann"]}],
    "birthDate": "1980-02",
    "meta": {"security": [{"system": "urn:label", "code": "R"}], "profile": ["http://example.org/p"]},
}
UPDATED = 1_600_000_000_000


def asked(resource: dict[str, Any], name: str, value: str) -> bool:
    code, _, modifier = name.partition(":")
    term = compile_param(resource["resourceType"], code, modifier, value)
    return fits(term, Subject(resource["resourceType"], resource["id"], UPDATED, msgspec.json.encode(resource)))


@pytest.mark.parametrize(
    ("name", "value", "met"),
    [
        ("category", "urn:cat|laboratory", True),
        ("category", "laboratory", True),
        ("category", "urn:cat|", True),
        ("category", "urn:cat|survey,urn:cat|laboratory", True),
        ("category", "urn:cat|survey", False),
        ("category", "urn:other|laboratory", False),
        ("category:not", "laboratory", False),
        ("category:not", "survey", True),
        ("category:missing", "false", True),
        ("category:missing", "true", False),
        ("code:text", "heart", True),
        ("subject", "Patient/p1", True),
        ("subject", "p2", False),
        ("date", "2020-05-01", True),
        ("date", "ge2020-06", False),
        ("value-quantity", "gt70", True),
        ("value-quantity", "gt70||/min", True),
        ("value-quantity", "lt70", False),
        ("_id", "o1", True),
        ("_id", "o2", False),
        ("_lastUpdated", "lt2021", True),
        ("_lastUpdated", "ge2021", False),
    ],
)
def test_parameters_of_an_observation(name: str, value: str, met: bool) -> None:
    assert asked(OBSERVATION, name, value) is met


@pytest.mark.parametrize(
    ("name", "value", "met"),
    [
        ("name", "smi", True),
        ("name:exact", "Smith", True),
        ("name:exact", "smith", False),
        ("family:contains", "mit", True),
        ("given", "Bob", False),
        ("birthdate", "1980", True),
        ("birthdate", "lt1980", False),
        ("_security", "urn:label|R,urn:label|V", True),
        ("_security", "urn:label|V", False),
        ("_profile", "http://example.org/p", True),
        ("gender:missing", "true", True),
    ],
)
def test_parameters_of_a_patient(name: str, value: str, met: bool) -> None:
    assert asked(PATIENT, name, value) is met


def test_what_leads_elsewhere_is_never_met() -> None:
    subject = Subject("Observation", "o1", UPDATED, b"", extract(OBSERVATION))
    chain = Refers("Observation", ("Observation.subject",), "Patient", All("Patient"))
    assert not fits(chain, subject)
    assert fits(All("Observation"), subject) and not fits(All("Patient"), subject)
    assert not fits(Not("Observation", All("Observation")), subject)


def test_numbers_beyond_those_of_the_machine() -> None:
    doc = b'{"resourceType":"Observation","id":"o1","code":{"text":"x"},"valueQuantity":{"value":1e400}}'
    for name, value, met in (("_id", "o1", True), ("code", "x", False), ("value-quantity", "gt5", True)):
        assert fits(compile_param("Observation", name, "", value), Subject("Observation", "o1", UPDATED, doc)) == met
