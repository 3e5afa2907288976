"""The comparison of what was sent and what was read back sees every loss, and only losses."""

from copy import deepcopy
from typing import Any

import pytest

from bench.record_graph import differences, sent_nodes, stored_nodes

BUNDLE: dict[str, Any] = {
    "entry": [
        {
            "fullUrl": "urn:uuid:p",
            "resource": {"resourceType": "Patient", "identifier": [{"system": "s", "value": "1"}]},
        },
        {
            "fullUrl": "urn:uuid:q",
            "resource": {"resourceType": "Patient", "identifier": [{"system": "s", "value": "2"}]},
        },
        {
            "fullUrl": "urn:uuid:o",
            "resource": {
                "resourceType": "Observation",
                "subject": {"reference": "urn:uuid:p"},
                "performer": [{"reference": "Patient?identifier=s|2"}],
                "valueQuantity": {"value": "number 1.00"},
            },
        },
    ]
}
STORED: list[dict[str, Any]] = [
    {"resourceType": "Patient", "id": "7", "meta": {"versionId": "1"}, "identifier": [{"system": "s", "value": "1"}]},
    {"resourceType": "Patient", "id": "8", "meta": {"versionId": "1"}, "identifier": [{"system": "s", "value": "2"}]},
    {
        "resourceType": "Observation",
        "id": "9",
        "subject": {"reference": "Patient/7"},
        "performer": [{"reference": "Patient/8"}],
        "valueQuantity": {"value": "number 1.00"},
    },
]


def test_new_ids_and_rewritten_references_are_no_difference() -> None:
    assert differences(sent_nodes([BUNDLE]), stored_nodes(STORED)) == []


@pytest.mark.parametrize(
    "change",
    [
        lambda stored: stored.pop(0),
        lambda stored: stored.append(deepcopy(stored[1]) | {"id": "10"}),
        lambda stored: stored[2].update(subject={"reference": "Patient/8"}),
        lambda stored: stored[2].update(subject={"reference": "urn:uuid:p"}),
        lambda stored: stored[2].update(valueQuantity={"value": "number 1.0"}),
        lambda stored: stored[0].update(active=True),
    ],
    ids=["lost", "twice", "another target", "not rewritten", "digits", "more"],
)
def test_a_change_is_seen(change: Any) -> None:
    stored = deepcopy(STORED)
    change(stored)
    assert differences(sent_nodes([BUNDLE]), stored_nodes(stored))


def test_the_same_resource_in_two_bundles_must_be_stored_twice() -> None:
    assert differences(sent_nodes([BUNDLE, BUNDLE]), stored_nodes(STORED))
