"""Update, update as create, version-aware and conditional update."""

import pytest

from fhir_server.conftest import BASE, Client


def patient(id: str = "", **more: object) -> dict[str, object]:
    return {"resourceType": "Patient", **({"id": id} if id else {}), **more}


def test_update(client: Client) -> None:
    id = client.create({"resourceType": "Patient"})
    answer = client.send("PUT", f"Patient/{id}", patient(id, active=True))
    assert (answer.status, answer.headers["etag"]) == (200, 'W/"2"')
    assert answer.json["active"] is True


def test_update_as_create(client: Client) -> None:
    answer = client.send("PUT", "Patient/chosen-1", patient("chosen-1"))
    assert answer.status == 201
    assert answer.headers["location"] == f"{BASE}/Patient/chosen-1/_history/1"


def test_if_match(client: Client) -> None:
    id = client.create({"resourceType": "Patient"})
    assert client.send("PUT", f"Patient/{id}", patient(id, active=True), If_Match='W/"1"').status == 200
    stale = client.send("PUT", f"Patient/{id}", patient(id, active=False), If_Match='W/"1"')
    assert stale.status == 412
    assert client.send("GET", f"Patient/{id}").json["active"] is True


def test_if_none_match_creates_only(client: Client) -> None:
    assert client.send("PUT", "Patient/once", patient("once"), If_None_Match="*").status == 201
    assert client.send("PUT", "Patient/once", patient("once"), If_None_Match="*").status == 412


@pytest.mark.parametrize("id", ["", "other"])
def test_id_must_be_that_of_the_url(client: Client, id: str) -> None:
    answer = client.send("PUT", "Patient/right", patient(id))
    assert (answer.status, answer.issue["expression"]) == (400, ["Patient.id"])


def test_conditional_update(client: Client) -> None:
    body = patient(identifier=[{"system": "urn:s", "value": "update-1"}])
    made = client.send("PUT", "Patient?identifier=urn:s|update-1", body)
    assert made.status == 201
    changed = client.send("PUT", "Patient?identifier=urn:s|update-1", {**body, "active": True})
    assert (changed.status, changed.json["id"]) == (200, made.json["id"])
    client.create(dict(body))
    assert client.send("PUT", "Patient?identifier=urn:s|update-1", body).status == 412
    assert client.send("PUT", "Patient", body).status == 412
