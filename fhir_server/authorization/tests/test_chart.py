"""What pages may ask of the record: each person sees who they may choose, and every look is audited."""

from decimal import Decimal
from typing import Any

import pytest
from msgspec.structs import replace

from fhir_server.authorization.chart import RecordChart, viewer
from fhir_server.search.restriction import CONFIDENTIALITY
from fhir_server.wiring import Process
from resources.repository import WHOLE_RECORD, Caller, Put
from smart_auth.model import Clearance, Person
from smart_auth.service import AuthService

GRACE = Person(id="1", login="grace", name="Grace", fhir_user="Practitioner/grace")
ADA = Person(id="2", login="ada", name="Ada", fhir_user="Patient/ada", patient="ada")
CLERK = Person(id="3", login="clerk", name="Clerk", administrator=True)


def patient(id: str, family: str, given: str, mrn: str) -> dict[str, Any]:
    return {
        "resourceType": "Patient",
        "id": id,
        "name": [{"family": family, "given": [given]}],
        "birthDate": "1970-12-10",
        "gender": "female",
        "identifier": [{"system": "urn:mrn", "value": mrn}],
    }


def visit(id: str, subject: str, day: str, text: str) -> dict[str, Any]:
    return {
        "resourceType": "Encounter",
        "id": id,
        "status": "finished",
        "class": {"code": "AMB"},
        "type": [{"text": text}],
        "subject": {"reference": f"Patient/{subject}"},
        "period": {"start": day},
    }


@pytest.fixture
def chart(process: Process, service: AuthService) -> RecordChart:
    made = [
        {"resourceType": "Practitioner", "id": "grace"},
        patient("ada", "Byron", "Ada", "1001"),
        patient("bob", "Byron", "Bob", "1002"),
        visit("e1", "ada", "2026-11-02", "First"),
        visit("e2", "ada", "2026-11-03", "Second"),
        visit("e3", "bob", "2026-11-04", "Other"),
        {"resourceType": "RelatedPerson", "id": "r1", "patient": {"reference": "Patient/ada"}},
    ]
    repository = process.repository(Caller("test", grants=WHOLE_RECORD))
    repository.commit([Put(resource, resource["resourceType"], resource["id"]) for resource in made])
    found = service.chart
    assert isinstance(found, RecordChart)
    return found


def ids(found: Any) -> list[str]:
    return sorted(each.id for each in found)


def test_staff_find_by_name_and_by_identifier(chart: RecordChart) -> None:
    assert ids(chart.patients(GRACE, "")) == ["ada", "bob"]
    assert ids(chart.patients(GRACE, "byr")) == ["ada", "bob"]
    assert ids(chart.patients(GRACE, "ada byron")) == ["ada"]
    assert ids(chart.patients(GRACE, "1002")) == ["bob"]
    for odd in ("urn:mrn|1002", "a,b", "$", "\\", "|", "x" * 100, "Jos\u00e9"):
        assert ids(chart.patients(GRACE, odd)) == []
    found = chart.patient(GRACE, "ada")
    assert found == ("ada", "Ada Byron", "1970-12-10", "female", "1001")


def test_a_patient_sees_nobody_else(chart: RecordChart) -> None:
    assert ids(chart.patients(ADA, "byron")) == ["ada"]
    assert chart.patient(ADA, "bob") is None
    assert chart.encounters(ADA, "bob") == []
    assert [each.id for each in chart.encounters(ADA, "ada")] == ["e2", "e1"]


def test_who_is_nobody_in_the_record_sees_nothing(chart: RecordChart) -> None:
    assert not chart.patients(CLERK, "byron")
    assert chart.patient(CLERK, "ada") is None
    assert not chart.encounters(CLERK, "ada")
    assert viewer(CLERK).grants.all == ()


def test_the_grants_of_a_viewer_are_to_look_at_patients_and_visits(chart: RecordChart) -> None:
    assert {(grant.type, grant.permissions) for grant in viewer(GRACE).grants.all} == {
        ("Patient", "rs"),
        ("Encounter", "rs"),
    }
    assert {grant.compartment for grant in viewer(ADA).grants.all} == {("Patient", "ada")}


def test_visits_are_told_newest_first_with_their_kind(chart: RecordChart) -> None:
    assert [(each.id, each.text, each.start) for each in chart.encounters(GRACE, "ada")] == [
        ("e2", "Second", "2026-11-03"),
        ("e1", "First", "2026-11-02"),
    ]


def test_references_that_accounts_are_bound_to(chart: RecordChart) -> None:
    assert chart.exists("Practitioner/grace")
    assert not any(map(chart.exists, ("Practitioner/nobody", "Practitioner", "nonsense", "https://other/Patient/ada")))


def test_absent_and_unknown(chart: RecordChart) -> None:
    assert chart.patient(GRACE, "nobody") is None
    assert chart.patient(GRACE, "") is None
    assert chart.encounters(GRACE, "nobody") == []


def test_whom_a_visit_or_a_relative_is_about(chart: RecordChart) -> None:
    assert [chart.patient_of(f"Encounter/{id}") for id in ("e1", "e3", "none")] == ["ada", "bob", ""]
    assert [chart.patient_of(text) for text in ("RelatedPerson/r1", "RelatedPerson/none")] == ["ada", ""]
    assert [chart.patient_of(text) for text in ("", "Patient/ada", "https://other.example/Encounter/e1")] == [""] * 3


@pytest.mark.parametrize(("clearance", "found"), [("N", ["ada"]), ("R", ["ada", "bob"]), ("V", ["ada", "bob"])])
def test_protected_patients_are_there_to_choose_for_who_is_cleared(
    chart: RecordChart, process: Process, clearance: str, found: list[str]
) -> None:
    label = {"security": [{"system": CONFIDENTIALITY, "code": "R"}]}
    bob = {**patient("bob", "Byron", "Bob", "1002"), "meta": label}
    process.repository(Caller("test", grants=WHOLE_RECORD)).commit([Put(bob, "Patient", "bob")])
    grace = replace(GRACE, clearance=Clearance(clearance))
    assert ids(chart.patients(grace, "Byron")) == found
    assert (chart.patient(grace, "bob") is not None) is ("bob" in found)


def test_a_patient_with_a_number_beyond_those_of_the_machine(process: Process, chart: RecordChart) -> None:
    far = patient("eve", "Byron", "Eve", "1003") | {
        "extension": [{"url": "urn:far", "valueDecimal": Decimal("1E+400")}]
    }
    process.repository(Caller("test", grants=WHOLE_RECORD)).commit([Put(far, "Patient", "eve")])
    assert ids(chart.patients(GRACE, "byr")) == ["ada", "bob", "eve"]
