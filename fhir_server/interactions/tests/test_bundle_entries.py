"""Entries of batch and transaction Bundles."""

from typing import Any

import pytest

from fhir_server.interactions.bundle_entries import Entry, parse_entry, raw_entries, refuse_duplicates
from resources.errors import Invalid

BASE = "https://h.example/fhir"


def entry(method: str, url: str, index: int = 0, **more: Any) -> Entry:
    resource = {"resource": {"resourceType": "Patient"}} if method in ("POST", "PUT", "PATCH") else {}
    return parse_entry(index, {"request": {"method": method, "url": url}, **resource, **more}, BASE)


@pytest.mark.parametrize(
    ("url", "relative"),
    [
        ("Patient/1", "Patient/1"),
        ("/Patient/1", "Patient/1"),
        (f"{BASE}/Patient/1", "Patient/1"),
        (f"{BASE}?_type=Patient", "?_type=Patient"),
        ("Patient?url=http://x", "Patient?url=http://x"),
    ],
)
def test_urls_become_relative(url: str, relative: str) -> None:
    assert entry("GET", url).url == relative


def test_head_is_get() -> None:
    assert entry("HEAD", "Patient/1").method == "GET"


@pytest.mark.parametrize(
    "raw",
    [
        None,
        {},
        {"request": []},
        {"request": {"method": "BREW", "url": "Patient"}},
        {"request": {"method": ["GET"], "url": "Patient"}},
        {"request": {"method": "GET"}},
        {"request": {"method": "GET", "url": "https://other.example/fhir/Patient/1"}},
        {"request": {"method": "GET", "url": f"{BASE}x/Patient/1"}},
        {"request": {"method": "POST", "url": "Patient"}},
        {"request": {"method": "POST", "url": "Patient"}, "resource": {"id": "1"}},
        {"request": {"method": "GET", "url": "Patient", "ifMatch": 1}},
        {"request": {"method": "GET", "url": "Patient"}, "fullUrl": 1},
    ],
)
def test_bad_entries_name_their_place(raw: Any) -> None:
    with pytest.raises(Invalid) as caught:
        parse_entry(7, raw, BASE)
    assert all(i.expression.startswith("Bundle.entry[7]") for i in caught.value.issues)
    assert all(i.text.startswith("Bundle.entry[7]: ") for i in caught.value.issues)


def test_entry_must_be_a_list() -> None:
    assert raw_entries({}) == []
    with pytest.raises(Invalid):
        raw_entries({"entry": {}})


def test_same_resource_twice() -> None:
    with pytest.raises(Invalid, match=r"Bundle.entry\[1\] changes Patient/1, and so does Bundle.entry\[0\]"):
        refuse_duplicates([entry("PUT", "Patient/1"), entry("DELETE", f"{BASE}/Patient/1", 1)])


def test_same_full_url_twice() -> None:
    full = {"fullUrl": "urn:uuid:1"}
    with pytest.raises(Invalid, match="fullUrl"):
        refuse_duplicates([entry("POST", "Patient", **full), entry("POST", "Patient", 1, **full)])


def test_reading_what_is_written_is_fine() -> None:
    refuse_duplicates([entry("PUT", "Patient/1"), entry("GET", "Patient/1", 1), entry("POST", "Patient", 2)])
