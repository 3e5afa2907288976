"""Ids and local references."""

import pytest

from resources.literal_reference import is_id, local


@pytest.mark.parametrize("text", ["Patient/1", "Patient/1/_history/2", "Patient/1#part", "Patient/1/_history/2#part"])
def test_local(text: str) -> None:
    assert local(text) == ("Patient", "1")


@pytest.mark.parametrize(
    "text",
    ["", "#1", "Patient", "Patient/", "Nothing/1", "patient/1", "Patient/1/", "Patient/a b", "Patient/1/_history",
     "urn:uuid:1", "http://x/Patient/1", f"Patient/{'1' * 65}"],
)  # fmt: skip
def test_not_local(text: str) -> None:
    assert local(text) is None


@pytest.mark.parametrize(
    ("text", "good"), [("A-1.b", True), ("", False), ("a_b", False), ("1" * 65, False), ("é", False)]
)
def test_ids(text: str, good: bool) -> None:
    assert is_id(text) is good
