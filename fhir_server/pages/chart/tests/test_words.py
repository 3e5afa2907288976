from datetime import UTC, date
from zoneinfo import ZoneInfo

import pytest

from fhir_server.pages.chart.words import age, concept, name, quantity, reference_range, value, when

TODAY = date(2026, 11, 23)


@pytest.mark.parametrize(
    ("born", "shown"),
    [
        ("1980-02-28", "46 years"),
        ("2025-11-24", "11 months"),
        ("2025-11-23", "12 months"),
        ("2026-11-22", "1 day"),
        ("2024-11-23", "2 years"),
        ("1980", "about 46 years"),
        ("2027-01-01", ""),
        ("", ""),
    ],
)
def test_age(born: str, shown: str) -> None:
    assert age(born, TODAY) == shown


def test_names_by_their_use() -> None:
    old, official = {"use": "old", "family": "Adler"}, {"use": "official", "prefix": ["Dr"], "family": "Wolf"}
    assert name({"name": [old, official]}) == "Dr Wolf" and name({"name": [old]}) == "Adler"
    assert name(None) == name({}) == "" and name({"name": "Ward 3"}) == "Ward 3"


def test_codes_by_text_then_display_then_code() -> None:
    coding = [{"code": "1"}, {"code": "2", "display": "Two"}]
    assert concept({"text": "One", "coding": coding}) == "One" and concept({"coding": coding}) == "Two"
    assert concept({"coding": coding[:1]}) == "1" and concept(None) == ""


def test_quantities_as_written() -> None:
    assert quantity({"comparator": "<", "value": "0.10", "unit": "mg/L"}) == "<0.10 mg/L"
    assert quantity({"value": "4.5", "unit": "10*3/uL"}) == "4.5 10³/uL"
    assert quantity({"value": 37, "code": "Cel"}) == "37 °C" and quantity({"value": 9, "unit": "m[iU]/L"}) == "9 mIU/L"
    assert quantity({"value": 98, "unit": "%"}) == "98%" and quantity({"value": 3}) == "3"


@pytest.mark.parametrize(
    ("found", "shown"),
    [
        ({"valueBoolean": False}, "no"),
        ({"valueInteger": 0}, "0"),
        ({"valueString": "x"}, "x"),
        ({"valueRatio": {"numerator": {"value": 1}, "denominator": {"value": 128}}}, "1 : 128"),
        ({"valueRange": {"low": {"value": 1, "unit": "g"}, "high": {"value": 2, "unit": "g"}}}, "1\N{EN DASH}2 g"),
        ({"dataAbsentReason": {"text": "refused"}}, "no value: refused"),
        ({"valueSampledData": {}}, "a curve, not shown here"),
        ({}, ""),
    ],
)
def test_values(found: dict[str, object], shown: str) -> None:
    assert value(found, UTC) == shown


def test_moments_in_the_clinic_as_precise_as_they_are() -> None:
    berlin = ZoneInfo("Europe/Berlin")
    assert when("2026-07-01T22:30:00Z", berlin) == "2 Jul 2026, 00:30"
    assert (when("2026-07-01", berlin), when("2026-07", berlin), when("2026", berlin)) == (
        "1 Jul 2026",
        "Jul 2026",
        "2026",
    )
    assert reference_range({"referenceRange": [{"high": {"value": 5, "unit": "mg/L"}}]}, berlin) == "≤ 5 mg/L"
