"""Whose record a document is."""

import json
from typing import Any

import pytest

from resources.main_patient import patient_of


@pytest.mark.parametrize(
    ("resource", "patient"),
    [
        ({"resourceType": "Patient"}, "Patient/x"),
        ({"resourceType": "Observation", "subject": {"reference": "Patient/1"}}, "Patient/1"),
        ({"resourceType": "Observation", "subject": {"reference": "Patient/1/_history/2"}}, "Patient/1"),
        ({"resourceType": "Claim", "patient": {"reference": "Patient/1"}}, "Patient/1"),
        ({"resourceType": "Coverage", "beneficiary": {"reference": "Patient/1"}}, "Patient/1"),
        ({"resourceType": "Task", "for": {"reference": "Patient/1"}}, "Patient/1"),
        ({"resourceType": "Account", "subject": [{"reference": "Device/1"}, {"reference": "Patient/1"}]}, "Patient/1"),
        ({"resourceType": "Observation", "performer": [{"reference": "Patient/1"}]}, ""),
        ({"resourceType": "Observation", "subject": {"reference": "Group/1"}}, ""),
        ({"resourceType": "Basic", "subject": "no reference", "author": {"reference": "Patient/1"}}, ""),
    ],
)
def test_the_main_patient(resource: dict[str, Any], patient: str) -> None:
    assert patient_of(resource["resourceType"], "x", json.dumps(resource).encode()) == patient
