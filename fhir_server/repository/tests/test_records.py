"""The audit record of a write says what was done, to which version, and of whom."""

from typing import Any

import pytest

from fhir_server.audit.record import Interaction
from fhir_server.repository.records import write_record
from fhir_server.store import Write
from resources.repository import Caller
from resources.search_param import extract

GRACE = Caller("Practitioner/grace")


def observation(of: str) -> Any:
    return extract({"resourceType": "Observation", "id": "o1", "subject": {"reference": of}})


@pytest.mark.parametrize(
    ("op", "version", "interaction"),
    [
        ("POST", 1, Interaction.CREATE), ("PUT", 1, Interaction.CREATE), ("PUT", 2, Interaction.UPDATE),
        ("PATCH", 2, Interaction.PATCH), ("DELETE", 2, Interaction.DELETE),
    ],
)  # fmt: skip
def test_what_was_done(op: str, version: int, interaction: Interaction) -> None:
    gone = op == "DELETE"
    now = None if gone else observation("Patient/p1")
    record = write_record(GRACE, Write("Observation", "o1", op, version, 0, b"", now, None, observation("Patient/p1")))
    assert (record.interaction, record.who) == (interaction, "Practitioner/grace")
    assert (record.entity, record.patient) == (f"Observation/o1/_history/{version}", "Patient/p1")


def test_whose_it_is() -> None:
    assert write_record(GRACE, Write("Patient", "p1", "PUT", 2, 0, b"")).patient == "Patient/p1"
    assert write_record(GRACE, Write("Organization", "o1", "PUT", 2, 0, b"")).patient == ""
    moved = Write("Observation", "o1", "PUT", 2, 0, b"", observation("Patient/p2"), None, observation("Patient/p1"))
    assert write_record(GRACE, moved).patient == "Patient/p2"
