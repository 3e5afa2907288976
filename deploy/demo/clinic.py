"""The record of a small clinic, made up: practitioners with hours, patients with what a chart shows of them.

FHIR R4 transaction; ids are fixed, dates count back from today, so that every demonstration looks alike.
"""

from base64 import b64encode
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from deploy.demo.questionnaire import URL, questionnaire

Json = dict[str, Any]

MRN = "urn:oid:2.16.840.1.113883.19.5.1"
"""The system of the clinic's patient numbers."""
LOINC, SNOMED = "http://loinc.org", "http://snomed.info/sct"
RXNORM, UCUM = "http://www.nlm.nih.gov/research/umls/rxnorm", "http://unitsofmeasure.org"
_TERMS = "http://terminology.hl7.org/CodeSystem"
_DAYS = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]

TARIFF = """currency = "USD"

[[visit]]
code = "V1"
text = "Visit under 20 minutes"
price = 60

[[visit]]
code = "V2"
text = "Visit of 20 minutes or more"
minutes = 20
price = 95
"""
"""What the clinic charges."""
PRACTITIONERS = (
    ("bergmann", "Dr", "Miriam", "Bergmann", ("394814009", "General practice")),
    ("nakamura", "Dr", "Kenji", "Nakamura", ("394579002", "Cardiology")),
    ("silva", "Dr", "Lucia", "Silva", ("394537008", "Pediatrics")),
)
PATIENTS = (
    ("ada", "4711", "Ada", "Okafor", "female", "1971-05-14"),
    ("ben", "4712", "Ben", "Hartwell", "male", "1958-11-02"),
    ("chen", "4713", "Mei", "Chen", "female", "1989-02-27"),
    ("dario", "4714", "Dario", "Ricci", "male", "1946-08-09"),
    ("elif", "4715", "Elif", "Aydin", "female", "2015-06-30"),
)
_CONDITIONS = (
    ("ada", "44054006", "Type 2 diabetes mellitus", 2200),
    ("ada", "38341003", "Hypertension", 1500),
    ("ben", "49436004", "Atrial fibrillation", 700),
    ("chen", "195967001", "Asthma", 4000),
    ("dario", "13645005", "Chronic obstructive lung disease", 3000),
    ("dario", "38341003", "Hypertension", 5200),
)
_ALLERGIES = (
    ("ada", "91936005", "Allergy to penicillin", "high"),
    ("chen", "300913006", "Shellfish allergy", "low"),
)
_MEDICINES = (
    ("ada", "861007", "metformin hydrochloride 500 MG Oral Tablet", "1 tablet twice a day", 2),
    ("ada", "314076", "lisinopril 10 MG Oral Tablet", "1 tablet a day", 1),
    ("ben", "1364430", "apixaban 5 MG Oral Tablet", "1 tablet twice a day", 2),
    ("chen", "745679", "albuterol 0.09 MG/ACTUAT Inhaler", "2 puffs when needed", 4),
)
# Whose, LOINC, name, unit as read and as UCUM, days between two, values from the latest back.
_TRENDS = (
    ("ada", "4548-4", "Hemoglobin A1c", "%", "%", 91, ("7.9", "7.4", "7.2", "6.9", "7.0", "6.8")),
    ("ada", "29463-7", "Body weight", "kg", "kg", 60, ("84.2", "83.0", "82.5", "81.9")),
    ("ben", "8867-4", "Heart rate", "/min", "/min", 30, ("96", "88", "92", "84")),
    ("chen", "19935-6", "Peak expiratory flow", "L/min", "L/min", 45, ("380", "410", "395")),
    ("dario", "59408-5", "Oxygen saturation", "%", "%", 20, ("91", "92", "94", "93")),
    ("elif", "29463-7", "Body weight", "kg", "kg", 180, ("34.1", "31.0", "28.2")),
)
_PRESSURES = (("ada", 60, ((148, 92), (142, 90), (139, 88))), ("dario", 30, ((151, 84), (146, 82))))


