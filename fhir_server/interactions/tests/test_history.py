"""History of an instance, a type and the system."""

from urllib.parse import urlsplit

from fhir_server.conftest import BASE, Client


def three_versions(client: Client) -> str:
    id = client.create({"resourceType": "Patient"})
    client.send("PUT", f"Patient/{id}", {"resourceType": "Patient", "id": id, "active": True})
    client.send("DELETE", f"Patient/{id}")
    return id


def test_instance(client: Client) -> None:
    id = three_versions(client)
    bundle = client.send("GET", f"Patient/{id}/_history").json
    entries = bundle["entry"]
    assert (bundle["type"], bundle["total"]) == ("history", 3)
    assert [entry["request"]["method"] for entry in entries] == ["DELETE", "PUT", "POST"]
    assert [entry["request"]["url"] for entry in entries] == [f"Patient/{id}", f"Patient/{id}", "Patient"]
    assert [entry["response"]["status"][:3] for entry in entries] == ["204", "200", "201"]
    assert [entry["response"]["etag"] for entry in entries] == ['W/"3"', 'W/"2"', 'W/"1"']
    assert ["resource" in entry for entry in entries] == [False, True, True]
    assert entries[0]["fullUrl"] == f"{BASE}/Patient/{id}"


def test_pages(client: Client) -> None:
    id = three_versions(client)
    place, seen = f"Patient/{id}/_history?_count=2", []
    while place:
        bundle = client.send("GET", place).json
        seen += [entry["response"]["etag"] for entry in bundle.get("entry", [])]
        links = {link["relation"]: link["url"] for link in bundle["link"]}
        parts = urlsplit(links.get("next", ""))
        place = f"Patient/{id}/_history?{parts.query}" if parts.query else ""
    assert seen == ['W/"3"', 'W/"2"', 'W/"1"']


def test_type_and_system(client: Client) -> None:
    id = three_versions(client)
    for place in ("Patient/_history", "_history"):
        newest = client.send("GET", place).json["entry"][0]
        assert newest["request"] == {"method": "DELETE", "url": f"Patient/{id}"}


def test_bad_parameters(client: Client) -> None:
    id = three_versions(client)
    assert client.send("GET", f"Patient/{id}/_history?_count=x").status == 400
    assert client.send("GET", f"Patient/{id}/_history?colour=red").status == 400
    assert client.send("GET", f"Patient/{id}/_history?colour=red", Prefer="handling=lenient").status == 200
    assert client.send("GET", f"Patient/{id}/_history?_since=yesterday").status == 400
    assert client.send("GET", "Patient/never/_history").status == 404


def test_since(client: Client) -> None:
    id = three_versions(client)
    assert "entry" not in client.send("GET", f"Patient/{id}/_history?_since=2100-01-01T00:00:00Z").json
