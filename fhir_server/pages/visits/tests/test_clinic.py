from datetime import UTC
from typing import Any
from zoneinfo import ZoneInfo

from fhir_server.pages.visits.clinic import Clinic


def clinic(zone: Any) -> Clinic:
    no: Any = None
    return Clinic(no, no, no, lambda: None, no, zone, "https://visit.example", lambda: 1_767_225_599_500)


def test_the_day_is_that_of_the_clinic() -> None:
    assert clinic(UTC).at().isoformat() == "2025-12-31T23:59:59.500000+00:00"
    assert clinic(ZoneInfo("Asia/Tokyo")).at().date().isoformat() == "2026-01-01"
