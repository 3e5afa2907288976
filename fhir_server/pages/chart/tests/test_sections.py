from datetime import UTC
from typing import Any

import pytest

from fhir_server.pages.chart.section import Section
from fhir_server.pages.chart.sections import sections
from fhir_server.pages.visits.tests.conftest import Rig, at, concept
from resources.repository import WHOLE_RECORD, Caller, Grant, Grants

ADA = {"reference": "Patient/ada"}
CATEGORY = "http://terminology.hl7.org/CodeSystem/observation-category"


def read(rig: Rig, grants: Grants = WHOLE_RECORD) -> dict[str, Section]:
    repository = rig.process.repository(Caller("test", grants=grants))
    return {one.id: one for one in sections(repository, "Patient/ada", UTC)}


def observed(rig: Rig, id: str, minutes: int = -10, **of: Any) -> None:
    made = {"status": "final", "subject": ADA, "effectiveDateTime": at(minutes), "code": concept("CRP", "1988-5")}
    rig.house.put("Observation", id, **(made | of))


def test_the_latest_result_of_each_code_with_its_flag_and_range(rig: Rig) -> None:
    high = [concept("", "HH", "http://terminology.hl7.org/CodeSystem/v3-ObservationInterpretation")]
    observed(rig, "old", -500, valueQuantity={"value": 3, "unit": "mg/L"})
    observed(rig, "new", valueQuantity={"value": 68, "unit": "mg/L"}, interpretation=high)
    observed(rig, "wrong", -1, status="entered-in-error", valueQuantity={"value": 1})
    observed(
        rig, "smokes", code=concept("Smokes"), valueBoolean=True, category=[concept("", "social-history", CATEGORY)]
    )
    parts = [
        {"code": concept("", code), "valueQuantity": {"value": n, "unit": "mmHg"}}
        for code, n in (("8480-6", 120), ("8462-4", 80))
    ]
    observed(rig, "bp", code=concept("BP", "85354-9"), component=parts, category=[concept("", "vital-signs", CATEGORY)])
    found = read(rig)
    [crp] = found["results"].table
    assert (crp.value, crp.flags) == ("68 mg/L", [("Critically high", "bad")])
    assert [one.value for one in found["results"].courses[crp.key].earlier] == ["3 mg/L"]
    assert [(one.test, one.value) for one in found["results"].folded] == [("Smokes", "yes")]
    assert [(one.test, one.value) for one in found["vitals"].table] == [("BP", "120/80 mmHg")]


def test_what_is_over_is_folded_and_what_was_never_true_is_gone(rig: Rig) -> None:
    clinical = "http://terminology.hl7.org/CodeSystem/condition-clinical"
    doubt = "http://terminology.hl7.org/CodeSystem/condition-ver-status"
    rig.house.put("Condition", "c1", subject=ADA, code=concept("Asthma"), onsetDateTime="2011-04")
    rig.house.put("Condition", "c2", subject=ADA, code=concept("Flu"), clinicalStatus=concept("", "resolved", clinical))
    rig.house.put(
        "Condition", "c3", subject=ADA, code=concept("Gout"), verificationStatus=concept("", "refuted", doubt)
    )
    problems = read(rig)["problems"]
    assert [(one.text, one.facts) for one in problems.items] == [("Asthma", ["since Apr 2011"])]
    assert [one.text for one in problems.others] == ["Flu"]


def test_medications_by_code_and_by_reference(rig: Rig) -> None:
    rig.house.put("Medication", "iron", code=concept("Iron"))
    rig.house.put(
        "MedicationRequest",
        "m1",
        subject=ADA,
        status="active",
        intent="order",
        medicationReference={"reference": "Medication/iron"},
    )
    rig.house.put("MedicationStatement", "m2", subject=ADA, status="active", medicationCodeableConcept=concept("Tea"))
    rig.house.put(
        "MedicationRequest",
        "m3",
        subject=ADA,
        status="stopped",
        intent="order",
        medicationCodeableConcept=concept("Old"),
    )
    found = read(rig)["medications"]
    assert [(one.text, one.facts) for one in found.items] == [("Iron", ["prescribed"]), ("Tea", ["reported"])]
    assert [one.text for one in found.others] == ["Old"]


@pytest.mark.parametrize("id", ["allergies", "problems", "medications", "results", "vitals", "visits"])
def test_nothing_recorded_is_not_the_same_as_not_allowed(rig: Rig, id: str) -> None:
    assert read(rig)[id].empty and not read(rig)[id].refused
    assert read(rig, Grants((Grant("Patient", "rs"),)))[id].refused == "forbidden"
