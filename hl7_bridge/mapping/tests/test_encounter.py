"""PV1 and PV2 to Encounter."""

import pytest

from hl7_bridge.mapping.tests.messages_of import entries, mapped, only

PID = "PID|1||100"


def pv1(patient_class: str = "I", admitted: str = "20260101", discharged: str = "") -> str:
    return f"PV1|1|{patient_class}|W1^2^3^HOSP||||7^ATT^ANN" + "|" * 12 + "V1" + "|" * 25 + f"{admitted}|{discharged}"


@pytest.mark.parametrize(
    ("event", "line", "status"),
    [
        ("A01", pv1(), "in-progress"),
        ("A01", pv1("P"), "planned"),
        ("A03", pv1(), "finished"),
        ("A03", pv1(discharged="20260102"), "finished"),
        ("A11", pv1(), "cancelled"),
        ("A13", pv1(discharged="20260102"), "in-progress"),
        ("A08", pv1(discharged="20260102"), "finished"),
        ("A05", pv1(), "planned"),
    ],
)
def test_status(event: str, line: str, status: str) -> None:
    assert only(mapped(f"ADT^{event}", PID, line), "Encounter")["status"] == status


def test_an_update_never_opens_a_visit_again() -> None:
    assert entries(mapped("ADT^A08", PID, pv1()), "Encounter")[0].defaults == {"status"}
    assert entries(mapped("ADT^A03", PID, pv1()), "Encounter")[0].defaults == set()


def test_where_who_and_when() -> None:
    result = mapped("ADT^A01", PID, pv1(discharged="20260103"))
    encounter = only(result, "Encounter")
    assert encounter["period"] == {"start": "2026-01-01", "end": "2026-01-03"}
    assert encounter["class"]["code"] == "IMP"
    assert encounter["participant"][0]["type"][0]["coding"][0]["code"] == "ATND"
    names = [each.resource["name"] for each in entries(result, "Location")]
    assert names == ["HOSP", "W1", "2", "3"]
    assert encounter["location"][0]["location"] == entries(result, "Location")[-1].reference
