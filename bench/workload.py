"""What the benchmark asks: a record as a clinic keeps it, the CRUD mix, and searches with values it knows.

The mix follows published FHIR server benchmarks: 40 % read, 28 % create,
15 % update, and patch, vread, history, delete.
"""

import random
import uuid
from collections import defaultdict
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import msgspec

Resource = dict[str, Any]

MIX = {"read": 40, "create": 28, "update": 15, "patch": 5, "vread": 4, "history": 4, "delete": 4}
TYPES = {"Observation": 50, "Encounter": 20, "Appointment": 15, "Patient": 15}
FAMILIES = (
    *("Abara", "Bianchi", "Chen", "Dubois", "Eriksen", "Fischer", "Goh", "Haddad", "Ivanova", "Jansen", "Kimura"),
    *("Lopez", "Mbeki", "Novak", "Okafor", "Petrov", "Rossi", "Sato", "Tran", "Ueda", "Vargas", "Weber", "Xu", "Zhang"),
)
GIVEN = ("Ada", "Ben", "Cleo", "Dan", "Eva", "Finn", "Gia", "Hugo", "Ida", "Jon", "Kai", "Lea", "Max", "Nia", "Ravi")
LOINC = "http://loinc.org"
VITALS = [
    ("8867-4", "Heart rate", "/min", 50, 120),
    ("8310-5", "Body temperature", "Cel", 35, 40),
    ("29463-7", "Body weight", "kg", 40, 130),
    ("8302-2", "Body height", "cm", 140, 200),
    ("2339-0", "Glucose", "mg/dL", 60, 250),
]
_encode = msgspec.json.Encoder().encode


class Clinic:
    """Makes resources from one seeded source of chance and remembers what was stored."""

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)
        self.stored: dict[str, list[tuple[str, str, Resource]]] = defaultdict(list)

    def remember(self, resource: Resource, id: str, version: str) -> None:
        self.stored[resource["resourceType"]].append((id, version, resource | {"id": id}))

    def any(self, type: str) -> tuple[str, str, Resource]:
        return self.chance.choice(self.stored[type])

    def make(self, type: str) -> Resource:
        """A new resource of ``type``; all but Patient are about a patient stored before."""
        return _MAKERS[type](self)

    def day(self) -> str:
        pick = self.chance.randint
        return f"20{pick(18, 24)}-{pick(1, 12):02}-{pick(1, 28):02}"

    def patient_reference(self) -> Resource:
        return {"reference": f"Patient/{self.any('Patient')[0]}"}

    def operation(self) -> tuple[str, str, str]:
        """(interaction, type, id) of the next request of the mix."""
        interaction = self.chance.choices(list(MIX), list(MIX.values()))[0]
        type = self.chance.choices(list(TYPES), list(TYPES.values()))[0]
        return interaction, type, self.any(type)[0]


def _patient(clinic: Clinic) -> Resource:
    pick, chance = clinic.chance.randint, clinic.chance
    return {
        "resourceType": "Patient",
        "active": True,
        "identifier": [{"system": "urn:bench:mrn", "value": str(uuid.UUID(int=chance.getrandbits(128)))}],
        "name": [{"use": "official", "family": chance.choice(FAMILIES), "given": [chance.choice(GIVEN)]}],
        "telecom": [{"system": "phone", "value": f"555-{pick(1000000, 9999999)}", "use": "home"}],
        "gender": chance.choice(["male", "female"]),
        "birthDate": f"19{pick(30, 99)}-{pick(1, 12):02}-{pick(1, 28):02}",
        "address": [{"line": [f"{pick(1, 999)} Main Street"], "city": "Boston", "state": "MA", "postalCode": "02115"}],
    }


def _observation(clinic: Clinic) -> Resource:
    code, display, unit, low, high = clinic.chance.choice(VITALS)
    category = "http://terminology.hl7.org/CodeSystem/observation-category"
    day = clinic.day()
    observation = {
        "resourceType": "Observation",
        "status": "final",
        "category": [{"coding": [{"system": category, "code": "vital-signs", "display": "Vital Signs"}]}],
        "code": {"coding": [{"system": LOINC, "code": code, "display": display}], "text": display},
        "subject": clinic.patient_reference(),
        "effectiveDateTime": f"{day}T{clinic.chance.randint(0, 23):02}:15:00Z",
        "issued": f"{day}T23:59:00.000Z",
        "valueQuantity": {
            "value": round(clinic.chance.uniform(low, high), 1),
            "unit": unit,
            "system": "http://unitsofmeasure.org",
            "code": unit,
        },
    }
    if clinic.stored["Encounter"]:
        observation["encounter"] = {"reference": f"Encounter/{clinic.any('Encounter')[0]}"}
    return observation


