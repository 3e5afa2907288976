"""A patient and an observation that the tests of expressions share.

Shapes of FHIR R4 Patient and Observation; all values are invented.
"""

from decimal import Decimal
from typing import Any

PATIENT: dict[str, Any] = {
    "resourceType": "Patient",
    "id": "p",
    "active": True,
    "name": [
        {"use": "official", "family": "Moor", "given": ["Ada", "Ida"]},
        {"use": "usual", "given": ["Adi"]},
        {"use": "maiden", "family": "Ohm", "given": ["Ada"], "period": {"end": "2002"}},
    ],
    "birthDate": "1974-12-25",
    "_birthDate": {"extension": [{"url": "http://example.org/time", "valueDateTime": "1974-12-25T14:35:45-05:00"}]},
    "deceasedBoolean": False,
    "contained": [{"resourceType": "Organization", "id": "o", "name": "Ward"}],
    "managingOrganization": {"reference": "#o"},
    "maritalStatus": {"coding": [{"system": "http://example.org", "code": "M"}]},
}
OBSERVATION: dict[str, Any] = {
    "resourceType": "Observation",
    "status": "final",
    "code": {"coding": [{"system": "http://loinc.org", "code": "29463-7"}]},
    "valueQuantity": {
        "value": Decimal("185.0"),
        "unit": "lbs",
        "system": "http://unitsofmeasure.org",
        "code": "[lb_av]",
    },
}
