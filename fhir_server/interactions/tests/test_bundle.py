"""What may be posted to the base."""

import pytest

from fhir_server.conftest import Client


@pytest.mark.parametrize(
    ("body", "expression"),
    [
        ({"resourceType": "Patient"}, "resourceType"),
        ({"resourceType": "Bundle"}, "Bundle.type"),
        ({"resourceType": "Bundle", "type": "searchset"}, "Bundle.type"),
        ({"resourceType": "Bundle", "type": 1}, "Bundle.type"),
        ({"resourceType": "Bundle", "type": "batch", "entry": {}}, "Bundle.entry"),
        ({"resourceType": "Bundle", "type": "transaction", "entry": 1}, "Bundle.entry"),
    ],
)
def test_refusals(client: Client, body: object, expression: str) -> None:
    answer = client.send("POST", "", body)
    assert (answer.status, answer.issue["expression"]) == (400, [expression])


@pytest.mark.parametrize("type", ["batch", "transaction"])
def test_empty(client: Client, type: str) -> None:
    answer = client.send("POST", "", {"resourceType": "Bundle", "type": type})
    assert (answer.status, answer.json) == (200, {"resourceType": "Bundle", "type": f"{type}-response"})
