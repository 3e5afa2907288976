import json
from pathlib import Path

import pytest

from resources import json_codec
from resources.search_param.references import placed_references, references

RESOURCE = {
    "resourceType": "Observation",
    "subject": {"reference": "Patient/1", "display": 'x "reference":"Patient/0"'},
    "performer": [{"display": "nobody"}, {"reference": "urn:uuid:2"}],
    "extension": [{"url": "urn:x", "valueReference": {"reference": "Group/3"}}],
    "contained": [{"resourceType": "Specimen", "subject": {"reference": "Patient/4"}}],
    "device": {"reference": "#in"},
}
SAMPLES = Path(__file__).resolve().parents[3] / "../shared/data/fhir/r4_examples"


def test_all_literal_references_with_their_place():
    assert placed_references(RESOURCE) == (
        ("Observation.subject.reference", "Patient/1"),
        ("Observation.performer[1].reference", "urn:uuid:2"),
        ("Observation.extension[0].valueReference.reference", "Group/3"),
        ("Observation.contained[0].subject.reference", "Patient/4"),
    )


def test_the_bytes_tell_the_same_references():
    found = references("Observation", json_codec.encode(RESOURCE))
    assert found == ("Patient/1", "urn:uuid:2", "Group/3", "Patient/4")


@pytest.mark.parametrize("text", ['Patient?name="x"', "Patient?name=a\\b", "Patient?name=\n", "Pätient/ü", ""])
def test_texts_that_are_escaped_are_found_too(text):
    resource = {"resourceType": "Basic", "subject": {"reference": text}, "author": {"reference": "Patient/1"}}
    assert references("Basic", json_codec.encode(resource)) == (text, "Patient/1")


def test_bundles_refer_within_themselves():
    entry = {"resource": {"resourceType": "Observation", "subject": {"reference": "Patient/1"}}}
    bundle = {"resourceType": "Bundle", "entry": [entry]}
    assert placed_references(bundle) == references("Bundle", json_codec.encode(bundle)) == ()


@pytest.mark.skipif(not SAMPLES.is_dir(), reason="no sample data")
def test_the_published_examples_have_the_same_both_ways():
    for path in sorted(SAMPLES.glob("*.json"))[::5]:
        resource = json.loads(path.read_bytes())
        found = references(resource.get("resourceType", ""), json_codec.encode(resource))
        assert found == tuple(text for _, text in placed_references(resource)), path.name
