"""The invariants of clinical, financial and workflow resources."""

from decimal import Decimal
from typing import Any

import pytest

from resources.validation.tests.asking import holds

VERIFICATION = "http://terminology.hl7.org/CodeSystem/condition-ver-status"
CLINICAL = "http://terminology.hl7.org/CodeSystem/condition-clinical"
ALLERGY = "http://terminology.hl7.org/CodeSystem/allergyintolerance-verification"


def _coded(system: str, code: str) -> dict[str, Any]:
    return {"coding": [{"system": system, "code": code}]}


_WRONG = {"verificationStatus": _coded(VERIFICATION, "entered-in-error")}
_WRONG_ALLERGY = {"verificationStatus": _coded(ALLERGY, "entered-in-error")}
_ACTIVE = {"clinicalStatus": _coded(CLINICAL, "active")}
_PERCENT = {"code": "%", "system": "http://unitsofmeasure.org"}

ROWS: list[tuple[str, Any, Any]] = [
    ("obs-3", {"text": "x"}, {"type": {}}),
    ("obs-6", {"dataAbsentReason": {}}, {"dataAbsentReason": {}, "valueString": "x"}),
    ("obs-7", {"valueString": "x", "code": _coded("a", "b"), "component": [{"code": _coded("a", "c")}]},
     {"valueString": "x", "code": _coded("a", "b"), "component": [{"code": _coded("a", "b")}]}),
    ("ait-1", _WRONG_ALLERGY, {}),
    ("ait-2", _ACTIVE, {**_ACTIVE, **_WRONG_ALLERGY}),
    ("con-1", {"summary": {}}, {}),
    ("con-4", {"abatementString": "x", "clinicalStatus": _coded(CLINICAL, "resolved")},
     {"abatementString": "x", **_ACTIVE}),
    ("con-5", _WRONG, {**_WRONG, **_ACTIVE}),
    ("app-1", {"type": []}, {"status": "accepted"}),
    ("app-2", {}, {"start": "x"}),
    ("app-3", {"status": "proposed"}, {"status": "booked"}),
    ("app-4", {"status": "cancelled", "cancelationReason": {}}, {"status": "booked", "cancelationReason": {}}),
    ("cpl-3", {"detail": {}}, {"detail": {}, "reference": {}}),
    ("ctm-1", {"onBehalfOf": {}, "member": {"reference": "Practitioner/1"}},
     {"onBehalfOf": {}, "member": {"reference": "Patient/1"}}),
    ("cmp-1", {"entry": []}, {"title": "x"}),
    ("ppc-1", {"policyRule": {}}, {}),
    ("ces-1", {"category": {}}, {"category": {}, "productOrService": {}}),
    ("fhs-1", {"ageString": "x"}, {"ageString": "x", "bornDate": "2020"}),
    ("fhs-2", {"ageString": "x", "estimatedAge": True}, {"estimatedAge": True}),
    ("gol-1", {"detailString": "x", "measure": {}}, {"detailString": "x"}),
    ("mad-1", {"rateRatio": {}}, {"text": "x"}),
    ("mdd-1", {"whenPrepared": "2020-01-01", "whenHandedOver": "2020-01-01T10:00:00Z"},
     {"whenPrepared": "2020-01-02", "whenHandedOver": "2020-01-01"}),
    ("mrp-1", {"type": "summary", "group": []}, {"type": "data-collection", "group": []}),
    ("mrp-2", {"group": [{"stratifier": [{"stratum": [{"value": {}}]}]}]},
     {"group": [{"stratifier": [{"stratum": [{"value": {}, "component": []}]}]}]}),
    ("msq-3", {"coordinateSystem": 1}, {"coordinateSystem": 2}),
    ("msq-5", {"chromosome": {}, "genomeBuild": "x"}, {"chromosome": {}}),
    ("msq-6", {"genomeBuild": "x"}, {"genomeBuild": "x", "referenceSeqString": "y"}),
    ("ras-1", {"low": _PERCENT}, {"low": {"code": "%"}}),
    ("ras-1", Decimal("0.5"), {"high": {}}),
    ("ras-2", {"probabilityDecimal": Decimal("99.9")}, {"probabilityDecimal": 101}),
    ("rqg-1", {"resource": {}}, {"resource": {}, "action": []}),
    ("prr-1", {"code": {}, "orderDetail": []}, {"orderDetail": []}),
    ("inv-1@Task", {"authoredOn": "2020", "lastModified": "2021"}, {"authoredOn": "2022", "lastModified": "2021"}),
    ("qrs-1", {"item": []}, {"item": [], "answer": []}),
]  # fmt: skip


@pytest.mark.parametrize(("key", "good", "bad"), ROWS)
def test_rule(key: str, good: Any, bad: Any) -> None:
    assert holds(key, good)
    assert not holds(key, bad)
