from decimal import Decimal

import pytest

from fhir_server.pages.visits.vitals import ALL, Around, faults, observations
from resources.validation import check

AROUND = Around("Patient/1", "Encounter/1", "Practitioner/1", "2026-11-23T12:00:00+01:00", "key")
EACH = {"systolic": "120", "diastolic": "80", "heart-rate": "60", "temperature": "98.6", "temperature-unit": "[degF]",
        "spo2": "97", "respiration": "16", "weight": "71.50", "height": "172", "pain": "0"}  # fmt: skip


def test_every_row_becomes_a_valid_observation() -> None:
    assert not faults(EACH) and len(ALL) == 9
    made = observations(EACH, AROUND)
    for one in made:
        check(one)
    assert len(made) == 8 and len({one["identifier"][0]["value"] for one in made}) == 8
    by_code = {one["code"]["coding"][0]["code"]: one for one in made}
    parts = [part["valueQuantity"]["value"] for part in by_code["85354-9"]["component"]]
    assert parts == [Decimal(120), Decimal(80)]
    assert (
        by_code["8310-5"]["valueQuantity"]["code"] == "[degF]"
        and str(by_code["29463-7"]["valueQuantity"]["value"]) == "71.50"
    )
    assert [one["code"] for one in by_code["2708-6"]["code"]["coding"]] == ["2708-6", "59408-5"]


@pytest.mark.parametrize(
    ("typed", "wrong"),
    [
        ({}, {""}),
        ({"systolic": "120"}, {"diastolic"}),
        ({"diastolic": "80"}, {"systolic"}),
        ({"systolic": "80", "diastolic": "80"}, {"diastolic"}),
        ({"heart-rate": "72.5"}, {"heart-rate"}),
        ({"heart-rate": "-72"}, {"heart-rate"}),
        ({"temperature": "98.6"}, {"temperature"}),
        ({"temperature": "3,7,1"}, {"temperature"}),
        ({"spo2": "101"}, {"spo2"}),
        ({"pain": "11"}, {"pain"}),
        ({"weight": "\uff11\uff12"}, {"weight"}),
        ({"height": "1e2"}, {"height"}),
    ],
)
def test_slips(typed: dict[str, str], wrong: set[str]) -> None:
    assert faults(typed).keys() == wrong


def test_another_value_is_another_observation_and_an_unknown_unit_is_the_first() -> None:
    one, two = (observations({"weight": text, "weight-unit": "stone"}, AROUND)[0] for text in ("70", "71"))
    assert one["identifier"] != two["identifier"] and one["valueQuantity"]["code"] == "kg"
    assert "performer" not in observations({"pain": "1"}, Around("Patient/1", "Encounter/1", "", "2026", "key"))[0]
