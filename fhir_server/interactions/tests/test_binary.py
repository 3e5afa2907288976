"""Binary in its native form."""

import base64
import json

from fhir_server.conftest import Client
from fhir_server.interactions.binary import raw
from resources.repository import Version

PDF = b"%PDF-1.7 \x00\xff"


def test_raw_round_trip(client: Client) -> None:
    made = client.send("POST", "Binary", PDF, Content_Type="application/pdf", X_Security_Context="Patient/p1")
    assert made.status == 422  # the security context must exist
    patient = client.create({"resourceType": "Patient"})
    context = f"Patient/{patient}"
    made = client.send("POST", "Binary", PDF, Content_Type="application/pdf", X_Security_Context=context)
    id = made.json["id"]
    raw = client.send("GET", f"Binary/{id}", Accept="application/pdf")
    assert (made.status, raw.status, raw.body) == (201, 200, PDF)
    assert raw.headers["content-type"] == "application/pdf"
    assert raw.headers["x-security-context"] == context
    assert raw.headers["content-security-policy"].startswith("sandbox")
    assert client.send("GET", f"Binary/{id}", Accept="*/*").body == PDF


def test_as_resource(client: Client) -> None:
    id = client.send("POST", "Binary", PDF, Content_Type="application/pdf").json["id"]
    resource = client.send("GET", f"Binary/{id}", Accept="application/fhir+json").json
    assert resource["contentType"] == "application/pdf"
    assert base64.b64decode(resource["data"]) == PDF
    assert client.send("GET", f"Binary/{id}?_format=xml").body.startswith(b"<?xml")


def test_fhir_body_is_the_resource(client: Client) -> None:
    body = {"resourceType": "Binary", "contentType": "text/plain", "data": "aGk="}
    for type in ("application/fhir+json", "application/json"):
        id = client.send("POST", "Binary", body, Content_Type=type).json["id"]
        assert client.send("GET", f"Binary/{id}").body == b"hi"


def test_json_file_is_a_file(client: Client) -> None:
    id = client.send("POST", "Binary", b'{"a":1}', Content_Type="application/json").json["id"]
    raw = client.send("GET", f"Binary/{id}")
    assert (raw.body, raw.headers["content-type"]) == (b'{"a":1}', "application/json")


def test_put_takes_the_id_of_the_url(client: Client) -> None:
    assert client.send("PUT", "Binary/b1", PDF, Content_Type="image/png").status == 201
    assert client.send("GET", "Binary/b1").headers["content-type"] == "image/png"


def test_stored_content_type_cannot_add_headers(client: Client) -> None:
    body = {"resourceType": "Binary", "contentType": "text/html\r\nSet-Cookie: a=b", "data": "aGk="}
    answer = client.send("POST", "Binary", body)
    if answer.status == 201:
        raw = client.send("GET", f"Binary/{answer.json['id']}")
        assert raw.headers["content-type"] == "application/octet-stream"


def test_stored_reference_cannot_add_headers() -> None:
    binary = {
        "resourceType": "Binary",
        "contentType": "a/b",
        "securityContext": {"reference": "urn:x\r\nSet-Cookie: a=b"},
    }
    response = raw(Version("Binary", "1", 1, 0, json.dumps(binary).encode()), [])
    assert not any("Cookie" in value for _, value in response.headers)
    assert "X-Security-Context" not in dict(response.headers)


def test_content_type_is_needed(client: Client) -> None:
    assert client.send("POST", "Binary", PDF, Content_Type="").status == 415
    assert client.send("POST", "Binary", PDF, Content_Type="a/b", X_Security_Context="x y").status == 400
