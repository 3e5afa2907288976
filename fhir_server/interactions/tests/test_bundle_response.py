"""Response entries, spliced from stored bytes."""

import json
from typing import Any

from fhir_server.http.response import Response
from fhir_server.interactions.bundle_entries import Entry, parse_entry
from fhir_server.interactions.bundle_response import bundle_bytes, error_entry, outcome_entry, response_entry
from resources.errors import NotFound
from resources.repository import Hit, Outcome, SearchPage, Version

BASE = "https://h.example/fhir"
DOC = b'{"resourceType":"Patient","id":"1","multipleBirthInteger":1}'
VERSION = Version("Patient", "1", 2, 1_700_000_000_000, DOC, "PUT")


def entry(method: str, url: str, **conditions: str) -> Entry:
    resource = {"resource": {"resourceType": "Patient"}} if method == "PUT" else {}
    return parse_entry(0, {"request": {"method": method, "url": url, **conditions}, **resource}, BASE)


def told(of: Entry, outcome: Outcome, returning: str = "") -> Any:
    return json.loads(outcome_entry(of, outcome, BASE, returning))


def test_write() -> None:
    expected = {
        "status": "200 OK",
        "location": "Patient/1/_history/2",
        "etag": 'W/"2"',
        "lastModified": "2023-11-14T22:13:20.000Z",
    }
    assert told(entry("PUT", "Patient/1"), Outcome(200, VERSION)) == {"response": expected}


def test_write_with_representation() -> None:
    found = told(entry("PUT", "Patient/1"), Outcome(200, VERSION), "representation")
    assert found["resource"] == json.loads(DOC)
    assert found["fullUrl"] == f"{BASE}/Patient/1"


def test_delete() -> None:
    gone = Version("Patient", "1", 3, 0, b"", "DELETE")
    found = told(entry("DELETE", "Patient/1"), Outcome(204, gone))["response"]
    assert (found["status"], found["etag"]) == ("204 No Content", 'W/"3"')
    assert told(entry("DELETE", "Patient/1"), Outcome(204)) == {"response": {"status": "204 No Content"}}


def test_read() -> None:
    assert told(entry("GET", "Patient/1"), Outcome(200, VERSION))["resource"] == json.loads(DOC)
    same = told(entry("GET", "Patient/1", ifNoneMatch='W/"2"'), Outcome(200, VERSION))
    assert "resource" not in same
    assert same["response"]["status"] == "304 Not Modified"
    since = told(entry("GET", "Patient/1", ifModifiedSince="2023-11-14T22:13:20Z"), Outcome(200, VERSION))
    assert since["response"]["status"] == "304 Not Modified"


def test_search() -> None:
    page = SearchPage((Hit(VERSION),), {"self": "active=true"})
    found = told(entry("GET", "Patient?active=true"), Outcome(200, page=page))
    assert found["resource"]["link"][0]["url"] == f"{BASE}/Patient?active=true"


def test_error() -> None:
    found = json.loads(error_entry(NotFound("nothing")))["response"]
    assert found["status"] == "404 Not Found"
    assert found["outcome"]["issue"][0]["code"] == "not-found"


def test_dispatched_response() -> None:
    done = json.loads(response_entry(Response(200, DOC, [("ETag", 'W/"1"'), ("X", "y")])))
    assert done == {"resource": json.loads(DOC), "response": {"status": "200 OK", "etag": 'W/"1"'}}
    raw = json.loads(response_entry(Response(200, b"\x00", content_type="image/png")))
    assert raw == {"response": {"status": "200 OK"}}


def test_bundle() -> None:
    assert json.loads(bundle_bytes("batch-response", [b'{"a":1}'])) == {
        "resourceType": "Bundle",
        "type": "batch-response",
        "entry": [{"a": 1}],
    }
