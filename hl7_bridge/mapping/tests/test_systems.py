"""Coding system names to URIs."""

import pytest

from hl7_bridge.mapping.systems import is_local, system


@pytest.mark.parametrize(
    ("name", "uri"),
    [
        ("LN", "http://loinc.org"),
        ("sct", "http://snomed.info/sct"),
        ("HL70078", "http://terminology.hl7.org/CodeSystem/v2-0078"),
        ("2.16.840.1.113883.6.1", "http://loinc.org"),
        ("1.2.3", "urn:oid:1.2.3"),
        ("http://x.example/cs", "http://x.example/cs"),
        ("L", "urn:id:lab:L"),
        ("99 ABC", "urn:id:lab:99%20ABC"),
        ("", ""),
    ],
)
def test_system(name: str, uri: str) -> None:
    assert system(name, "lab") == uri


def test_local() -> None:
    assert is_local("99ZZZ")
    assert not is_local("LN")
