"""The three patch formats, by id and by criteria."""

from typing import Any

import pytest

from fhir_server.conftest import Client

JSON_PATCH = "application/json-patch+json"
XML_PATCH = (
    b'<diff xmlns:f="http://hl7.org/fhir"><add sel="f:Patient" pos="prepend"><f:gender value="male"/></add></diff>'
)
FHIRPATH: dict[str, Any] = {
    "resourceType": "Parameters",
    "parameter": [
        {
            "name": "operation",
            "part": [
                {"name": "type", "valueCode": "add"},
                {"name": "path", "valueString": "Patient"},
                {"name": "name", "valueString": "gender"},
                {"name": "value", "valueCode": "male"},
            ],
        }
    ],
}
ADD = [{"op": "add", "path": "/gender", "value": "male"}]


@pytest.mark.parametrize(
    ("body", "type"),
    [(ADD, JSON_PATCH), (FHIRPATH, "application/fhir+json"), (XML_PATCH, "application/xml-patch+xml")],
)
def test_formats(client: Client, body: Any, type: str) -> None:
    id = client.create({"resourceType": "Patient"})
    answer = client.send("PATCH", f"Patient/{id}", body, Content_Type=type)
    assert (answer.status, answer.headers["etag"]) == (200, 'W/"2"')
    assert answer.json["gender"] == "male"


def test_if_match(client: Client) -> None:
    id = client.create({"resourceType": "Patient"})
    assert client.send("PATCH", f"Patient/{id}", ADD, Content_Type=JSON_PATCH, If_Match='W/"7"').status == 412


def test_result_is_validated(client: Client) -> None:
    id = client.create({"resourceType": "Patient"})
    wrong = [{"op": "add", "path": "/gender", "value": "blue"}]
    assert client.send("PATCH", f"Patient/{id}", wrong, Content_Type=JSON_PATCH).status == 400
    assert client.send("GET", f"Patient/{id}").headers["etag"] == 'W/"1"'


@pytest.mark.parametrize(
    ("body", "type", "status"),
    [
        (ADD, "text/plain", 415),
        (b"", JSON_PATCH, 400),
        (b"{", JSON_PATCH, 400),
        ({"resourceType": "Patient"}, "application/fhir+json", 400),
        ([{"op": "remove", "path": "/gender"}], JSON_PATCH, 422),
    ],
)
def test_refusals(client: Client, body: Any, type: str, status: int) -> None:
    id = client.create({"resourceType": "Patient"})
    assert client.send("PATCH", f"Patient/{id}", body, Content_Type=type).status == status


def test_absent(client: Client) -> None:
    assert client.send("PATCH", "Patient/nobody", ADD, Content_Type=JSON_PATCH).status == 404


def test_conditional_patch(client: Client) -> None:
    client.create({"resourceType": "Patient", "identifier": [{"system": "urn:s", "value": "patch-1"}]})
    answer = client.send("PATCH", "Patient?identifier=urn:s|patch-1", ADD, Content_Type=JSON_PATCH)
    assert (answer.status, answer.json["gender"]) == (200, "male")
    assert client.send("PATCH", "Patient?identifier=urn:s|patch-x", ADD, Content_Type=JSON_PATCH).status == 404
