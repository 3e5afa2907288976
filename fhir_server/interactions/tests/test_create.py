"""Create and conditional create."""

import pytest

from fhir_server.conftest import BASE, Client
from fhir_server.interactions.create import cleaned_criteria


def test_create(client: Client) -> None:
    answer = client.send("POST", "Patient", {"resourceType": "Patient", "id": "mine", "active": True})
    id = answer.json["id"]
    assert answer.status == 201
    assert id != "mine"
    assert answer.headers["location"] == f"{BASE}/Patient/{id}/_history/1"
    assert answer.headers["etag"] == 'W/"1"'
    assert answer.json["meta"]["versionId"] == "1"


@pytest.mark.parametrize(
    ("prefer", "expected"),
    [("minimal", b""), ("representation", b'"Patient"'), ("OperationOutcome", b'"OperationOutcome"')],
)
def test_prefer(client: Client, prefer: str, expected: bytes) -> None:
    answer = client.send("POST", "Patient", {"resourceType": "Patient"}, Prefer=f"return={prefer}")
    assert answer.status == 201
    assert "location" in answer.headers
    assert expected in answer.body
    assert bool(answer.body) == bool(expected)


def test_xml_in_and_out(client: Client) -> None:
    body = b'<Patient xmlns="http://hl7.org/fhir"><active value="true"/></Patient>'
    answer = client.send("POST", "Patient", body, Content_Type="application/fhir+xml", Accept="application/fhir+xml")
    assert answer.status == 201
    assert b'<active value="true"/>' in answer.body


def test_if_none_exist(client: Client) -> None:
    patient = {"resourceType": "Patient", "identifier": [{"system": "urn:s", "value": "create-1"}]}
    first = client.send("POST", "Patient", patient, If_None_Exist="identifier=urn:s|create-1")
    second = client.send("POST", "Patient", patient, If_None_Exist="Patient?identifier=urn:s|create-1")
    assert (first.status, second.status) == (201, 200)
    assert second.headers["location"] == first.headers["location"]
    client.create(patient)
    third = client.send("POST", "Patient", patient, If_None_Exist="identifier=urn:s|create-1")
    assert (third.status, third.issue["code"]) == (412, "multiple-matches")


def test_other_type(client: Client) -> None:
    answer = client.send("POST", "Patient", {"resourceType": "Group"})
    assert (answer.status, answer.issue["expression"]) == (400, ["resourceType"])


def test_all_issues_at_once(client: Client) -> None:
    answer = client.send(
        "POST", "Patient", {"resourceType": "Patient", "gender": "x", "nam": 1, "birthDate": "2020-13-01"}
    )
    places = {place for issue in answer.json["issue"] for place in issue.get("expression", [])}
    assert answer.status == 400
    assert {"Patient.gender", "Patient.birthDate"} <= places


@pytest.mark.parametrize("text", ["?identifier=a", "Patient?identifier=a", " identifier=a "])
def test_cleaned_criteria(text: str) -> None:
    assert cleaned_criteria(text, "Patient") == "identifier=a"
