"""Resources of our own about one patient, as large as those of the published CRUD loop: 0.8 to 2 KB, Patient 5, EOB 8.

FHIR R4 (https://hl7.org/fhir/R4/resourcelist.html). ``MAKERS`` has a row for each type; a maker takes the source of
chance and the references made so far, by type.
"""

# ruff: noqa: E501
# Tables of elements: a line is a row.

import random
import uuid
from collections.abc import Callable, Mapping
from typing import Any

from bench.workload import FAMILIES, GIVEN, LOINC, VITALS

Resource = dict[str, Any]
References = Mapping[str, str]
"""Of what was made before, by type: ``{"Patient": "Patient/123"}``."""

_TERMINOLOGY = "http://terminology.hl7.org/CodeSystem"
_SNOMED = "http://snomed.info/sct"
_RXNORM = "http://www.nlm.nih.gov/research/umls/rxnorm"
_US_CORE = "http://hl7.org/fhir/us/core/StructureDefinition"
_CITIES = ("Boston", "Cambridge", "Lowell", "Quincy", "Salem", "Springfield", "Worcester")
_CONDITIONS = (
    ("44054006", "Diabetes mellitus type 2 (disorder)"),
    ("38341003", "Hypertensive disorder (disorder)"),
    ("195662009", "Acute viral pharyngitis (disorder)"),
    ("444814009", "Viral sinusitis (disorder)"),
)
_PROCEDURES = (("430193006", "Medication reconciliation"), ("76601001", "Intramuscular injection"))
_MEDICATIONS = (
    ("860975", "24 HR Metformin hydrochloride 500 MG Extended Release Oral Tablet"),
    ("314076", "Lisinopril 10 MG Oral Tablet"),
    ("849574", "Naproxen sodium 220 MG Oral Tablet"),
)


def _concept(system: str, code: str, display: str) -> Resource:
    return {"coding": [{"system": system, "code": code, "display": display}], "text": display}


def _refer(made: References, type: str) -> Resource:
    return {"reference": made[type]}


def _text(lines: list[str]) -> Resource:
    rows = "".join(f"<p>{line}</p>" for line in lines)
    return {"status": "generated", "div": f'<div xmlns="http://www.w3.org/1999/xhtml">{rows}</div>'}


def _day(chance: random.Random) -> str:
    return f"20{chance.randint(10, 24)}-{chance.randint(1, 12):02}-{chance.randint(1, 28):02}"


def _address(chance: random.Random) -> Resource:
    line, city = f"{chance.randint(1, 999)} Main Street", chance.choice(_CITIES)
    return {
        "use": "home", "type": "both", "text": f"{line}, {city}, MA", "line": [line, "Building 2"], "city": city,
        "district": f"{city} County", "state": "MA", "postalCode": f"0{chance.randint(1000, 2799)}", "country": "US",
        "period": {"start": "2009-04-01"},
    }  # fmt: skip


def _telecom(chance: random.Random, use: str = "work") -> list[Resource]:
    number = chance.randint(1000000, 9999999)
    return [
        {"system": "phone", "value": f"+1-617-{number}", "use": use, "rank": 1},
        {"system": "email", "value": f"desk{number}@clinic.example.org", "use": use, "rank": 2},
    ]


def _identifier(chance: random.Random, system: str, code: str, display: str) -> Resource:
    type = _concept(f"{_TERMINOLOGY}/v2-0203", code, display)
    value = str(uuid.UUID(int=chance.getrandbits(128), version=4))
    return {"use": "official", "type": type, "system": system, "value": value}


def _organization(chance: random.Random, made: References) -> Resource:
    name = f"{chance.choice(_CITIES)} {chance.choice(FAMILIES)} General Hospital"
    return {
        "resourceType": "Organization", "text": _text([name, "A hospital of the benchmark, open day and night"]),
        "identifier": [_identifier(chance, "urn:bench:organization", "PRN", "Provider number")], "active": True,
        "type": [_concept(f"{_TERMINOLOGY}/organization-type", "prov", "Healthcare Provider")], "name": name,
        "telecom": _telecom(chance), "address": [_address(chance) | {"use": "work"}],
    }  # fmt: skip


