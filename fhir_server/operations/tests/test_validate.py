"""$validate."""

from typing import Any

import pytest

from fhir_server.conftest import Client

GOOD = {"resourceType": "Patient", "active": True}
BAD = {"resourceType": "Patient", "gender": "blue"}


def parameters(*parts: Any) -> dict[str, Any]:
    return {"resourceType": "Parameters", "parameter": list(parts)}


def test_good_and_bad(client: Client) -> None:
    good = client.send("POST", "Patient/$validate", GOOD)
    bad = client.send("POST", "Patient/$validate", BAD)
    assert (good.status, good.issue["severity"]) == (200, "information")
    assert (bad.status, bad.issue["expression"]) == (200, ["Patient.gender"])
    assert client.send("GET", "Patient?_summary=count").json["total"] == 0


def test_parameters(client: Client) -> None:
    body = parameters({"name": "resource", "resource": BAD}, {"name": "mode", "valueCode": "create"})
    assert client.send("POST", "Patient/$validate", body).issue["severity"] == "error"


def test_profile_that_is_not_installed_is_told(client: Client) -> None:
    answer = client.send("POST", "Patient/$validate?profile=http://x/p", GOOD)
    assert (answer.issue["severity"], answer.issue["code"]) == ("warning", "not-supported")


def test_type_and_id_of_the_url(client: Client) -> None:
    assert client.send("POST", "Group/$validate", GOOD).issue["severity"] == "error"
    body = parameters({"name": "resource", "resource": GOOD}, {"name": "mode", "valueCode": "update"})
    assert client.send("POST", "Patient/p1/$validate", body).issue["expression"] == ["Patient.id"]


def test_stored(client: Client) -> None:
    client.send("PUT", "Patient/stored", {**GOOD, "id": "stored"})
    assert client.send("GET", "Patient/stored/$validate").issue["severity"] == "information"
    assert client.send("GET", "Patient/stored/$validate?mode=delete").issue["severity"] == "information"
    assert client.send("GET", "Patient/absent/$validate?mode=delete").status == 404


@pytest.mark.parametrize("place", ["Patient/$validate", "Patient/$validate?mode=delete", "Patient/$validate?mode=x"])
def test_wrong_calls(client: Client, place: str) -> None:
    assert client.send("GET", place).status == 400