def clinic(now: datetime) -> Json:
    """All of it as one transaction."""
    return {"resourceType": "Bundle", "type": "transaction", "entry": [_put(one) for one in _resources(now)]}


def _put(resource: Json) -> Json:
    place = f"{resource['resourceType']}/{resource['id']}"
    return {"fullUrl": f"urn:demo:{place}", "resource": resource, "request": {"method": "PUT", "url": place}}


def _resources(now: datetime) -> Iterator[Json]:
    yield {"resourceType": "Organization", "id": "clinic", "name": "Hearth Street Clinic"}
    yield questionnaire()
    for row in PRACTITIONERS:
        yield from _practitioner(*row)
    for row in PATIENTS:
        yield _patient(*row)
        yield _coverage(*row[:2])
    yield from _problems(now)
    yield from _treatment(now)
    yield from _measured(now)
    yield from _letters(now)


def _practitioner(id: str, prefix: str, given: str, family: str, field: tuple[str, str]) -> Iterator[Json]:
    specialty = [{"coding": [{"system": SNOMED, "code": field[0], "display": field[1]}], "text": field[1]}]
    name = {"prefix": [prefix], "given": [given], "family": family}
    yield {"resourceType": "Practitioner", "id": id, "active": True, "name": [name]}
    yield {
        "resourceType": "PractitionerRole",
        "id": id,
        "practitioner": {"reference": f"Practitioner/{id}", "display": f"{prefix} {family}"},
        "organization": {"reference": "Organization/clinic"},
        "specialty": specialty,
        "availableTime": [
            {"daysOfWeek": _DAYS, "allDay": True},  # a demonstration is at any hour
        ],
    }
    parts = [{"url": name, "valueUnsignedInt": value} for name, value in (("length", 25), ("after", 5), ("every", 30))]
    yield {
        "resourceType": "Schedule",
        "id": id,
        "extension": [
            {"url": "urn:x-hearth:schedule-rules", "extension": parts},
            {"url": "urn:x-hearth:questionnaire", "valueCanonical": URL},
        ],
        "active": True,
        "specialty": specialty,
        "actor": [{"reference": f"PractitionerRole/{id}", "display": f"{prefix} {family}"}],
    }


def _patient(id: str, number: str, given: str, family: str, gender: str, birth: str) -> Json:
    kind = {"coding": [{"system": f"{_TERMS}/v2-0203", "code": "MR"}]}
    return {
        "resourceType": "Patient",
        "id": id,
        "identifier": [{"type": kind, "system": MRN, "value": number}],
        "active": True,
        "name": [{"use": "official", "given": [given], "family": family}],
        "telecom": [{"system": "phone", "value": f"+1 555 01{number[-2:]}", "use": "mobile"}],
        "gender": gender,
        "birthDate": birth,
        "address": [{"line": [f"{number[-1]} Chimney Row"], "city": "Emberton", "country": "US"}],
        "generalPractitioner": [{"reference": "Practitioner/bergmann"}],
    }


def _coverage(who: str, number: str) -> Json:
    """Who pays for the visits of ``who``."""
    return {
        "resourceType": "Coverage",
        "id": f"coverage-{who}",
        "status": "active",
        "type": {"text": "Health insurance"},
        "subscriberId": f"EH-{number}",
        "beneficiary": {"reference": f"Patient/{who}"},
        "payor": [{"display": "Emberton Health"}],
    }


def _problems(now: datetime) -> Iterator[Json]:
    active = {"coding": [{"system": f"{_TERMS}/condition-clinical", "code": "active"}]}
    listed = [{"coding": [{"system": f"{_TERMS}/condition-category", "code": "problem-list-item"}]}]
    for n, (who, code, text, days) in enumerate(_CONDITIONS):
        yield {
            "resourceType": "Condition",
            "id": f"condition-{n}",
            "clinicalStatus": active,
            "category": listed,
            "code": _code(SNOMED, code, text),
            "subject": {"reference": f"Patient/{who}"},
            "onsetDateTime": _day(now, days),
        }
    known = {"coding": [{"system": f"{_TERMS}/allergyintolerance-clinical", "code": "active"}]}
    for n, (who, code, text, criticality) in enumerate(_ALLERGIES):
        yield {
            "resourceType": "AllergyIntolerance",
            "id": f"allergy-{n}",
            "clinicalStatus": known,
            "criticality": criticality,
            "code": _code(SNOMED, code, text),
            "patient": {"reference": f"Patient/{who}"},
        }


