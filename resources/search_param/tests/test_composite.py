from decimal import Decimal

import pytest

from resources.errors import BadSearch
from resources.search_param import compile_param, extract
from resources.search_param.tests.naive import finds

UCUM = "http://unitsofmeasure.org"


def concept(code, system="urn:c"):
    return {"coding": [{"system": system, "code": code}]}


def mm(value):
    return {"value": Decimal(value), "unit": "mmHg", "system": UCUM, "code": "mm[Hg]"}


PRESSURE = {
    "resourceType": "Observation",
    "code": concept("bp"),
    "component": [
        {"code": concept("sys"), "valueQuantity": mm(120)},
        {"code": concept("dia"), "valueQuantity": mm(80)},
    ],
}
WEIGHT = {"resourceType": "Observation", "code": concept("w"), "valueQuantity": mm(70)}


@pytest.mark.parametrize(
    ("resource", "parameter", "value", "found"),
    [
        (PRESSURE, "component-code-value-quantity", "urn:c|sys$gt100||mmHg", True),
        (PRESSURE, "component-code-value-quantity", "sys$lt100", False),
        (PRESSURE, "component-code-value-quantity", "sys$80", False),
        (PRESSURE, "component-code-value-quantity", "dia$80", True),
        (PRESSURE, "component-code-value-quantity", f"dia$10.7|{UCUM}|kPa", True),
        (PRESSURE, "combo-code-value-quantity", "urn:c|$80", True),
        (PRESSURE, "combo-code-value-quantity", "urn:d|dia$80", False),
        (PRESSURE, "code-value-quantity", "dia$80", False),
        (WEIGHT, "combo-code-value-quantity", "w$70", True),
        (WEIGHT, "code-value-quantity", "x$70,w$70", True),
        (WEIGHT, "value-quantity", "70", True),
    ],
)
def test_code_and_quantity(resource, parameter, value, found):
    assert finds(resource, parameter, value) == found


def test_one_row_serves_both_parameters():
    [entry] = extract(WEIGHT).ranges
    assert entry.key.branch == "Observation.value"


def test_a_quantity_without_a_coded_code_is_indexed():
    resource = {"resourceType": "Observation", "code": {"text": "weight"}, "valueQuantity": mm(70)}
    assert finds(resource, "value-quantity", "70")


def test_code_and_concept():
    resource = {"resourceType": "Observation", "code": concept("q"), "valueCodeableConcept": concept("Yes", "urn:v")}
    for value in ("q$yes", "urn:c|q$urn:v|Yes", "q$urn:v|", "urn:c|$yes"):
        assert finds(resource, "code-value-concept", value), value
    for value in ("q$no", "q$urn:w|yes", "x$yes", "q$|yes"):
        assert not finds(resource, "code-value-concept", value), value


def test_code_and_date_or_string():
    dated = {"resourceType": "Observation", "code": concept("q"), "valueDateTime": "2020-05-01"}
    assert finds(dated, "code-value-date", "q$2020-05")
    assert not finds(dated, "code-value-date", "q$lt2020")
    text = {"resourceType": "Observation", "code": concept("q"), "valueString": "Álpha beta"}
    assert finds(text, "code-value-string", "q$alp")
    assert not finds(text, "code-value-string", "x$alp")


def test_code_and_reference():
    related = [{"code": "replaces", "target": {"reference": "DocumentReference/1"}}]
    resource = {"resourceType": "DocumentReference", "relatesTo": related}
    assert finds(resource, "relationship", "replaces$DocumentReference/1")
    assert finds(resource, "relationship", "replaces$1")
    assert not finds(resource, "relationship", "appends$DocumentReference/1")


def test_coordinates():
    sequence = {
        "resourceType": "MolecularSequence",
        "referenceSeq": {"chromosome": concept("1"), "windowStart": 5, "windowEnd": 9},
        "variant": [{"start": 100, "end": 110}, {"start": 200}],
    }
    assert finds(sequence, "chromosome-window-coordinate", "1$ge5$lt10")
    assert finds(sequence, "chromosome-variant-coordinate", "1$100$110")
    assert not finds(sequence, "chromosome-variant-coordinate", "1$100$111")
    assert not finds(sequence, "chromosome-variant-coordinate", "2$100$110")
    assert not finds(sequence, "chromosome-variant-coordinate", "1$200$gt1")


def test_characteristics():
    group = {"resourceType": "Group", "characteristic": [{"code": concept("smoker"), "valueBoolean": True}]}
    assert finds(group, "characteristic-value", "smoker$true")
    assert not finds(group, "characteristic-value", "smoker$false")


@pytest.mark.parametrize(
    ("modifier", "value"), [("", "a"), ("", "a$"), ("", "a$b$c"), ("", "a$x"), ("missing", "true"), ("", "|$5")]
)
def test_refused(modifier, value):
    with pytest.raises(BadSearch, match="code-value-quantity"):
        compile_param("Observation", "code-value-quantity", modifier, value)
