"""What a write answers."""

import pytest

from fhir_server.interactions.written import done_issue, located
from resources.repository import Outcome, Version

VERSION = Version("Patient", "1", 2, 0, b"{}")


def test_located() -> None:
    assert located(VERSION) == "Patient/1/_history/2"


@pytest.mark.parametrize(
    ("outcome", "words"),
    [
        (Outcome(201, VERSION), "was created"),
        (Outcome(200, VERSION), "was stored"),
        (Outcome(200, VERSION, changed=False), "is unchanged"),
        (Outcome(204, VERSION), "was deleted"),
        (Outcome(204), "Nothing was there"),
    ],
)
def test_done_issue(outcome: Outcome, words: str) -> None:
    issue = done_issue(outcome)
    assert words in issue.text
    assert issue.severity == "information"
