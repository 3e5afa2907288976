"""Practitioners are known by their number; a name alone makes nobody new."""

from hl7_bridge.mapping.mentions.practitioners import named_with_role, practitioner, practitioner_role
from hl7_bridge.mapping.model import Key
from hl7_bridge.mapping.tests.values import draft, value


def test_number_and_authority() -> None:
    made = draft()
    found = practitioner(value("9^DOE^ANN^^^DR^MD^^&2.16.840.1.113883.4.6&ISO^L^^^NPI"), made)
    assert found == made.entries[0].reference
    assert made.entries[0].keys == (Key("http://hl7.org/fhir/sid/us-npi", "9"),)
    assert made.entries[0].resource["name"][0]["family"] == "DOE"
    assert made.entries[0].resource["qualification"][0]["code"]["coding"][0]["code"] == "MD"


def test_a_number_without_authority_is_the_senders() -> None:
    made = draft()
    practitioner(value("9^DOE"), made)
    assert made.entries[0].keys == (Key("urn:id:lab:practitioner", "9"),)


def test_a_name_alone_is_a_display() -> None:
    made = draft()
    assert practitioner(value("^DOE^ANN"), made) == {"type": "Practitioner", "display": "ANN DOE"}
    assert made.entries == []


def test_roles_are_known_by_person_kind_and_place() -> None:
    made = draft()
    more = {"code": [{"text": "observer"}]}
    first = practitioner_role(value("9^DOE"), made, more, "observer")
    assert first == practitioner_role(value("9^DOE"), made, more, "observer")
    assert first != practitioner_role(value("9^DOE"), made, more, "director")
    assert [each.resource["resourceType"] for each in made.entries] == [
        "Practitioner",
        "PractitionerRole",
        "PractitionerRole",
    ]


def test_ndl() -> None:
    made = draft()
    named_with_role(value("9&DOE&ANN^20260101^20260102^POC^R1^B1^HOSP"), made, "technician")
    role = made.entries[-1].resource
    assert role["period"] == {"start": "2026-01-01", "end": "2026-01-02"}
    assert len(role["location"]) == 1
