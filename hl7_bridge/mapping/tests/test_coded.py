"""Coded values: codings with the URIs of their systems, texts where people look, unknown codes noted."""

from hl7_bridge.mapping.datatypes import coded
from hl7_bridge.mapping.tests.values import SENDER, draft, value
from hl7_bridge.site.model import Coding, Sender


def test_three_codings_and_text() -> None:
    found = coded.concept(value("1-8^Text^LN^X1^Local^L^2.1^v2^Original^A^Third^HL70004"), draft())
    assert found == {
        "coding": [
            {"system": "http://loinc.org", "version": "2.1", "code": "1-8", "display": "Text"},
            {"system": "urn:id:lab:L", "version": "v2", "code": "X1", "display": "Local"},
            {"system": "http://terminology.hl7.org/CodeSystem/v2-0004", "code": "A", "display": "Third"},
        ],
        "text": "Original",
    }


def test_text_alone_is_text() -> None:
    assert coded.concept(value("^Only words"), draft()) == {"text": "Only words"}
    assert coded.concept(value("^^LN"), draft()) is None


def test_table_adds_the_target_and_keeps_the_original() -> None:
    found = coded.coded("MaritalStatus")(value("A^Separated^HL70002"), draft())
    assert found is not None
    assert [each["code"] for each in found["coding"]] == ["L", "A"]


def test_unknown_code_is_noted() -> None:
    made = draft()
    made.place = "PID-8"
    assert coded.code_of("AdministrativeSex")(value("Q"), made) is None
    assert [(each.table, each.code, each.place) for each in made.unmapped] == [("0001", "Q", "PID-8")]


def test_sender_overrides() -> None:
    sender = Sender("lab", codes={"0001": {"W": Coding("http://hl7.org/fhir/administrative-gender", "female")}})
    assert coded.code_of("AdministrativeSex")(value("W"), draft(sender)) == "female"
    assert coded.code_of("AdministrativeSex")(value("M"), draft(sender)) == "male"
    assert SENDER.codes == {}
