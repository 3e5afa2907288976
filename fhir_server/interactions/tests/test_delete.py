"""Delete and conditional delete."""

from fhir_server.conftest import Client


def test_delete(client: Client) -> None:
    id = client.create({"resourceType": "Patient"})
    answer = client.send("DELETE", f"Patient/{id}")
    assert (answer.status, answer.body, answer.headers["etag"]) == (204, b"", 'W/"2"')
    assert client.send("DELETE", f"Patient/{id}").status == 204


def test_absent_is_no_error(client: Client) -> None:
    assert client.send("DELETE", "Patient/never").status == 204


def test_outcome_on_request(client: Client) -> None:
    id = client.create({"resourceType": "Patient"})
    answer = client.send("DELETE", f"Patient/{id}", Prefer="return=OperationOutcome")
    assert (answer.status, answer.issue["severity"]) == (200, "information")


def test_if_match(client: Client) -> None:
    id = client.create({"resourceType": "Patient"})
    assert client.send("DELETE", f"Patient/{id}", If_Match='W/"5"').status == 412
    assert client.send("GET", f"Patient/{id}").status == 200


def test_referenced_resources_stay(client: Client) -> None:
    id = client.create({"resourceType": "Patient"})
    reference = {"reference": f"Patient/{id}"}
    client.create({"resourceType": "Observation", "status": "final", "code": {"text": "x"}, "subject": reference})
    assert client.send("DELETE", f"Patient/{id}").status == 409


def test_conditional_delete(client: Client) -> None:
    patient = {"resourceType": "Patient", "identifier": [{"system": "urn:s", "value": "delete-1"}]}
    id = client.create(patient)
    assert client.send("DELETE", "Patient?identifier=urn:s|delete-1").status == 204
    assert client.send("GET", f"Patient/{id}").status == 410
    assert client.send("DELETE", "Patient?identifier=urn:s|delete-1").status == 204
    client.create(patient)
    client.create(patient)
    assert client.send("DELETE", "Patient?identifier=urn:s|delete-1").status == 412
    assert client.send("DELETE", "Patient").status == 412
