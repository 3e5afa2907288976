"""The extension that says so."""

import pytest

from resources import validation
from video.visit.encryption import EXTENSION, encrypted, is_encrypted
from video.visit.tests.script import encounter


def test_said_once_however_often() -> None:
    made = encrypted(encrypted(encounter(extension=[{"url": "urn:other", "valueBoolean": True}])))
    assert [one["url"] for one in made["extension"]] == ["urn:other", EXTENSION]
    assert is_encrypted(made)
    validation.check(made)


@pytest.mark.parametrize("value", [{"valueBoolean": False}, {"valueString": "true"}, {}])
def test_only_true_counts(value: dict[str, object]) -> None:
    assert not is_encrypted({"extension": [{"url": EXTENSION} | value]})
    assert not is_encrypted(None)
