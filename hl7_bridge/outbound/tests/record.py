"""A small record for the tests: one patient, one of each resource that goes out, and who they refer to."""

from typing import Any

Json = dict[str, Any]

PATIENT: Json = {
    "resourceType": "Patient",
    "id": "ada",
    "identifier": [
        {"type": {"coding": [{"code": "MR"}]}, "system": "urn:oid:1.2.3.4", "value": "A-1"},
        {"system": "urn:id:NAT", "value": "77"},
    ],
    "name": [{"use": "official", "family": "Love|lace^", "given": ["Ada", "King"]}],
    "birthDate": "1815-12-10",
    "gender": "female",
    "address": [
        {"use": "home", "line": ["1 Main St", "Flat 2"], "city": "London", "postalCode": "W1", "country": "GBR"}
    ],
    "telecom": [
        {"system": "phone", "use": "home", "value": "555-1"},
        {"system": "email", "use": "work", "value": "a@b"},
    ],
}
DOCTOR: Json = {
    "resourceType": "Practitioner",
    "id": "doc",
    "identifier": [{"system": "http://hl7.org/fhir/sid/us-npi", "value": "1234567893"}],
    "name": [{"family": "House", "given": ["Gregory"]}],
}
VISIT: Json = {
    "resourceType": "Encounter",
    "id": "visit",
    "status": "in-progress",
    "class": {"code": "AMB"},
    "identifier": [{"system": "urn:id:HIS", "value": "V1"}],
    "subject": {"reference": "Patient/ada"},
    "period": {"start": "2026-01-02T10:00:00+01:00"},
}
SPECIMEN: Json = {
    "resourceType": "Specimen",
    "id": "blood",
    "identifier": [{"system": "urn:id:LAB", "value": "S1"}],
    "type": {"coding": [{"system": "http://snomed.info/sct", "code": "119297000", "display": "Blood"}]},
    "subject": {"reference": "Patient/ada"},
    "collection": {"collectedDateTime": "2026-01-02T10:05:00+01:00"},
}
ORDER: Json = {
    "resourceType": "ServiceRequest",
    "id": "order",
    "identifier": [{"type": {"coding": [{"code": "PLAC"}]}, "system": "urn:id:EHR", "value": "P-9"}],
    "status": "active",
    "intent": "order",
    "priority": "stat",
    "code": {"coding": [{"system": "http://loinc.org", "code": "718-7", "display": "Hemoglobin"}], "text": "Hb"},
    "subject": {"reference": "Patient/ada"},
    "encounter": {"reference": "Encounter/visit"},
    "requester": {"reference": "Practitioner/doc"},
    "authoredOn": "2026-01-02T10:00:00Z",
    "specimen": [{"reference": "Specimen/blood"}],
    "reasonCode": [{"text": "tired"}],
    "note": [{"text": "fasting\nsince 8"}],
}
PRESCRIPTION: Json = {
    "resourceType": "MedicationRequest",
    "id": "rx",
    "status": "active",
    "intent": "order",
    "medicationCodeableConcept": {
        "coding": [
            {"system": "http://www.nlm.nih.gov/research/umls/rxnorm", "code": "308182", "display": "Amoxicillin"}
        ]
    },
    "subject": {"reference": "Patient/ada"},
    "requester": {"reference": "Practitioner/doc"},
    "authoredOn": "2026-01-02",
    "dosageInstruction": [
        {
            "text": "1 capsule three times a day",
            "timing": {"repeat": {"frequency": 3, "period": 1, "periodUnit": "d"}},
            "route": {"coding": [{"system": "http://snomed.info/sct", "code": "26643006", "display": "Oral"}]},
            "doseAndRate": [{"doseQuantity": {"value": 250, "unit": "mg", "code": "mg"}}],
        }
    ],
    "dispenseRequest": {"quantity": {"value": 21, "unit": "capsule"}, "numberOfRepeatsAllowed": 1},
    "substitution": {"allowedBoolean": False},
}
APPOINTMENT: Json = {
    "resourceType": "Appointment",
    "id": "app",
    "status": "booked",
    "serviceType": [{"text": "Video visit"}],
    "start": "2026-02-01T09:00:00Z",
    "end": "2026-02-01T09:20:00Z",
    "minutesDuration": 20,
    "comment": "Have your tablets at hand.",
    "participant": [
        {"actor": {"reference": "Patient/ada"}, "status": "accepted"},
        {"actor": {"reference": "Practitioner/doc"}, "status": "accepted"},
    ],
}
NOTE: Json = {
    "resourceType": "DocumentReference",
    "id": "note",
    "masterIdentifier": {"system": "urn:id:EHR", "value": "D-1"},
    "status": "current",
    "docStatus": "final",
    "type": {"coding": [{"system": "http://loinc.org", "code": "11488-4", "display": "Consult note"}]},
    "subject": {"reference": "Patient/ada"},
    "date": "2026-01-02T11:00:00Z",
    "author": [{"reference": "Practitioner/doc"}],
    "content": [{"attachment": {"contentType": "application/pdf", "data": "JVBERi0="}}],
    "context": {"encounter": [{"reference": "Encounter/visit"}]},
}
ALL = {
    f"{each['resourceType']}/{each['id']}": each
    for each in (PATIENT, DOCTOR, VISIT, SPECIMEN, ORDER, PRESCRIPTION, APPOINTMENT, NOTE)
}
