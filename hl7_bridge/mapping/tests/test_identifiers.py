"""Identifiers name their authority by a URI; a key needs both system and value."""

import pytest

from hl7_bridge.mapping.datatypes import identifiers
from hl7_bridge.mapping.model import Key
from hl7_bridge.mapping.tests.values import draft, value
from hl7_bridge.site.model import Sender


@pytest.mark.parametrize(
    ("text", "system"),
    [
        ("1^^^LAB-A", "urn:id:LAB-A"),
        ("1^^^LAB&1.2.840.1&ISO", "urn:oid:1.2.840.1"),
        ("1^^^&2.16.840.1.113883.4.1&ISO", "http://hl7.org/fhir/sid/us-ssn"),
        ("1^^^&0E984725-C51C-4BF4-9960-E1C80E27ABA0&UUID", "urn:uuid:0e984725-c51c-4bf4-9960-e1c80e27aba0"),
        ("1^^^&http://example.org/mrn&URI", "http://example.org/mrn"),
        ("1", None),
    ],
)
def test_authority(text: str, system: str | None) -> None:
    found = identifiers.identifier(value(text), draft())
    assert found is not None
    assert found.get("system") == system
    assert identifiers.key(found) == (Key(system, "1") if system else None)


def test_configured_authority() -> None:
    sender = Sender("lab", authorities={"LAB-A": "http://lab.example/mrn"})
    assert identifiers.identifier(value("1^^^LAB-A"), draft(sender)) == {
        "system": "http://lab.example/mrn",
        "value": "1",
    }


def test_all_parts() -> None:
    found = identifiers.identifier(value("1^2^M11^A^MR^Hospital^20200101^20210101"), draft())
    assert found is not None
    assert [each["valueString"] for each in found["extension"]] == ["2", "M11"]
    assert found["type"]["coding"][0]["code"] == "MR"
    assert found["period"] == {"start": "2020-01-01", "end": "2021-01-01"}
    assert found["assigner"] == {"display": "Hospital"}


def test_order_number_without_authority_is_the_senders_own() -> None:
    found = identifiers.entity(value("O1"), draft(), "PLAC", "placer")
    assert found is not None
    assert found["system"] == "urn:id:lab:placer"
    pair = identifiers.entity_pair(value("A&LAB^B"), draft(), ("PGN", "FGN"), ("x", "y"))
    assert [each["system"] for each in pair] == ["urn:id:LAB", "urn:id:lab:y"]