def _location(chance: random.Random, made: References) -> Resource:
    name = f"{chance.choice(_CITIES)} outpatient ward {chance.randint(1, 99)}"
    return {
        "resourceType": "Location", "text": _text([name, "On the second floor, by the eastern stairs"]),
        "identifier": [_identifier(chance, "urn:bench:location", "FI", "Facility ID")], "status": "active",
        "name": name, "mode": "instance", "telecom": _telecom(chance), "address": _address(chance) | {"use": "work"},
        "position": {"longitude": -71.1, "latitude": 42.36},
    }  # fmt: skip


def _practitioner(chance: random.Random, made: References) -> Resource:
    family, given = chance.choice(FAMILIES), chance.choice(GIVEN)
    return {
        "resourceType": "Practitioner", "text": _text([f"Dr. {given} {family}", "Internal medicine"]),
        "identifier": [_identifier(chance, "urn:bench:practitioner", "MD", "Medical License number")], "active": True,
        "name": [{"use": "official", "family": family, "given": [given, "M."], "prefix": ["Dr."]}],
        "telecom": _telecom(chance), "address": [_address(chance) | {"use": "work"}], "gender": "female",
        "qualification": [{"code": _concept(f"{_TERMINOLOGY}/v2-0360", "MD", "Doctor of Medicine")}],
    }  # fmt: skip


def _omb(name: str, code: str, display: str) -> Resource:
    coding = {"system": "urn:oid:2.16.840.1.113883.6.238", "code": code, "display": display}
    parts = [{"url": "ombCategory", "valueCoding": coding}, {"url": "text", "valueString": display}]
    return {"url": f"{_US_CORE}/{name}", "extension": parts}


def _patient(chance: random.Random, made: References) -> Resource:
    family, given = (
        f"{chance.choice(FAMILIES)}{chance.randrange(1000)}",
        f"{chance.choice(GIVEN)}{chance.randrange(100)}",
    )
    kinds = (("MR", "Medical Record Number"), ("SS", "Social Security Number"), ("DL", "Driver's License"),
             ("PPN", "Passport Number"), ("AN", "Account number"))  # fmt: skip
    history = [f"Seen on {_day(chance)} by the ward; came by herself, left well, papers given" for _ in range(9)]
    born = f"19{chance.randint(30, 99)}-{chance.randint(1, 12):02}-{chance.randint(1, 28):02}"
    return {
        "resourceType": "Patient", "text": _text([f"{given} {family}, born {born}", *history]),
        "extension": [
            _omb("us-core-race", "2106-3", "White"), _omb("us-core-ethnicity", "2186-5", "Not Hispanic or Latino"),
            {"url": f"{_US_CORE}/us-core-birthsex", "valueCode": "F"},
            {"url": "http://hl7.org/fhir/StructureDefinition/patient-mothersMaidenName", "valueString": "Abara"},
        ],
        "identifier": [_identifier(chance, f"urn:bench:{code.lower()}", code, words) for code, words in kinds],
        "active": True,
        "name": [{"use": "official", "family": family, "given": [given], "prefix": ["Ms."]},
                 {"use": "nickname", "text": given}],
        "telecom": _telecom(chance, "home"), "gender": chance.choice(["male", "female"]), "birthDate": born,
        "address": [_address(chance)], "maritalStatus": _concept(f"{_TERMINOLOGY}/v3-MaritalStatus", "M", "Married"),
        "multipleBirthBoolean": False,
        "contact": [{"relationship": [_concept(f"{_TERMINOLOGY}/v2-0131", "N", "Next-of-Kin")],
                     "name": {"family": family, "given": ["Ada"]}, "telecom": _telecom(chance, "mobile")}],
        "communication": [{"language": _concept("urn:ietf:bcp:47", "en-US", "English"), "preferred": True}],
    }  # fmt: skip


def _encounter(chance: random.Random, made: References) -> Resource:
    day = _day(chance)
    period = {"start": f"{day}T09:00:00Z", "end": f"{day}T09:30:00Z"}
    return {
        "resourceType": "Encounter", "text": _text([f"Check up on {day}"]),
        "identifier": [_identifier(chance, "urn:bench:visit", "VN", "Visit number")], "status": "finished",
        "class": {"system": f"{_TERMINOLOGY}/v3-ActCode", "code": chance.choice(["AMB", "EMER", "IMP"])},
        "type": [_concept(_SNOMED, "185349003", "Encounter for check up (procedure)")], "subject": _refer(made, "Patient"),
        "participant": [{"period": period, "individual": _refer(made, "Practitioner")}], "period": period,
        "reasonCode": [_concept(_SNOMED, *chance.choice(_CONDITIONS))],
        "location": [{"location": _refer(made, "Location"), "status": "completed"}],
        "serviceProvider": _refer(made, "Organization"),
    }  # fmt: skip