def _treatment(now: datetime) -> Iterator[Json]:
    for n, (who, code, text, how, often) in enumerate(_MEDICINES):
        repeat = {"frequency": often, "period": 1, "periodUnit": "d"}
        yield {
            "resourceType": "MedicationRequest",
            "id": f"medicine-{n}",
            "status": "active",
            "intent": "order",
            "medicationCodeableConcept": _code(RXNORM, code, text),
            "subject": {"reference": f"Patient/{who}"},
            "authoredOn": _day(now, 60 + n),
            "requester": {"reference": "Practitioner/bergmann"},
            "dosageInstruction": [{"text": how, "timing": {"repeat": repeat}}],
        }


def _measured(now: datetime) -> Iterator[Json]:
    for row, (who, code, text, unit, ucum, every, values) in enumerate(_TRENDS):
        for n, value in enumerate(values):
            quantity = {"value": float(value), "unit": unit, "system": UCUM, "code": ucum}
            yield _observation(f"trend-{row}-{n}", who, (code, text), _day(now, 3 + n * every)) | {
                "valueQuantity": quantity
            }
    for row, (who, every, pressures) in enumerate(_PRESSURES):
        for n, pair in enumerate(pressures):
            made = _observation(f"pressure-{row}-{n}", who, ("85354-9", "Blood pressure"), _day(now, 3 + n * every))
            yield made | {"component": [_pressure(*part) for part in zip(_SIDES, pair, strict=True)]}


_LETTERS = (
    (
        "ada",
        "Diabetes review",
        91,
        "Dear Ms Okafor,\n\nyour HbA1c is a little higher than before. Please book a visit.\n",
    ),
    ("ben", "Anticoagulation plan", 30, "Dear Mr Hartwell,\n\nplease go on with apixaban twice a day.\n"),
)
_SIDES = (("8480-6", "Systolic blood pressure"), ("8462-4", "Diastolic blood pressure"))


def _pressure(side: tuple[str, str], value: int) -> Json:
    quantity = {"value": value, "unit": "mmHg", "system": UCUM, "code": "mm[Hg]"}
    return {"code": _code(LOINC, *side), "valueQuantity": quantity}


def _observation(id: str, who: str, code: tuple[str, str], at: str) -> Json:
    kind = "laboratory" if code[0] == "4548-4" else "vital-signs"
    return {
        "resourceType": "Observation",
        "id": id,
        "status": "final",
        "category": [{"coding": [{"system": f"{_TERMS}/observation-category", "code": kind}]}],
        "code": _code(LOINC, *code),
        "subject": {"reference": f"Patient/{who}"},
        "effectiveDateTime": at,
    }


def _letters(now: datetime) -> Iterator[Json]:
    """What patients find among their documents."""
    for n, (who, title, days, text) in enumerate(_LETTERS):
        data = b64encode(text.encode()).decode()
        yield {
            "resourceType": "DocumentReference",
            "id": f"letter-{n}",
            "status": "current",
            "docStatus": "final",
            "type": _code(LOINC, "51852-2", "Letter"),
            "subject": {"reference": f"Patient/{who}"},
            "date": _day(now, days),
            "author": [{"reference": "Practitioner/bergmann", "display": "Dr Bergmann"}],
            "description": title,
            "content": [{"attachment": {"contentType": "text/plain", "data": data, "title": title}}],
        }


def _code(system: str, code: str, text: str) -> Json:
    return {"coding": [{"system": system, "code": code, "display": text}], "text": text}


def _day(now: datetime, days: int) -> str:
    return (now.astimezone(UTC) - timedelta(days=days)).strftime("%Y-%m-%dT09:30:00Z")
