"""Vread."""

import pytest

from fhir_server.conftest import Client
from fhir_server.interactions.vread import version_number
from resources.errors import NotFound


def test_versions(client: Client) -> None:
    id = client.create({"resourceType": "Patient", "active": True})
    client.send("PUT", f"Patient/{id}", {"resourceType": "Patient", "id": id, "active": False})
    first, second = (client.send("GET", f"Patient/{id}/_history/{n}") for n in (1, 2))
    assert (first.json["active"], second.json["active"]) == (True, False)
    assert (first.headers["etag"], second.headers["etag"]) == ('W/"1"', 'W/"2"')


def test_absent_versions(client: Client) -> None:
    id = client.create({"resourceType": "Patient"})
    client.send("DELETE", f"Patient/{id}")
    assert client.send("GET", f"Patient/{id}/_history/1").status == 200
    assert client.send("GET", f"Patient/{id}/_history/2").status == 410
    assert client.send("GET", f"Patient/{id}/_history/3").status == 404
    assert client.send("GET", f"Patient/{id}/_history/abc").status == 404


@pytest.mark.parametrize("text", ["", "0", "01", "-1", "1.0", "٣", "9" * 30])
def test_no_version(text: str) -> None:
    with pytest.raises(NotFound):
        version_number(text, "Patient/1")
