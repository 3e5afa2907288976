"""Organizations are known by their number, else by their name among the sender's."""

from hl7_bridge.mapping.mentions.organizations import described, facility, organization
from hl7_bridge.mapping.model import Key
from hl7_bridge.mapping.tests.values import draft, value


def test_number_else_name() -> None:
    made = draft()
    organization(value("Lab^^^^^&1.2.3&ISO^XX^^^77"), made)
    organization(value("Other lab"), made)
    keys = [each.keys for each in made.entries]
    assert keys == [(Key("urn:oid:1.2.3", "77"),), (Key("urn:id:lab:organization", "Other lab"),)]


def test_an_organization_has_no_home() -> None:
    made = draft()
    described(value("Lab"), value("1 St^^Town^^^^H"), [value("^PRN^PH^^^555^1")], made)
    assert "use" not in made.entries[0].resource["address"][0]
    assert "use" not in made.entries[0].resource["telecom"][0]


def test_facility() -> None:
    made = draft()
    assert facility(value("LAB^1.2.3^ISO"), made) == facility(value("LAB^1.2.3^ISO"), made)
    identifiers = made.entries[0].resource["identifier"]
    assert identifiers[1] == {
        "type": {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/v2-0301", "code": "ISO"}]},
        "system": "urn:ietf:rfc:3986",
        "value": "urn:oid:1.2.3",
    }
    assert facility(value("^^"), made) is None
