"""Read and conditional read."""

from fhir_server.conftest import Client

PATIENT = {"resourceType": "Patient", "active": True, "name": [{"family": "Read"}], "photo": [{"title": "p"}]}


def test_read(client: Client) -> None:
    id = client.create(PATIENT)
    answer = client.send("GET", f"Patient/{id}")
    assert answer.status == 200
    assert answer.json["name"] == [{"family": "Read"}]
    assert answer.headers["etag"] == 'W/"1"'
    assert answer.headers["content-type"].startswith("application/fhir+json")
    assert "last-modified" in answer.headers


def test_head_has_headers_and_no_body(client: Client) -> None:
    id = client.create(PATIENT)
    whole, head = client.send("GET", f"Patient/{id}"), client.send("HEAD", f"Patient/{id}")
    assert (head.status, head.body) == (200, b"")
    assert head.headers["content-length"] == str(len(whole.body))
    assert head.headers["etag"] == whole.headers["etag"]


def test_absent_and_deleted(client: Client) -> None:
    assert client.send("GET", "Patient/absent").status == 404
    id = client.create(PATIENT)
    client.send("DELETE", f"Patient/{id}")
    answer = client.send("GET", f"Patient/{id}")
    assert (answer.status, answer.issue["code"]) == (410, "deleted")


def test_not_modified(client: Client) -> None:
    id = client.create(PATIENT)
    first = client.send("GET", f"Patient/{id}")
    same = client.send("GET", f"Patient/{id}", If_None_Match=first.headers["etag"])
    assert (same.status, same.body, same.headers["etag"]) == (304, b"", 'W/"1"')
    assert "content-type" not in same.headers
    dated = client.send("GET", f"Patient/{id}", If_Modified_Since=first.headers["last-modified"])
    assert dated.status == 304
    assert client.send("GET", f"Patient/{id}", If_None_Match='W/"9"').status == 200


def test_subset(client: Client) -> None:
    id = client.create(PATIENT)
    assert "photo" not in client.send("GET", f"Patient/{id}?_summary=true").json
    assert "name" not in client.send("GET", f"Patient/{id}?_elements=photo").json
    assert client.send("GET", f"Patient/{id}?_elements=nam").status == 400
    assert client.send("GET", f"Patient/{id}?_summary=some").status == 400
