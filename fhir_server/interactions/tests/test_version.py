"""A stored version as the answer to a read; the interactions that use it are tested in test_read and test_vread."""

from fhir_server.conftest import Client


def test_if_none_match_wins_over_if_modified_since(client: Client) -> None:
    id = client.create({"resourceType": "Patient"})
    first = client.send("GET", f"Patient/{id}")
    changed = client.send(
        "GET", f"Patient/{id}", If_None_Match='W/"7"', If_Modified_Since=first.headers["last-modified"]
    )
    assert changed.status == 200


def test_binary_not_modified_is_told_before_its_format(client: Client) -> None:
    id = client.send("POST", "Binary", b"x", Content_Type="image/png").json["id"]
    assert client.send("GET", f"Binary/{id}", Accept="image/png", If_None_Match='W/"1"').status == 304
