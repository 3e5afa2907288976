"""Who asks whether there is news is told only that; nobody's record, and no row of the audit trail."""

from typing import Any

from fhir_server.pages.chart.news import mark
from fhir_server.pages.visits.tests.conftest import Rig, concept
from resources.repository import Caller, Grant, Grants

ADA = {"reference": "Patient/ada"}


def reported(rig: Rig, id: str, value: int, of: str = "ada") -> None:
    rig.house.put("Observation", id, status="final", subject={"reference": f"Patient/{of}"},
                  code=concept("Sodium"), valueInteger=value)  # fmt: skip


def asked(rig: Rig, known: str) -> Any:
    return rig.browser.get(f"/visits/chart/Patient/ada/news?mark={known}").answer.json


def test_what_is_new_of_the_patient_and_of_nobody_else(rig: Rig) -> None:
    rig.house.put("Patient", "ben")
    first = asked(rig, "")["mark"]
    reported(rig, "other", 1, "ben")
    assert asked(rig, first) == {"mark": first, "news": False}
    reported(rig, "one", 138)
    second = asked(rig, first)
    assert second["news"] and not asked(rig, second["mark"])["news"]
    reported(rig, "one", 139)
    assert asked(rig, second["mark"])["news"]


def test_the_pages_say_where_to_ask_and_what_they_know(rig: Rig) -> None:
    for page in ("/visits/chart/Patient/ada", "/my/results?patient=Patient/ada"):
        assert f'data-mark="{asked(rig, "")["mark"]}"' in rig.browser.get(page).answer.text
    assert rig.browser.get("/my/results/news?patient=Patient/ada&mark=").answer.json["news"]
    assert rig.browser.get("/visits/chart/Encounter/e/news").answer.status_code == 404


def test_asking_is_no_look_into_the_record(rig: Rig) -> None:
    reported(rig, "one", 138)
    rig.browser.get("/visits/chart/Patient/ada")
    before = rig.audited("search-type")
    assert before
    for _ in range(3):
        asked(rig, "")
    assert rig.audited("search-type") == before


def test_who_may_not_see_prescriptions_still_has_news_of_results(rig: Rig) -> None:
    seen = rig.process.repository(Caller("Practitioner/ben", grants=Grants((Grant("Observation", "rs"),))))
    first = mark(seen, "Patient/ada")
    rig.house.put("MedicationRequest", "m", status="active", intent="order", subject=ADA,
                  medicationCodeableConcept=concept("Tea"))  # fmt: skip
    assert first and mark(seen, "Patient/ada") == first
    reported(rig, "one", 138)
    assert mark(seen, "Patient/ada") != first
    assert mark(rig.process.repository(Caller("Practitioner/ben")), "Patient/ada") == ""
