"""Results and orders: reports, observations, specimens; statuses, identities, parents."""

from decimal import Decimal

import pytest

from hl7_bridge.mapping.model import Entry, Policy
from hl7_bridge.mapping.tests.messages_of import entries, mapped, only
from hl7_bridge.site.model import Sender

PID = "PID|1||100^^^HOSP||DOE^JANE"
OBR = "OBR|1|P1^EHR|F1^LAB|24323-8^Panel^LN|||20260101||||||||||||||20260102||CH|F"


def obx(
    number: int, value: str = "5.0", kind: str = "NM", status: str = "F", sub: str = "", units: str = "mmol/L^^UCUM"
) -> str:
    return f"OBX|{number}|{kind}|{number}-1^Test^LN|{sub}|{value}|{units}|3.5-5.1|H|||{status}|||20260101"


def observation(line: str, sender: Sender | None = None) -> Entry:
    result = mapped("ORU^R01", PID, OBR, line, **({"sender": sender} if sender else {}))
    return entries(result, "Observation")[0]


def test_report_with_its_results() -> None:
    result = mapped("ORU^R01", PID, "ORC|RE|P1^EHR|F1^LAB", OBR, obx(1), obx(2))
    report, request = entries(result, "DiagnosticReport")[0], entries(result, "ServiceRequest")[0]
    assert report.resource["result"] == [each.reference for each in entries(result, "Observation")]
    assert report.resource["basedOn"] == [request.reference]
    assert (report.resource["status"], report.as_of.rank, report.policy) == ("final", 2, Policy.RESULT)
    assert report.keys[0].value == "urn:id:LAB|F1|24323-8"
    assert request.policy is Policy.MENTION
    assert {each.value for each in request.keys} == {"P1", "F1"}


@pytest.mark.parametrize(("code", "over"), [("CM", True), ("CA", True), ("A", False), ("IP", False), ("", False)])
def test_a_result_says_whether_its_order_is_over(code: str, over: bool) -> None:
    result = mapped("ORU^R01", PID, f"ORC|RE|P1^EHR|F1^LAB||{code}||||20200101", OBR, obx(1))
    request = entries(result, "ServiceRequest")[0]
    assert request.policy is Policy.MENTION and request.certain == (frozenset({"status"}) if over else frozenset())
    assert not over or (request.as_of.rank, request.as_of.time) == (1, entries(result, "Patient")[0].as_of.time)


def test_values() -> None:
    found = observation(obx(1, "<5")).resource
    assert found["valueQuantity"]["comparator"] == "<"
    assert found["valueQuantity"]["value"] == Decimal(5)
    assert found["referenceRange"][0]["low"]["value"] == Decimal("3.5")
    assert found["interpretation"][0]["coding"][0]["code"] == "H"
    assert observation(obx(1, "abc")).resource["valueString"] == "abc"
    assert observation(obx(1, "POS^Positive^L", "CWE")).resource["valueCodeableConcept"]["coding"][0]["code"] == "POS"
    assert observation(obx(1, "line 1~line 2", "TX")).resource["valueString"] == "line 1\nline 2"
    assert observation(obx(1, "^1^:^128", "SN")).resource["valueRatio"]["denominator"]["value"] == Decimal(128)
    assert observation(obx(1, "20260101", "DT")).resource["valueDateTime"] == "2026-01-01"


def test_repetitions_are_components_or_observations() -> None:
    assert len(observation(obx(1, "A^^L~B^^L", "CE")).resource["component"]) == 2
    sender = Sender("lab", authority="urn:oid:1.2.3", repeats="observations")
    result = mapped("ORU^R01", PID, OBR, obx(1, "A^^L~B^^L", "CE"), sender=sender)
    first, second = entries(result, "Observation")
    assert first.keys != second.keys


@pytest.mark.parametrize(
    ("code", "status", "rank"),
    [
        ("P", "preliminary", 1),
        ("F", "final", 2),
        ("C", "corrected", 3),
        ("D", "entered-in-error", 3),
        ("W", "entered-in-error", 3),
        ("X", "cancelled", 2),
    ],
)
def test_statuses(code: str, status: str, rank: int) -> None:
    found = observation(obx(1, status=code))
    assert (found.resource["status"], found.as_of.rank) == (status, rank)


def test_cancelled_says_so_in_its_own_code() -> None:
    assert "_status" in observation(obx(1, status="X")).resource


def test_a_correction_makes_the_report_corrected() -> None:
    assert only(mapped("ORU^R01", PID, OBR, obx(1), obx(2, status="C")), "DiagnosticReport")["status"] == "corrected"


