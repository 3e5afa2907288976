"""The record of the secured server under test: two patients, who takes care of them, and what was found.

FHIR R4 resources; categories of US Core for scopes with parameters.
"""

from conformance_tests.client import Json
from conformance_tests.examples import entry

ADA, BOB, GRACE = "Patient/ada", "Patient/bob", "Practitioner/grace"
VISIT, VISIT_OF_BOB = "Encounter/visit", "Encounter/visit-of-bob"

OBSERVATION_CATEGORY = "http://terminology.hl7.org/CodeSystem/observation-category"
CONDITION_CATEGORY = "http://terminology.hl7.org/CodeSystem/condition-category"
HEALTH_CONCERN = "http://hl7.org/fhir/us/core/CodeSystem/condition-category"

OBSERVATIONS = {"vital-signs": "29463-7", "laboratory": "2339-0", "social-history": "72166-2", "survey": "44249-1"}
CONDITIONS = {
    "problem-list-item": CONDITION_CATEGORY,
    "encounter-diagnosis": CONDITION_CATEGORY,
    "health-concern": HEALTH_CONCERN,
}


def everything() -> Json:
    """The transaction that stores it."""
    rows = [*_around(), *_of(ADA, "female"), *_of(BOB, "male")]
    entries = [entry("PUT", f"{row['resourceType']}/{row['id']}", row) for row in rows]
    return {"resourceType": "Bundle", "type": "transaction", "entry": entries}


def _around() -> list[Json]:
    """What belongs to no patient, and a relative."""
    return [
        {"resourceType": "Practitioner", "id": "grace", "name": [{"family": "Hopper", "given": ["Grace"]}]},
        {"resourceType": "Organization", "id": "clinic", "name": "Clinic at the mill"},
        {"resourceType": "Location", "id": "ward", "name": "Ward 3"},
        {"resourceType": "Medication", "id": "aspirin", "code": {"text": "Aspirin 100 mg"}},
        {"resourceType": "RelatedPerson", "id": "rita", "patient": {"reference": ADA}, "name": [{"family": "Byron"}]},
        {
            "resourceType": "MedicationRequest",
            "id": "aspirin-for-ada",
            "status": "active",
            "intent": "order",
            "subject": {"reference": ADA},
            "requester": {"reference": GRACE},
            "medicationReference": {"reference": "Medication/aspirin"},
        },
    ]


def _of(patient: str, gender: str) -> list[Json]:
    """What a patient has; ids end with the patient's, but for the visits, whose names are above."""
    id = patient.partition("/")[2]
    visit = (VISIT if patient == ADA else VISIT_OF_BOB).partition("/")[2]
    names = {ADA: ("Byron", "Ada"), BOB: ("Babbage", "Bob")}
    family, given = names[patient]
    subject = {"subject": {"reference": patient}}
    return [
        {
            "resourceType": "Patient",
            "id": id,
            "gender": gender,
            "birthDate": "1970-12-10",
            "name": [{"family": family, "given": [given]}],
            "identifier": [{"system": "urn:x-clinic", "value": f"MRN-{id}"}],
            "generalPractitioner": [{"reference": GRACE}],
        },
        {
            "resourceType": "Encounter",
            "id": visit,
            "status": "finished",
            "class": {"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "AMB"},
            "period": {"start": "2026-11-02T09:30:00Z"},
        }
        | subject,
        {"resourceType": "AllergyIntolerance", "id": f"nuts-{id}", "patient": {"reference": patient}}
        | {"code": {"text": "Nuts"}, "clinicalStatus": _status("allergyintolerance-clinical", "active")},
        *(_observation(id, category) | subject for category in OBSERVATIONS),
        *(_condition(id, category) | subject for category in CONDITIONS),
    ]


def _observation(id: str, category: str) -> Json:
    return {
        "resourceType": "Observation",
        "id": f"{category}-{id}",
        "status": "final",
        "category": [{"coding": [{"system": OBSERVATION_CATEGORY, "code": category}]}],
        "code": {"coding": [{"system": "http://loinc.org", "code": OBSERVATIONS[category]}]},
        "performer": [{"reference": GRACE}],
        "effectiveDateTime": "2026-11-02T10:00:00Z",
        "valueString": f"of {id}",
    }


def _condition(id: str, category: str) -> Json:
    return {
        "resourceType": "Condition",
        "id": f"{category}-{id}",
        "category": [{"coding": [{"system": CONDITIONS[category], "code": category}]}],
        "clinicalStatus": _status("condition-clinical", "active"),
        "code": {"text": f"{category} of {id}"},
    }


def _status(system: str, code: str) -> Json:
    return {"coding": [{"system": f"http://terminology.hl7.org/CodeSystem/{system}", "code": code}]}
