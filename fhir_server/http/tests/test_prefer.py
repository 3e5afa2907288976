"""The Prefer header."""

import pytest

from fhir_server.http.prefer import Prefer, parse_prefer


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("", Prefer()),
        ("return=minimal", Prefer("minimal")),
        ("return=OperationOutcome", Prefer("OperationOutcome")),
        ('return="representation", handling=lenient', Prefer("representation", "lenient")),
        ("handling=strict; return=minimal", Prefer("minimal", "strict")),
        ("return=minimal, return=representation", Prefer("minimal")),
        ("respond-async, wait=10, return=everything", Prefer()),
    ],
)
def test_prefer(header: str, expected: Prefer) -> None:
    assert parse_prefer(header) == expected
