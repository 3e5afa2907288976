"""PID and PD1 to Patient."""

from hl7_bridge.mapping.model import Policy
from hl7_bridge.mapping.tests.messages_of import entries, mapped, only
from hl7_bridge.site.model import Sender

PID = (
    "PID|1||100^^^HOSP^MR~123456789^^^SSA^SS||DOE^JANE^Q^^^^L~DOE^J^^^^^N||19800102030405|F|||"
    "1 Main St^^Town^ST^1^USA^H||^PRN^PH^^^555^1|^^^a@example.org|EN|M|||||||Town|Y|2||||20260101|Y"
)


def test_demographics() -> None:
    patient = only(mapped("ADT^A08", PID), "Patient")
    assert [each["value"] for each in patient["identifier"]] == ["100", "123456789"]
    assert [each["use"] for each in patient["name"]] == ["official", "nickname"]
    assert (patient["gender"], patient["birthDate"], patient["multipleBirthInteger"]) == ("female", "1980-01-02", 2)
    assert patient["_birthDate"]["extension"][0]["valueDateTime"] == "1980-01-02T03:04:05Z"
    assert [(each["system"], each["use"]) for each in patient["telecom"]] == [("phone", "home"), ("email", "work")]
    assert patient["deceasedDateTime"] == "2026-01-01"
    assert "deceasedBoolean" not in patient


def test_policies() -> None:
    assert entries(mapped("ADT^A08", PID), "Patient")[0].policy is Policy.REGISTER
    result = mapped("ORU^R01", PID, "OBR|1||F1|X", "OBX|1|NM|Y||1||||||F")
    assert entries(result, "Patient")[0].policy is Policy.MENTION


def test_null_deletes_and_empty_leaves() -> None:
    line = 'PID|1||100||DOE^JANE||""|""||||||""'
    assert entries(mapped("ADT^A08", line), "Patient")[0].nulls == {"birthDate", "gender", "telecom"}
    assert (
        entries(mapped("ADT^A08", line, sender=Sender("lab", authority="urn:x:y", nulls_delete=False)), "Patient")[
            0
        ].nulls
        == set()
    )


def test_null_beside_a_value_of_the_same_element_deletes_nothing() -> None:
    assert entries(mapped("ADT^A08", 'PID|1||100||DOE^JANE||||||||555|""'), "Patient")[0].nulls == set()


def test_null_of_an_extension_names_it() -> None:
    found = entries(mapped("ADT^A08", 'PID|1||100||DOE^JANE||||||||||||""'), "Patient")[0].nulls
    assert found == {"extension:http://hl7.org/fhir/StructureDefinition/patient-religion"}


def test_general_practitioner_and_account() -> None:
    result = mapped("ADT^A08", "PID|1||100|||||||||||||||ACC1", "PD1|||Clinic^^^^^HOSP&1.2&ISO^XX^^^77|9^GP^ANN")
    assert len(only(result, "Patient")["generalPractitioner"]) == 2
    assert only(result, "Account")["identifier"][0]["value"] == "ACC1"
