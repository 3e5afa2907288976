"""The invariants of data types and containers."""

from decimal import Decimal
from typing import Any

import pytest

from resources.validation.tests.asking import holds

UCUM = "http://unitsofmeasure.org"

ROWS: list[tuple[str, Any, Any]] = [
    ("ext-1", {"url": "u", "valueCode": "x"}, {"url": "u"}),
    ("qty-3", {"code": "x", "system": UCUM}, {"code": "x"}),
    ("sqty-1", {"value": 1}, {"comparator": "<"}),
    ("age-1", {"value": 1, "code": "a", "system": UCUM}, {"value": 1}),
    ("age-1", {}, {"value": Decimal("-1"), "code": "a"}),
    ("cnt-3", {"value": 2, "code": "1", "system": UCUM}, {"value": Decimal("2.5"), "code": "1"}),
    ("dis-1", {"value": 1, "code": "km", "system": UCUM}, {"value": 1, "code": "km", "system": "x"}),
    ("drt-1", {"value": 1, "code": "h", "system": UCUM}, {"code": "h", "system": UCUM}),
    ("per-1", {"start": "2020"}, {"start": "2021", "end": "2020"}),
    ("rng-2", {"low": {"value": 1}, "high": {"value": 1}}, {"low": {"value": 2}, "high": {"value": 1}}),
    ("rng-2", {"low": {"value": 2, "unit": "mg"}, "high": {"value": 1, "unit": "g"}},
     {"low": {"value": 2}, "high": {"value": 1}}),
    ("rat-1", {"numerator": {}, "denominator": {}}, {"numerator": {}}),
    ("rat-1", {"extension": []}, {}),
    ("att-1", {"url": "x"}, {"data": "AAAA"}),
    ("cpt-2", {"system": "phone", "value": "1"}, {"value": "1"}),
    ("exp-1", {"expression": "x"}, {}),
    ("drq-1", {"path": "x"}, {"path": "x", "searchParam": "y"}),
    ("trd-1", {"data": []}, {"data": [], "timingDate": "2020"}),
    ("trd-2", {"condition": {}, "data": []}, {"condition": {}}),
    ("trd-3", {"type": "named-event", "name": "x"}, {"type": "named-event"}),
    ("trd-3", {"type": "periodic", "timingDate": "2020"}, {"type": "data-added"}),
    ("tim-1", {"duration": 1, "durationUnit": "h"}, {"duration": 1}),
    ("tim-4", {"duration": 0}, {"duration": -1}),
    ("tim-9", {"offset": 1, "when": ["AC"]}, {"offset": 1, "when": ["C"]}),
    ("tim-10", {"when": ["AC"]}, {"when": ["AC"], "timeOfDay": ["10:00:00"]}),
    ("bdl-1", {"type": "searchset", "total": 1}, {"type": "collection", "total": 1}),
    ("bdl-5", {"resource": {}}, {"fullUrl": "urn:x"}),
    ("bdl-8", {"fullUrl": "http://x/Patient/1"}, {"fullUrl": "http://x/Patient/1/_history/2"}),
    ("bdl-9", {"type": "document", "identifier": {"system": "s", "value": "v"}}, {"type": "document"}),
    ("bdl-10", {"type": "document", "timestamp": "x"}, {"type": "document"}),
    ("bdl-11", {"type": "document", "entry": [{"resource": {"resourceType": "Composition"}}]}, {"type": "document"}),
    ("bdl-12", {"type": "collection"}, {"type": "message", "entry": [{"resource": {"resourceType": "Basic"}}]}),
    ("inv-1@Parameters.parameter", {"valueString": "x"}, {"valueString": "x", "part": []}),
    ("lst-2", {"mode": "changes", "entry": [{"deleted": True}]}, {"mode": "working", "entry": [{"deleted": True}]}),
    ("grp-1", {"actual": True, "member": []}, {"actual": False, "member": []}),
    ("lnk-1", {"item": [1, 2]}, {"item": [1]}),
    ("org-1", {"name": "x"}, {"active": True}),
    ("pat-1", {"telecom": []}, {"gender": "male"}),
    ("nsd-1", {"kind": "root", "uniqueId": [{"type": "oid"}]}, {"kind": "root", "uniqueId": [{"type": "uuid"}]}),
    ("nsd-2", {"uniqueId": [{"type": "oid"}] * 2}, {"uniqueId": [{"type": "oid", "preferred": True}] * 2}),
]  # fmt: skip


@pytest.mark.parametrize(("key", "good", "bad"), ROWS)
def test_rule(key: str, good: Any, bad: Any) -> None:
    assert holds(key, good)
    assert not holds(key, bad)


def test_a_contained_resource_is_known() -> None:
    resource = {"contained": [{"id": "m", "resourceType": "Medication"}]}
    assert holds("ref-1", {"reference": "#m"}, resource)
    assert holds("ref-1", {"reference": "Patient/1"}, resource)
    assert not holds("ref-1", {"reference": "#n"}, resource)
    assert not holds("ref-1", {"reference": "#"}, resource)
