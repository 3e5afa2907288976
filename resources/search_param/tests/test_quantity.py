from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resources.errors import BadSearch
from resources.search_param import compile_param
from resources.search_param.tests.naive import finds

UCUM = "http://unitsofmeasure.org"


def observation(value, code="mg", unit="mg", system=UCUM, **more):
    quantity = {"value": Decimal(value), "unit": unit, "system": system, "code": code, **more}
    return {
        "resourceType": "Observation",
        "code": {"coding": [{"system": "urn:c", "code": "x"}]},
        "valueQuantity": quantity,
    }


@pytest.mark.parametrize(
    ("value", "found"),
    [
        ("5.4", True),
        ("5.4||mg", True),
        (f"5.4|{UCUM}|mg", True),
        (f"0.0054|{UCUM}|g", True),
        (f"5400|{UCUM}|ug", True),
        (f"5.4e-3|{UCUM}|g", True),
        ("0.0054||g", True),
        (f"5.4|{UCUM}|g", False),
        ("5.5", False),
        ("0.0054", False),
        (f"5.4|{UCUM}|mL", False),
        ("5.4|urn:x|mg", False),
        (f"gt5|{UCUM}|mg", True),
        (f"lt5|{UCUM}|mg", False),
        (f"gt0.005|{UCUM}|g", True),
        (f"le0.0054|{UCUM}|g", True),
        (f"lt0.0054|{UCUM}|g", False),
        ("ne5.4||mg", False),
        (f"ap5|{UCUM}|mg", True),
        ("ap4||mg", False),
        ("1,5.4", True),
        (f"5|{UCUM}|mg", True),
    ],
)
def test_a_number_in_any_unit(value, found):
    assert finds(observation("5.4"), "value-quantity", value) == found


def test_units_with_an_offset():
    fever = observation("38.0", "Cel", "C")
    assert finds(fever, "value-quantity", f"100.4|{UCUM}|[degF]")
    assert finds(fever, "value-quantity", f"gt100|{UCUM}|[degF]")
    assert not finds(fever, "value-quantity", f"gt101|{UCUM}|[degF]")


def test_human_and_unknown_units():
    assert finds(observation("7", "{x}", "puffs", "urn:own"), "value-quantity", "7||puffs")
    assert finds(observation("7", "ff", "puffs", "urn:own"), "value-quantity", "7|urn:own|ff")
    assert not finds(observation("7", "ff", "puffs", "urn:own"), "value-quantity", "7|urn:own|puffs")
    assert not finds(observation("7", "no such unit", "", UCUM), "value-quantity", f"7|{UCUM}|mg")


def test_comparators_open_a_side():
    below = observation("5", comparator="<")
    assert finds(below, "value-quantity", "lt3||mg")
    assert not finds(below, "value-quantity", "gt5||mg")
    assert finds(observation("5", comparator=">="), "value-quantity", "gt100||mg")


def test_money_ranges_and_samples():
    invoice = {"resourceType": "Invoice", "totalNet": {"value": Decimal("10.50"), "currency": "EUR"}}
    assert finds(invoice, "totalnet", "10.5|urn:iso:std:iso:4217|EUR")
    assert not finds(invoice, "totalnet", "10.5|urn:iso:std:iso:4217|USD")
    low, high = ({"value": Decimal(n), "system": UCUM, "code": "a"} for n in ("30", "40"))
    condition = {"resourceType": "Condition", "onsetRange": {"low": low, "high": high}}
    assert finds(condition, "onset-age", f"gt35|{UCUM}|a")
    assert not finds(condition, "onset-age", f"sa35|{UCUM}|a")
    assert finds(condition, "onset-age", f"gt400|{UCUM}|mo")
    data = {"origin": {"value": Decimal(10), "unit": "mV"}, "period": Decimal(1), "dimensions": 1, "data": "1 5 E -2"}
    assert finds({"resourceType": "Observation", "valueSampledData": data}, "value-quantity", "gt14||mV")
    assert not finds({"resourceType": "Observation", "valueSampledData": data}, "value-quantity", "gt15||mV")


def test_components_and_the_combination():
    component = {
        "code": {"text": "c"},
        "valueQuantity": {"value": Decimal(120), "unit": "mm[Hg]", "system": UCUM, "code": "mm[Hg]"},
    }
    resource = {"resourceType": "Observation", "component": [component]}
    assert finds(resource, "component-value-quantity", "gt100||mm[Hg]")
    assert finds(resource, "combo-value-quantity", f"16.0|{UCUM}|kPa")
    assert not finds(resource, "value-quantity", "gt100||mm[Hg]")


@given(st.sampled_from(["lt", "gt", "le", "ge"]), st.integers(-100, 100), st.integers(-100_000, 100_000))
def test_comparison_across_units_is_exact(prefix, grams, milligrams):
    compare = {"lt": int.__lt__, "gt": int.__gt__, "le": int.__le__, "ge": int.__ge__}[prefix]
    found = finds(observation(milligrams), "value-quantity", f"{prefix}{grams}|{UCUM}|g")
    assert found == compare(milligrams, grams * 1000)


@pytest.mark.parametrize("value", ["x", "5|mg", "5|a|b|c", "gt", "|x|mg"])
def test_refused(value):
    with pytest.raises(BadSearch, match="value-quantity"):
        compile_param("Observation", "value-quantity", "", value)
