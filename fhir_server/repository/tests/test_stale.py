"""Preconditions of a write: FHIR R4 http.html#concurrency and #ccreate."""

import pytest

from fhir_server.repository.stale import refuse_stale
from fhir_server.store import Stored
from resources.errors import PreconditionFailed
from resources.repository import ANY_VERSION, Delete, Put

LIVING = Stored("Patient", "p1", 3, 0, b"{}", "PUT", 1, 1, 1)
DELETED = Stored("Patient", "p1", 4, 0, b"", "DELETE", 1, 0, 2)


@pytest.mark.parametrize(
    ("if_match", "previous", "passes"),
    [
        (None, LIVING, True), (None, None, True), (3, LIVING, True), (2, LIVING, False), (3, None, False),
        (4, DELETED, False), (ANY_VERSION, LIVING, True), (ANY_VERSION, DELETED, False), (ANY_VERSION, None, False),
    ],
)  # fmt: skip
def test_if_match(if_match: int | None, previous: Stored | None, passes: bool) -> None:
    command = Delete("Patient", "p1", if_match=if_match)
    if passes:
        refuse_stale(command, previous)
    else:
        with pytest.raises(PreconditionFailed):
            refuse_stale(command, previous)


def test_if_none_match_creates_only() -> None:
    command = Put({"resourceType": "Patient"}, "Patient", "p1", if_none_match=True)
    refuse_stale(command, None)
    refuse_stale(command, DELETED)
    with pytest.raises(PreconditionFailed, match='exists as W/"3"'):
        refuse_stale(command, LIVING)
