"""Binary in its native form and as a resource."""

import base64

import pytest

from conformance_tests.client import FHIR_JSON, FHIR_XML, Client, reference
from conformance_tests.examples import patient

requirement = pytest.mark.requirement
PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(256))


def binary_id(location: str) -> str:
    return location.split("/Binary/")[1].split("/")[0]


@requirement("binary.html#rest")
def test_raw_bytes_come_back_as_they_were(fhir: Client) -> None:
    answer = fhir.post("Binary", PNG, type="image/png", expect=201)
    raw = fhir.get(f"Binary/{binary_id(answer.headers['location'])}", Accept="image/png")
    assert raw.content == PNG
    assert raw.headers["content-type"] == "image/png"
    assert raw.headers["etag"] == 'W/"1"'


@requirement("binary.html#rest")
@pytest.mark.parametrize("accept", ["*/*", "image/*", "image/png", "text/html,application/xhtml+xml,*/*;q=0.8"])
def test_whoever_does_not_ask_for_fhir_gets_the_bytes(fhir: Client, accept: str) -> None:
    answer = fhir.post("Binary", PNG, type="image/png", expect=201)
    assert fhir.get(f"Binary/{binary_id(answer.headers['location'])}", Accept=accept).content == PNG


@requirement("binary.html#rest")
@pytest.mark.parametrize("accept", [FHIR_JSON, FHIR_XML])
def test_whoever_asks_for_fhir_gets_the_resource(fhir: Client, accept: str) -> None:
    answer = fhir.post("Binary", PNG, type="image/png", expect=201)
    found = fhir.get(f"Binary/{binary_id(answer.headers['location'])}", Accept=accept)
    assert found.headers["content-type"].startswith(accept)
    assert base64.b64encode(PNG).decode() in found.text


@requirement("binary.html#rest")
def test_a_binary_resource_is_a_binary(fhir: Client) -> None:
    data = base64.b64encode(b"%PDF-1.4").decode()
    made = fhir.create({"resourceType": "Binary", "contentType": "application/pdf", "data": data})
    assert made["data"] == data
    raw = fhir.get(reference(made), Accept="application/pdf")
    assert (raw.content, raw.headers["content-type"]) == (b"%PDF-1.4", "application/pdf")


@requirement("binary.html#rest")
@pytest.mark.parametrize(
    ("type", "body"),
    [("text/plain", b"caf\xc3\xa9"), ("application/json", b'{"a":1}'), ("application/xml", b"<a/>"), ("text/csv", b"")],
)
def test_any_content_type_is_taken(fhir: Client, type: str, body: bytes) -> None:
    answer = fhir.post("Binary", body, type=type, expect=201)
    raw = fhir.get(f"Binary/{binary_id(answer.headers['location'])}", Accept=type + ",*/*;q=0.1")
    if type not in ("application/json", "application/xml"):  # those name FHIR as well
        assert raw.content == body


@requirement("binary.html#rest")
def test_raw_update_and_versions(fhir: Client) -> None:
    answer = fhir.post("Binary", b"one", type="text/plain", expect=201)
    path = f"Binary/{binary_id(answer.headers['location'])}"
    fhir.put(path, b"two", type="text/plain")
    assert fhir.get(path, Accept="text/plain").content == b"two"
    assert fhir.get(f"{path}/_history/1", Accept="text/plain").content == b"one"
    fhir.delete(path)
    fhir.get(path, Accept="text/plain", expect=410)


@requirement("binary.html#security")
def test_the_security_context_travels_in_a_header(fhir: Client, tag: str) -> None:
    made = fhir.create(patient(tag))
    answer = fhir.post("Binary", b"one", type="text/plain", expect=201, X_Security_Context=reference(made))
    path = f"Binary/{binary_id(answer.headers['location'])}"
    assert fhir.get(path).json()["securityContext"]["reference"] == reference(made)
    assert fhir.get(path, Accept="text/plain").headers["x-security-context"] == reference(made)


@requirement("security.html#narrative")
def test_a_browser_may_not_run_what_a_binary_holds(fhir: Client) -> None:
    answer = fhir.post("Binary", b"<script>alert(1)</script>", type="text/html", expect=201)
    raw = fhir.get(f"Binary/{binary_id(answer.headers['location'])}", Accept="text/html")
    assert raw.headers["x-content-type-options"] == "nosniff"
    assert "sandbox" in raw.headers["content-security-policy"]
