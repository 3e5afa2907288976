"""Whatever a valid record holds, every page is shown: nobody's entry keeps a clinic from another's results."""

from typing import Any

import pytest

from fhir_server.pages.visits.tests.conftest import LOINC, Rig, at, concept

ADA = {"reference": "Patient/ada"}
UNSAID: Any = {"extension": [{"url": "urn:test:unsaid", "valueCode": "unknown"}]}
"""In the place of a value, also of one that must be there."""
LATE, EARLY = "9999-12-31T23:59:59-12:00", "0001-01-01T00:00:00+12:00"
"""Moments for which zones have no clock."""
_HL7 = "http://terminology.hl7.org/CodeSystem"
_LABORATORY = [concept("", "laboratory", f"{_HL7}/observation-category")]
_CARE_TEAM = [concept("", "care-team", "urn:x-hearth:communication")]
_ASKED = concept("", "complete-questionnaire", "http://hl7.org/fhir/uv/sdc/CodeSystem/temp")
_WHO = [{"actor": ADA, "status": "accepted"}, {"actor": {"reference": "Practitioner/ben"}, "status": "accepted"}]
_MEASURED = {"subject": ADA, "status": "final", "code": concept("Potassium", "2823-3"), "category": _LABORATORY}
ODD: tuple[tuple[str, dict[str, Any]], ...] = (
    ("Patient", {"name": [{"_family": UNSAID}], "link": [{"other": ADA, "_type": UNSAID}], "birthDate": "0001"}),
    ("Patient", {"name": [{"given": ["Olu"], "_family": UNSAID}], "_birthDate": UNSAID, "deceasedDateTime": LATE,
                 "identifier": [{"_value": UNSAID}], "telecom": [{"system": "phone", "_value": UNSAID}]}),
    ("Observation", {"subject": ADA, "_status": UNSAID, "code": {"_text": UNSAID}}),
    ("Observation", _MEASURED | {"valueQuantity": {"value": 1e300, "unit": "mg"}, "effectiveDateTime": LATE}),
    ("Observation", _MEASURED | {"valueQuantity": {"value": -1e300, "unit": "mg"}, "effectiveDateTime": EARLY,
                                 "referenceRange": [{"low": {"_value": UNSAID}, "high": {"value": -1e300}}]}),
    ("Observation", _MEASURED | {"valueQuantity": {"_value": UNSAID, "unit": "mg"}, "effectiveDateTime": "2026"}),
    ("Observation", _MEASURED | {"code": concept("Pressure", "85354-9"), "effectiveTiming": {"event": ["2026"]},
                                 "component": [{"code": concept("", "8480-6", LOINC), "valueTime": "10:00:00"}]}),
    ("MedicationRequest", {"subject": ADA, "_status": UNSAID, "_intent": UNSAID, "authoredOn": LATE,
                           "medicationReference": {"display": "Something"}}),
    ("ServiceRequest", {"subject": ADA, "_status": UNSAID, "_intent": UNSAID, "authoredOn": EARLY}),
    ("DiagnosticReport", {"subject": {"display": "Somebody"}, "status": "final", "code": {"_text": UNSAID},
                          "issued": LATE, "result": [{"display": "x"}],
                          "presentedForm": [{"url": "javascript:alert(1)", "contentType": "text/html"}]}),
    ("DocumentReference", {"subject": ADA, "_status": UNSAID, "date": LATE,
                           "content": [{"attachment": {"_url": UNSAID}}]}),
    ("Communication", {"status": "completed", "category": _CARE_TEAM, "subject": {"display": "Somebody"},
                       "sender": ADA, "sent": LATE, "payload": [{"_contentString": UNSAID}]}),
    ("Communication", {"_status": UNSAID, "category": _CARE_TEAM, "subject": ADA, "sender": ADA, "_sent": UNSAID}),
    ("Appointment", {"status": "booked", "start": LATE, "end": LATE, "participant": _WHO}),
    ("Appointment", {"_status": UNSAID, "start": at(0), "end": at(9), "participant": _WHO}),
    ("Encounter", {"status": "finished", "class": {"code": "VR"}, "subject": ADA, "period": {"start": LATE}}),
    ("Encounter", {"_status": UNSAID, "class": {"_code": UNSAID}, "subject": ADA, "period": {"_start": UNSAID}}),
    ("Task", {"_status": UNSAID, "_intent": UNSAID, "code": _ASKED, "for": ADA}),
    ("Task", {"status": "requested", "intent": "order", "authoredOn": LATE, "code": _ASKED, "for": ADA}),
    ("QuestionnaireResponse", {"subject": ADA, "status": "completed", "authored": LATE, "item": [
        {"_linkId": UNSAID, "answer": [{"valueDateTime": LATE}, {"valueDateTime": EARLY}, {"_valueString": UNSAID}]}]}),
)  # fmt: skip
PAGES = (
    *("/visits/", "/visits/inbox", "/visits/chart/Patient/ada", "/visits/chart/Encounter/visit", "/billing/"),
    *(f"/my/{page}?patient=Patient/ada" for page in ("", "results", "documents", "messages", "access", "record.json")),
)


@pytest.fixture
def odd(rig: Rig) -> Rig:
    rig.house.visit()
    for n, (type, of) in enumerate(ODD):
        rig.house.put(type, f"odd-{n}", **of)
    return rig


def test_every_page_is_shown(odd: Rig) -> None:
    answers = {page: odd.browser.get(page).answer.status_code for page in PAGES}
    assert answers == dict.fromkeys(PAGES, 200)
    found = odd.browser.get("/visits/patients").submit("/visits/patients", name="o")
    assert found.answer.status_code == 200 and "Olu" in found.words
