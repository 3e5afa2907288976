"""The capabilities interaction."""

from fhir_server.conftest import BASE, Client
from resources import json_codec, validation


def test_statement_is_valid_and_of_this_server(client: Client) -> None:
    answer = client.send("GET", "metadata")
    assert answer.status == 200
    validation.check(json_codec.decode(answer.body))
    assert answer.json["implementation"]["url"] == BASE


def test_modes(client: Client) -> None:
    assert client.send("GET", "metadata?mode=normative").status == 200
    assert client.send("GET", "metadata?mode=some").status == 400


def test_xml(client: Client) -> None:
    assert b"<CapabilityStatement" in client.send("GET", "metadata", Accept="application/fhir+xml").body
