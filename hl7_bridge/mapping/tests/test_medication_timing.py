"""Repeat patterns of TQ1 and TQ to the timing of a dosage."""

from typing import Any

import pytest

from hl7_bridge.er7.tokenizer import tokens
from hl7_bridge.mapping.segments.medication_timing import from_tq, from_tq1
from hl7_bridge.mapping.tests.values import HEAD, draft, value


@pytest.mark.parametrize(
    ("pattern", "needed", "timing"),
    [
        ("TID~PRN", True, {"frequency": 3, "period": 1, "periodUnit": "d"}),
        ("PRNQ6H", True, {"frequency": 1, "period": 6, "periodUnit": "h"}),
        ("PRN&&HL70335&&&&&&for pain", {"text": "for pain"}, None),
        ("^DW^1^3", False, {"dayOfWeek": ["mon", "tue", "wed"]}),
        ("^^^^90^min", False, {"period": 90, "periodUnit": "min", "frequency": 1}),
        ("^^^^^^^ACM^30^min", False, {"when": ["ACM"], "offset": 30}),
    ],
)
def test_patterns(pattern: str, needed: Any, timing: Any) -> None:
    found = from_tq1(tokens(f"{HEAD}TQ1|1||{pattern}").segments[1], "MedicationRequest", draft())
    assert found.as_needed == needed
    assert (found.timing or {}).get("repeat") == timing


def test_times_of_the_day_are_more_exact_than_events() -> None:
    found = from_tq1(tokens(f"{HEAD}TQ1|1||^^^^^^^HS|0800~203015").segments[1], "MedicationRequest", draft())
    assert found.timing == {"repeat": {"timeOfDay": ["08:00:00", "20:30:15"]}}


def test_the_older_timing() -> None:
    found = from_tq(value("2&tab^BID&0800,2000^D10^^^S^if needed^with food^^^^20"), draft())
    assert found.timing is not None
    assert found.timing["repeat"] == {
        "frequency": 2,
        "period": 1,
        "periodUnit": "d",
        "timeOfDay": ["08:00:00", "20:00:00"],
        "boundsDuration": {"value": 10, "unit": "d", "system": "http://unitsofmeasure.org", "code": "d"},
        "count": 20,
    }
    assert (found.priority, found.condition, found.text) == ("stat", "if needed", "with food")
