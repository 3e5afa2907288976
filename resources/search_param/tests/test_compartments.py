from resources import definitions
from resources.search_param import extract, in_compartment, member_of
from resources.search_param.compartments import branches, main_branch
from resources.search_param.terms import Column, Or
from resources.search_param.tests.naive import matches

OBSERVATION = {
    "resourceType": "Observation",
    "subject": {"reference": "Patient/1"},
    "performer": [{"reference": "Patient/2"}],
    "encounter": {"reference": "Encounter/e"},
}


def test_members():
    entries = extract(OBSERVATION)
    assert member_of(entries, "Observation", "o", "Patient") == {"1", "2"}
    assert member_of(entries, "Observation", "o", "Encounter") == {"e"}
    for id, found in (("1", True), ("2", True), ("3", False)):
        assert matches(entries, in_compartment("Observation", "Patient", id)) == found


def test_the_focus_is_a_member():
    assert Column("id", "eq", "1") in in_compartment("Patient", "Patient", "1").terms
    assert member_of(extract({"resourceType": "Patient", "id": "1"}), "Patient", "1", "Patient") == {"1"}


def test_types_that_never_belong():
    assert in_compartment("Organization", "Patient", "1") == Or(())
    assert branches("Medication", "Patient") == ()


def test_the_main_patient():
    assert extract(OBSERVATION).subject == "Patient/1"
    assert extract({"resourceType": "Patient", "id": "7"}).subject == "Patient/7"
    assert extract({"resourceType": "Observation", "subject": {"reference": "Group/1"}}).subject == ""
    assert main_branch("Coverage") == "Coverage.beneficiary"
    assert main_branch("Organization") == ""


def test_every_compartment_parameter_is_known():
    for code in definitions.compartment_codes():
        for type, names in definitions.compartment(code).items():
            assert bool(branches(type, code)) == bool(set(names) - {"{def}"}), (code, type)
