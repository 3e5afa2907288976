"""Addresses and telephone numbers."""

import pytest

from hl7_bridge.mapping.datatypes import addresses
from hl7_bridge.mapping.tests.values import draft, value


def test_address() -> None:
    found = addresses.address(value("1 Main St^Apt 2^Town^ST^12345^USA^H^^County^Tract^^^20200101"), draft())
    assert found == {
        "line": ["1 Main St", "Apt 2"],
        "city": "Town",
        "district": "County",
        "state": "ST",
        "postalCode": "12345",
        "country": "USA",
        "use": "home",
        "extension": [
            {"url": "http://hl7.org/fhir/StructureDefinition/iso21090-ADXP-censusTract", "valueString": "Tract"}
        ],
        "period": {"start": "2020-01-01"},
    }
    assert addresses.address(value("^^^^^^H"), draft()) is None


@pytest.mark.parametrize(
    ("text", "system", "shown", "use"),
    [
        ("(555)123-4567", "phone", "(555)123-4567", None),
        ("^PRN^PH^^1^555^1234567", "phone", "+1 555 1234567", "home"),
        ("^NET^Internet^a@example.org", "email", "a@example.org", None),
        ("^^CP^^^555^1234567", "phone", "555 1234567", "mobile"),
        ("^WPN^FX^^^555^1234567^99", "fax", "555 1234567 X99", "work"),
        ("^^^a@example.org", "email", "a@example.org", None),
    ],
)
def test_contact_point(text: str, system: str, shown: str, use: str | None) -> None:
    found = addresses.contact_point(value(text), draft())
    assert found is not None
    assert (found["system"], found["value"], found.get("use")) == (system, shown, use)


def test_field_says_the_use_when_the_number_does_not() -> None:
    found = addresses.contact_for("work")(value("555"), draft())
    assert found is not None
    assert found["use"] == "work"
