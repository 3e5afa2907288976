"""Merges, moves, and what else ADT says."""

import pytest

from hl7_bridge.errors import Held
from hl7_bridge.mapping.model import Key, Merge, Policy
from hl7_bridge.mapping.tests.messages_of import entries, mapped, only

SURVIVOR = "PID|1||100^^^HOSP||DOE^JANE"


def test_merge_of_patients() -> None:
    result = mapped("ADT^A40", "EVN|A40|20260102", SURVIVOR, "MRG|200^^^HOSP||||||DOE^JANET")
    survivor, loser = entries(result, "Patient")
    assert result.merges == [Merge(survivor.url, loser.url)]
    assert (loser.keys, loser.policy) == ((Key("urn:id:HOSP", "200"),), Policy.MENTION)
    assert loser.resource["name"][0]["family"] == "DOE"


def test_merge_with_itself_is_none() -> None:
    result = mapped("ADT^A40", SURVIVOR, "MRG|100^^^HOSP")
    assert result.merges == []
    assert result.warnings


@pytest.mark.parametrize("event", ["A34", "A40", "A41", "A42"])
def test_merge_that_does_not_say_of_whom_waits_for_a_person(event: str) -> None:
    with pytest.raises(Held):
        mapped(f"ADT^{event}", SURVIVOR)


def test_nobody_is_found_by_the_number_of_a_visit_or_an_account() -> None:
    result = mapped("ADT^A08", "PID|1||100^^^HOSP^MR~200^^^HOSP^VN~300^^^HOSP^AN||DOE^JANE")
    [patient] = entries(result, "Patient")
    assert patient.keys == (Key("urn:id:HOSP", "100"),)
    assert [(each["value"], "system" in each) for each in patient.resource["identifier"]] == [
        ("100", True),
        ("200", False),
        ("300", False),
    ]
    with pytest.raises(Held):
        mapped("ADT^A08", "PID|1||200^^^HOSP^VN||DOE^JANE")


def test_several_merges_in_one_message() -> None:
    result = mapped("ADT^A40^ADT_A39", SURVIVOR, "MRG|200^^^HOSP", "PID|2||300^^^HOSP", "MRG|400^^^HOSP")
    assert len(result.merges) == 2


def test_merge_of_visits_and_accounts() -> None:
    visits = mapped("ADT^A42", SURVIVOR, "MRG|100^^^HOSP||||V2", "PV1|1|I" + "|" * 17 + "V1")
    assert [each.keys[0].value for each in entries(visits, "Encounter")] == ["V1", "V2"]
    assert len(visits.merges) == 1
    accounts = mapped("ADT^A41", SURVIVOR + "|" * 13 + "ACC1", "MRG|100^^^HOSP||ACC2")
    assert [each.keys[0].value for each in entries(accounts, "Account")] == ["ACC1", "ACC2"]


def test_allergies_diagnoses_procedures_coverage() -> None:
    result = mapped(
        "ADT^A01",
        SURVIVOR,
        "NK1|1|DOE^JOHN|SPO",
        "PV1|1|I" + "|" * 17 + "V1",
        "AL1|1|DA|123^Penicillin^L|SV|Hives",
        "DG1|1||I10^Hypertension^I10C||20260101|A",
        "PR1|1||99^Procedure^L||20260101",
        "GT1|1||DOE^JOHN",
        "IN1|1|PLAN|C1|Insurer||||||||20260101||||DOE^JANE|SEL" + "|" * 19 + "POL1",
    )
    allergy, condition = only(result, "AllergyIntolerance"), only(result, "Condition")
    assert allergy["reaction"] == [{"manifestation": [{"text": "Hives"}], "severity": "severe"}]
    assert allergy["category"] == ["medication"]
    assert condition["code"]["coding"][0]["system"] == "http://hl7.org/fhir/sid/icd-10-cm"
    assert only(result, "Encounter")["diagnosis"][0]["condition"] == entries(result, "Condition")[0].reference
    assert only(result, "Procedure")["performedDateTime"] == "2026-01-01"
    assert only(result, "Coverage")["subscriber"] == only(result, "Coverage")["beneficiary"]
    assert len(entries(result, "RelatedPerson")) == 2
    assert len(only(result, "Patient")["contact"]) == 1
    kinds = ("AllergyIntolerance", "Condition", "Procedure", "Coverage", "RelatedPerson")
    assert all(entry.keys for kind in kinds for entry in entries(result, kind))


def test_the_same_allergy_again_is_the_same() -> None:
    one = mapped("ADT^A60", SURVIVOR, "IAM|1|DA|123^Penicillin^L|SV||A")
    two = mapped("ADT^A31", SURVIVOR, "AL1|1|DA|123^Penicillin^L")
    assert entries(one, "AllergyIntolerance")[0].keys == entries(two, "AllergyIntolerance")[0].keys


def test_a_deleted_allergy_was_an_error() -> None:
    allergy = only(mapped("ADT^A60", SURVIVOR, "IAM|1|DA|123^Penicillin^L|SV||D"), "AllergyIntolerance")
    assert allergy["verificationStatus"]["coding"][0]["code"] == "entered-in-error"
    assert "clinicalStatus" not in allergy
