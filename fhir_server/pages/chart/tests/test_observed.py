from datetime import UTC
from typing import Any

from fhir_server.pages.chart.observed import LOINC, latest, results
from fhir_server.pages.visits.tests.conftest import concept
from video.ports import Fact, FactKind
from video.visit.quality import measurement


def measured(value: Any = 5, code: str = "2339-0", **of: Any) -> dict[str, Any]:
    made = {"status": "final", "code": concept("Test", code), "effectiveDateTime": "2026-01-02T03:04:00Z"}
    return made | ({"valueQuantity": {"value": value, "unit": "mmol/L"}} if value is not None else {}) | of


def test_the_newest_of_each_code() -> None:
    rows = latest(results([measured(5), measured(6, "x"), measured(7), measured(8)], UTC))
    assert [(row.key, row.value) for row in rows] == [
        ((LOINC, "2339-0"), "5 mmol/L"), ((LOINC, "x"), "6 mmol/L")
    ]  # fmt: skip


def test_what_has_no_value_or_is_withdrawn_is_no_result() -> None:
    withdrawn = [measured(status=status) for status in ("entered-in-error", "cancelled", "registered")]
    assert results([measured(None), *withdrawn], UTC) == []


def test_how_a_connection_was_is_no_result_of_the_patient() -> None:
    told = {"seconds": 39, "sent": 1068, "lost": 0}
    quality = measurement(Fact(FactKind.LEFT, "room", 1, 1_000_000, "Encounter/1", "", "Patient/1", detail=told))
    assert quality is not None and results([quality, measured(5)], UTC) == results([measured(5)], UTC)


def test_a_blood_pressure_is_one_value_and_flags_say_how_bad() -> None:
    parts = [
        {"code": concept("", code), "valueQuantity": {"value": value, "unit": "mmHg"}}
        for code, value in (("8462-4", 80), ("8480-6", 120))
    ]
    high = [{"coding": [{"code": "HH"}]}]
    [row] = results([measured(None, component=parts, interpretation=high, status="amended")], UTC)
    assert (row.value, row.flags, row.status) == ("120/80 mmHg", [("Critically high", "bad")], "Amended")