def _encounter(clinic: Clinic) -> Resource:
    day = clinic.day()
    act = "http://terminology.hl7.org/CodeSystem/v3-ActCode"
    return {
        "resourceType": "Encounter",
        "status": clinic.chance.choice(["planned", "in-progress", "finished"]),
        "class": {"system": act, "code": clinic.chance.choice(["AMB", "VR"])},
        "type": [{"coding": [{"system": "http://snomed.info/sct", "code": "185349003", "display": "Check up"}]}],
        "subject": clinic.patient_reference(),
        "period": {"start": f"{day}T09:00:00Z", "end": f"{day}T09:30:00Z"},
    }


def _appointment(clinic: Clinic) -> Resource:
    day = clinic.day()
    return {
        "resourceType": "Appointment",
        "status": clinic.chance.choice(["proposed", "booked", "arrived"]),
        "description": "Video visit",
        "start": f"{day}T10:00:00Z",
        "end": f"{day}T10:20:00Z",
        "minutesDuration": 20,
        "participant": [{"actor": clinic.patient_reference(), "required": "required", "status": "accepted"}],
    }


_MAKERS: dict[str, Callable[[Clinic], Resource]] = {
    "Patient": _patient,
    "Observation": _observation,
    "Encounter": _encounter,
    "Appointment": _appointment,
}


def changed(clinic: Clinic, resource: Resource) -> Resource:
    """``resource`` with another language, so that an update is a change."""
    return resource | {"language": clinic.chance.choice(["en", "de", "fr", "es", "it"])}


def patch(clinic: Clinic) -> bytes:
    """A JSON Patch that sets the language."""
    language = clinic.chance.choice(["en-US", "en-GB", "de-AT", "fr-CA", "pt-BR"])
    return _encode([{"op": "add", "path": "/language", "value": language}])


def transaction(clinic: Clinic, size: int) -> bytes:
    """A transaction Bundle of a new patient and ``size`` - 1 resources about them."""
    patient = {
        "fullUrl": f"urn:uuid:{uuid.UUID(int=clinic.chance.getrandbits(128))}",
        "resource": clinic.make("Patient"),
    }
    entries = [patient] + [
        {
            "fullUrl": f"urn:uuid:{uuid.UUID(int=clinic.chance.getrandbits(128))}",
            "resource": _about(clinic, patient["fullUrl"]),
        }
        for _ in range(size - 1)
    ]
    for entry in entries:
        entry["request"] = {"method": "POST", "url": entry["resource"]["resourceType"]}
    return _encode({"resourceType": "Bundle", "type": "transaction", "entry": entries})


def _about(clinic: Clinic, patient: str) -> Resource:
    made = clinic.make(clinic.chance.choices(["Observation", "Encounter"], [80, 20])[0])
    return made | {"subject": {"reference": patient}}


# --- searches: each gives the path below the base -------------------------------------------------------------------


def _family(clinic: Clinic) -> str:
    return f"Patient?name={quote(clinic.chance.choice(FAMILIES))}&_count=20"


def _identifier(clinic: Clinic) -> str:
    value = clinic.any("Patient")[2]["identifier"][0]["value"]
    return f"Patient?identifier=urn:bench:mrn|{value}&_count=20"


def _patient_code(clinic: Clinic) -> str:
    code = clinic.chance.choice(VITALS)[0]
    return f"Observation?patient={clinic.any('Patient')[0]}&code={LOINC}|{code}&_sort=-date&_count=20"


def _category_date(clinic: Clinic) -> str:
    return f"Observation?category=vital-signs&date=ge{clinic.day()}&_count=20"


def _patient_status(clinic: Clinic) -> str:
    return f"Encounter?patient={clinic.any('Patient')[0]}&status=finished&_count=20"


def _include(clinic: Clinic) -> str:
    code = clinic.chance.choice(VITALS)[0]
    return f"Observation?code={LOINC}|{code}&_include=Observation:encounter&_include=Observation:subject&_count=20"


def _revinclude(clinic: Clinic) -> str:
    return f"Patient?_id={clinic.any('Patient')[0]}&_revinclude=Encounter:patient&_count=20"


def _chain(clinic: Clinic) -> str:
    return f"Observation?patient.name={quote(clinic.chance.choice(FAMILIES))}&_count=20"


def _has(clinic: Clinic) -> str:
    return f"Patient?_has:Observation:patient:code={LOINC}|{clinic.chance.choice(VITALS)[0]}&_count=20"


SEARCHES: dict[str, tuple[Callable[[Clinic], str], ...]] = {
    "simple search": (_family, _identifier, _patient_code, _category_date, _patient_status),
    "_include of 20": (_include,),
    "_revinclude": (_revinclude,),
    "chain": (_chain,),
    "_has": (_has,),
}
