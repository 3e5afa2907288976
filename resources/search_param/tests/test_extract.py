import gzip
from collections import Counter
from decimal import Decimal
from pathlib import Path

import msgspec
import pytest

from resources.search_param import extract
from resources.search_param.terms import type_key

SAMPLES = Path(__file__).resolve().parents[3] / "../shared/data/fhir"
OBSERVATION = {
    "resourceType": "Observation",
    "id": "o",
    "status": "final",
    "category": [{"coding": [{"system": "urn:k", "code": "laboratory"}]}],
    "code": {"coding": [{"system": "urn:c", "code": "1"}]},
    "subject": {"reference": "Patient/1"},
    "encounter": {"reference": "Encounter/2"},
    "effectiveDateTime": "2020-01-01T10:00:00Z",
    "valueQuantity": {"value": 5, "unit": "mg"},
}


def test_the_derived_set_of_a_usual_observation():
    entries = extract(OBSERVATION)
    forms = Counter((key.branch, key.form) for key in entries.posts)
    assert forms == {
        ("", "type"): 1,
        ("Observation.status", "c"): 1,
        ("Observation.category", "s|c"): 1,
        ("Observation.code", "s|c"): 1,
        ("Observation.subject", "ref"): 1,
        ("Observation.encounter", "ref"): 1,
    }
    assert len(entries.ranges) == 1 and not entries.strings
    assert type_key("Observation") in entries.posts
    assert entries.references == ("Patient/1", "Encounter/2")


def test_extraction_is_repeatable():
    assert extract(OBSERVATION) == extract(OBSERVATION)


def resources(folder, files):
    for path in sorted((SAMPLES / folder).rglob("*.json*"))[:files]:
        raw = path.read_bytes()
        bundle = msgspec.json.Decoder(float_hook=Decimal).decode(gzip.decompress(raw) if path.suffix == ".gz" else raw)
        yield from loaded(bundle)


def loaded(bundle):
    """The resources of a transaction with their references resolved, as a server stores them."""
    names = {
        e.get("fullUrl"): f"{e['resource']['resourceType']}/{e['fullUrl'][9:]}"
        for e in bundle["entry"]
        if "fullUrl" in e
    }
    for entry in bundle["entry"]:
        resolve(entry["resource"], names)
        yield entry["resource"]


def resolve(value, names):
    if isinstance(value, dict):
        text = value.get("reference")
        if isinstance(text, str):
            value["reference"] = names.get(text, text.partition("?")[0] + "/1" if "?" in text else text)
        value = list(value.values())
    for item in value if isinstance(value, list) else ():
        resolve(item, names)


@pytest.mark.samples
@pytest.mark.skipif(not SAMPLES.exists(), reason="the sample data is not beside the checkout")
@pytest.mark.parametrize("folder", ["synthea_2019", "synthea_2021"])
def test_rows_by_resource(folder):
    rows = Counter()
    count = 0
    for resource in resources(folder, 10):
        entries = extract(resource)
        rows += Counter(post=len(entries.posts), string=len(entries.strings), range=len(entries.ranges))
        count += 1
    print(folder, count, {table: round(n / count, 2) for table, n in rows.items()})
    assert rows.total() / count <= 13.2  # 1.0 of them for :contains, of places and people that each bundle brings again


@pytest.mark.samples
@pytest.mark.skipif(not SAMPLES.exists(), reason="the sample data is not beside the checkout")
def test_official_examples_are_extracted():
    decoder = msgspec.json.Decoder(float_hook=Decimal)
    found = [decoder.decode(path.read_bytes()) for path in sorted((SAMPLES / "r4_examples").glob("*.json"))]
    assert all(type_key(r["resourceType"]) in extract(r).posts for r in found if "resourceType" in r)