def test_identity_is_order_code_sub_id_and_time() -> None:
    assert observation(obx(1)).keys == observation(obx(1, "6.0")).keys
    assert observation(obx(1)).keys != observation(obx(1, sub="2")).keys


def test_the_same_observation_twice_in_a_report_is_two() -> None:
    first, second = entries(mapped("ORU^R01", PID, OBR, obx(1), obx(1, "6.0")), "Observation")
    assert first.keys != second.keys
    assert second.keys[0].value.endswith("#2")


def test_groups_by_sub_id() -> None:
    result = mapped("ORU^R01", PID, OBR, obx(1, sub="1"), obx(2, sub="1.1"), obx(3, sub="1.2"))
    parent, *children = entries(result, "Observation")
    assert parent.resource["hasMember"] == [each.reference for each in children]


def test_notes_by_position() -> None:
    result = mapped("ORU^R01", PID, OBR, "NTE|1||of the report", obx(1), "NTE|1||of the result")
    assert only(result, "DiagnosticReport")["conclusion"] == "of the report"
    assert only(result, "Observation")["note"] == [{"text": "of the result"}]


def test_document_is_the_reports() -> None:
    result = mapped("ORU^R01", PID, OBR, "OBX|1|ED|PDF^Report||^application^pdf^Base64^JVBERi0x||||||F")
    assert not entries(result, "Observation")
    assert only(result, "DiagnosticReport")["presentedForm"] == [
        {"contentType": "application/pdf", "data": "JVBERi0x", "title": "Report"}
    ]


def test_specimen() -> None:
    result = mapped("ORU^R01", PID, OBR, obx(1), "SPM|1|S1^S2||BLD^Blood^HL70487|||||||||||||20260101")
    specimen = entries(result, "Specimen")[0]
    assert only(result, "Observation")["specimen"] == specimen.reference
    assert specimen.resource["collection"]["collectedDateTime"] == "2026-01-01"
    assert len(specimen.keys) == 2


def test_parent_in_the_same_message_and_in_another() -> None:
    child = "OBR|2||F2^LAB|SUSC^Susceptibilities^L|||||||||||||||||||||F|600-7&Culture&LN^1|||^F1&LAB"
    parent = "OBX|1|CE|600-7^Culture^LN|1|EC^E. coli^L||||||F"
    together = mapped("ORU^R01", PID, OBR, parent, child, obx(3))
    organism, result = entries(together, "Observation")
    assert result.resource["derivedFrom"] == [organism.reference]
    alone = entries(mapped("ORU^R01", PID, child, obx(3)), "Observation")[0]
    assert alone.pending[0] in [(each["system"], each["value"]) for each in organism.resource["identifier"]]


def test_order() -> None:
    result = mapped(
        "OML^O21",
        PID,
        "ORC|NW|P1^EHR||G1|||||20260101|||9^ORD^ANN",
        "TQ1|1||BID||||||S",
        "OBR|1|P1^EHR||X^Test^L",
        "DG1|1||R05^Cough^I10C",
    )
    request = entries(result, "ServiceRequest")[0]
    assert (request.policy, request.resource["status"], request.resource["priority"]) == (
        Policy.ORDER,
        "active",
        "stat",
    )
    assert request.resource["requisition"]["value"] == "G1"
    assert request.resource["authoredOn"] == "2026-01-01"
    assert request.resource["occurrenceTiming"]["repeat"]["frequency"] == 2
    assert request.resource["reasonReference"] == [entries(result, "Condition")[0].reference]


def test_a_cancelled_order_is_over() -> None:
    request = entries(mapped("ORM^O01", PID, "ORC|CA|P1^EHR", "OBR|1|P1^EHR||X^Test^L"), "ServiceRequest")[0]
    assert (request.resource["status"], request.as_of.rank) == ("revoked", 1)


def test_one_number_of_several_services_is_no_identity_alone() -> None:
    result = mapped("OML^O21", PID, "ORC|NW|P1^EHR", "OBR|1|P1^EHR||A^One^L", "ORC|NW|P1^EHR", "OBR|2|P1^EHR||B^Two^L")
    first, second = entries(result, "ServiceRequest")
    assert not set(first.keys) & set(second.keys)


def test_specimens_come_first_in_oul() -> None:
    result = mapped("OUL^R22^OUL_R22", PID, "SPM|1|S1||BLD", "OBR|1||F1^LAB|X^Test^L", "ORC|RE||F1^LAB", obx(1))
    assert only(result, "DiagnosticReport")["specimen"] == [entries(result, "Specimen")[0].reference]
