"""What type a literal reference names."""

import pytest

from resources.validation.references import named_type


@pytest.mark.parametrize(
    ("literal", "name"),
    [
        ("Patient/1", "Patient"),
        ("Patient/1/_history/2", "Patient"),
        ("Patient?identifier=urn:x|1", "Patient"),
        ("https://x.org/fhir/Patient/1", "Patient"),
        ("http://x.org/Group/1/_history/3", "Group"),
        ("http://x.org/anything", ""),
        ("http://x.org/Nothing/1", ""),
        ("urn:uuid:c757873d-ec9a-4326-a141-556f43239520", ""),
        ("#m", ""),
        ("Nothing/1", None),
        ("Patient", None),
        ("Patient/a b", None),
        ("1", None),
    ],
)
def test_named_type(literal: str, name: str | None) -> None:
    assert named_type(literal) == name


def test_a_long_reference_takes_linear_time() -> None:
    assert named_type("http://" + "/Patient/x" * 200_000 + "/") == ""