def _measured(chance: random.Random, code: str, display: str, unit: str, low: float, high: float) -> Resource:
    value = {"value": round(chance.uniform(low, high), 1), "unit": unit}
    quantity = value | {"system": "http://unitsofmeasure.org", "code": unit}
    return {"code": _concept(LOINC, code, display), "valueQuantity": quantity}


def _pressures(chance: random.Random) -> Resource:
    parts = (("8480-6", "Systolic blood pressure", 100, 190), ("8462-4", "Diastolic blood pressure", 50, 110))
    return {
        "code": _concept(LOINC, "85354-9", "Blood pressure panel"),
        "component": [_measured(chance, code, display, "mm[Hg]", low, high) for code, display, low, high in parts],
    }


def _observation(chance: random.Random, made: References) -> Resource:
    day, (code, display, unit, low, high) = _day(chance), chance.choice(VITALS)
    what = _pressures(chance) if chance.random() < 0.2 else _measured(chance, code, display, unit, low, high)
    category = ("laboratory", "Laboratory") if unit == "mg/dL" else ("vital-signs", "Vital Signs")
    return {
        "resourceType": "Observation", "text": _text([f"{what['code']['text']} on {day}", "Measured sitting, at rest"]),
        "status": "final", "category": [_concept(f"{_TERMINOLOGY}/observation-category", *category)],
        "subject": _refer(made, "Patient"), "encounter": _refer(made, "Encounter"),
        "effectiveDateTime": f"{day}T{chance.randint(0, 23):02}:15:00Z", "issued": f"{day}T23:59:00.000Z",
        "performer": [_refer(made, "Practitioner")],
    } | what  # fmt: skip


def _condition(chance: random.Random, made: References) -> Resource:
    return {
        "resourceType": "Condition",
        "clinicalStatus": _concept(f"{_TERMINOLOGY}/condition-clinical", "active", "Active"),
        "verificationStatus": _concept(f"{_TERMINOLOGY}/condition-ver-status", "confirmed", "Confirmed"),
        "category": [_concept(f"{_TERMINOLOGY}/condition-category", "encounter-diagnosis", "Encounter Diagnosis")],
        "code": _concept(_SNOMED, *chance.choice(_CONDITIONS)), "subject": _refer(made, "Patient"),
        "encounter": _refer(made, "Encounter"), "onsetDateTime": _day(chance), "recordedDate": _day(chance),
    }  # fmt: skip


def _procedure(chance: random.Random, made: References) -> Resource:
    return {
        "resourceType": "Procedure", "status": "completed", "code": _concept(_SNOMED, *chance.choice(_PROCEDURES)),
        "subject": _refer(made, "Patient"), "encounter": _refer(made, "Encounter"), "performedDateTime": _day(chance),
    }  # fmt: skip


def _medication_request(chance: random.Random, made: References) -> Resource:
    timing = {"repeat": {"frequency": 2, "period": 1, "periodUnit": "d"}}
    return {
        "resourceType": "MedicationRequest", "identifier": [_identifier(chance, "urn:bench:order", "PLAC", "Placer")],
        "status": "active", "intent": "order", "medicationCodeableConcept": _concept(_RXNORM, *chance.choice(_MEDICATIONS)),
        "subject": _refer(made, "Patient"), "encounter": _refer(made, "Encounter"), "authoredOn": _day(chance),
        "requester": _refer(made, "Practitioner"), "reasonCode": [_concept(_SNOMED, *chance.choice(_CONDITIONS))],
        "dosageInstruction": [{"sequence": 1, "text": "One tablet in the morning and one in the evening, with food",
                               "timing": timing, "asNeededBoolean": False}],
    }  # fmt: skip


def _priced(sequence: int, chance: random.Random, made: References) -> Resource:
    return {
        "sequence": sequence, "productOrService": _concept(_SNOMED, *chance.choice(_PROCEDURES)),
        "encounter": [_refer(made, "Encounter")], "net": {"value": chance.randint(10, 900), "currency": "USD"},
    }  # fmt: skip


