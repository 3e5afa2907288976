"""Who was there, in words."""

from fhir_server.pages.billing.shown import person, who

PEOPLE = {
    "Practitioner/1": {"resourceType": "Practitioner", "name": [{"family": "Bergmann", "given": ["Miriam"]}]},
    "PractitionerRole/2": {"resourceType": "PractitionerRole", "practitioner": {"reference": "Practitioner/1"}},
}


def test_a_role_is_told_by_the_name_of_its_practitioner() -> None:
    assert person("PractitionerRole/2", PEOPLE) == "Miriam Bergmann"
    assert person("PractitionerRole/3", PEOPLE) == "PractitionerRole/3"


def test_who_was_there_as_two_is_named_once() -> None:
    seen = {"participant": [{"individual": {"reference": reference}} for reference in PEOPLE]}
    assert who(seen, PEOPLE) == "Miriam Bergmann"
