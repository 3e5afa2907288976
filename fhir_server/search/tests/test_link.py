"""References read from the bytes of a document."""

import msgspec
import pytest

from fhir_server.search.link import references
from fhir_server.search.parameters import branches

ENCOUNTER = {
    "resourceType": "Encounter",
    "id": "e",
    "subject": {"reference": "Patient/1/_history/3"},
    "participant": [
        {"individual": {"reference": "Practitioner/a"}},
        {"period": {}},
        {"individual": {"reference": "RelatedPerson/b"}},
    ],
    "location": [{"location": {"reference": "Location/l"}}, {"location": {"reference": "urn:uuid:1", "display": "x"}}],
    "episodeOfCare": [{"reference": "#inside"}, {"reference": "http://elsewhere.example/fhir/EpisodeOfCare/1"}],
}
FOUND = [
    ("subject", [("Patient", "1")]),
    ("patient", [("Patient", "1")]),
    ("participant", [("Practitioner", "a"), ("RelatedPerson", "b")]),
    ("location", [("Location", "l")]),
    ("episode-of-care", []),
    ("diagnosis", []),
]


@pytest.mark.parametrize(("param", "names"), FOUND)
def test_local_references_of_a_parameter(param: str, names: list[tuple[str, str]]) -> None:
    assert references("Encounter", branches("Encounter", param), msgspec.json.encode(ENCOUNTER)) == names


def test_parameters_with_conditions_on_the_way() -> None:
    document = {
        "resourceType": "DocumentReference",
        "relatesTo": [{"code": "replaces", "target": {"reference": "DocumentReference/old"}}],
    }
    texts = branches("DocumentReference", "relatesto")
    assert references("DocumentReference", texts, msgspec.json.encode(document)) == [("DocumentReference", "old")]


def test_numbers_beyond_those_of_the_machine() -> None:
    doc = b'{"resourceType":"Patient","id":"p","link":[{"id":"x","other":{"reference":"Patient/1"},"far":1e400}]}'
    assert references("Patient", branches("Patient", "link"), doc) == [("Patient", "1")]