def _claim(chance: random.Random, made: References) -> Resource:
    day = _day(chance)
    return {
        "resourceType": "Claim", "identifier": [_identifier(chance, "urn:bench:claim", "XX", "Organization identifier")],
        "status": "active", "type": _concept(f"{_TERMINOLOGY}/claim-type", "institutional", "Institutional"),
        "use": "claim", "patient": _refer(made, "Patient"), "billablePeriod": {"start": day, "end": day}, "created": day,
        "provider": _refer(made, "Organization"), "priority": _concept(f"{_TERMINOLOGY}/processpriority", "normal", "Normal"),
        "prescription": _refer(made, "MedicationRequest"), "facility": _refer(made, "Location"),
        "insurance": [{"sequence": 1, "focal": True, "coverage": {"display": "private"}}],
        "item": [_priced(1, chance, made)], "total": {"value": 125, "currency": "USD"},
    }  # fmt: skip


def _judged(sequence: int, chance: random.Random, made: References) -> Resource:
    kinds = (("submitted", "Submitted Amount"), ("copay", "CoPay"), ("eligible", "Eligible Amount"),
             ("benefit", "Benefit Amount"))  # fmt: skip
    return _priced(sequence, chance, made) | {
        "servicedDate": _day(chance),
        "locationCodeableConcept": _concept(f"{_TERMINOLOGY}/ex-serviceplace", "21", "Inpatient Hospital"),
        "adjudication": [
            {"category": _concept(f"{_TERMINOLOGY}/adjudication", code, words),
             "amount": {"value": chance.randint(10, 900), "currency": "USD"}}
            for code, words in kinds
        ],
    }  # fmt: skip


def _explanation(chance: random.Random, made: References) -> Resource:
    claim, patient, doctor = _claim(chance, made), _refer(made, "Patient"), _refer(made, "Practitioner")
    kept = {
        name: claim[name] for name in ("identifier", "status", "type", "use", "patient", "billablePeriod", "created")
    }
    return {"resourceType": "ExplanationOfBenefit", "contained": [
        {"resourceType": "ServiceRequest", "id": "referral", "status": "completed", "intent": "order",
         "subject": patient, "requester": doctor, "performer": [doctor]},
        {"resourceType": "Coverage", "id": "coverage", "status": "active", "type": {"text": "private"},
         "beneficiary": patient, "payor": [{"display": "private"}]},
    ]} | kept | {
        "insurer": {"display": "private"}, "provider": doctor, "referral": {"reference": "#referral"},
        "claim": _refer(made, "Claim"), "outcome": "complete",
        "careTeam": [{"sequence": 1, "provider": doctor,
                      "role": _concept(f"{_TERMINOLOGY}/claimcareteamrole", "primary", "Primary provider")}],
        "insurance": [{"focal": True, "coverage": {"reference": "#coverage", "display": "private"}}],
        "item": [_judged(number, chance, made) for number in range(1, 6)], "total": [
            {"category": _concept(f"{_TERMINOLOGY}/adjudication", "submitted", "Submitted Amount"),
             "amount": claim["total"]},
        ],
        "payment": {"date": _day(chance), "amount": {"value": 100, "currency": "USD"}},
    }  # fmt: skip


MAKERS: dict[str, Callable[[random.Random, References], Resource]] = {
    "Patient": _patient,
    "Location": _location,
    "Organization": _organization,
    "Practitioner": _practitioner,
    "Encounter": _encounter,
    "Observation": _observation,
    "Condition": _condition,
    "Procedure": _procedure,
    "MedicationRequest": _medication_request,
    "Claim": _claim,
    "ExplanationOfBenefit": _explanation,
}
"""In an order in which each refers only to those before it."""

_STAFF = ("Organization", "Practitioner", "Location")
_VISITS, _OF_A_VISIT = 6, ("Observation",) * 5 + ("Condition", "Procedure", "MedicationRequest")


def chart(seed: int) -> list[Resource]:
    """A patient with a hospital and visits, 58 resources with ids of their own."""
    chance, resources = random.Random(seed), []
    made: dict[str, str] = {}

    def add(type: str) -> None:
        id = str(uuid.UUID(int=chance.getrandbits(128), version=4))
        resources.append(MAKERS[type](chance, made) | {"id": id})
        made[type] = f"{type}/{id}"

    for type in (*_STAFF, "Patient"):
        add(type)
    for _ in range(_VISITS):
        for type in ("Encounter", *_OF_A_VISIT):
            add(type)
    return resources
