"""What the entries of a Bundle must agree on."""

from typing import Any

from resources.validation.bundles import bundle_issues


def _expressions(kind: str, *entries: Any, **more: Any) -> list[str]:
    return [issue.expression for issue in bundle_issues({"type": kind, "entry": list(entries), **more}, "Bundle")]


_PATIENT = {"resourceType": "Patient", "id": "1"}
_URL = "http://x.org/fhir/Patient/1"


def test_requests_and_responses() -> None:
    assert _expressions("transaction", {"request": {}}) == []
    assert _expressions("transaction", {}) == ["Bundle.entry[0].request"]
    assert _expressions("searchset", {"request": {}}) == ["Bundle.entry[0].request"]
    assert _expressions("batch-response", {}) == ["Bundle.entry[0].response"]
    assert _expressions("history", {}) == ["Bundle.entry[0].request", "Bundle.entry[0].response"]
    assert _expressions("", {}) == []


def test_full_urls_are_absolute_and_name_their_resource() -> None:
    assert _expressions("collection", {"fullUrl": _URL, "resource": _PATIENT}) == []
    assert _expressions("collection", {"fullUrl": _URL, "resource": {**_PATIENT, "id": "2"}}) == [
        "Bundle.entry[0].fullUrl"
    ]
    assert _expressions("collection", {"fullUrl": "Patient/1", "resource": _PATIENT}) == ["Bundle.entry[0].fullUrl"]
    assert _expressions("transaction", {"fullUrl": "Patient/1", "resource": _PATIENT, "request": {}}) == []


def test_full_urls_are_unique_except_for_versions() -> None:
    older, newer = ({**_PATIENT, "meta": {"versionId": str(n)}} for n in (1, 2))
    assert _expressions("collection", *[{"fullUrl": _URL, "resource": row} for row in (older, newer)]) == []
    assert _expressions("collection", *[{"fullUrl": _URL, "resource": older}] * 2) == ["Bundle.entry[1].fullUrl"]


def test_what_a_search_finds_has_ids() -> None:
    assert _expressions("searchset", {"resource": {"resourceType": "Patient"}}) == ["Bundle.entry[0].resource.id"]
    assert _expressions("searchset", {"resource": {"resourceType": "OperationOutcome"}}) == []


def test_links_are_given_once() -> None:
    links = [{"relation": "self"}, {"relation": "self"}, {"relation": "related"}, {"relation": "related"}]
    assert _expressions("collection", link=links) == ["Bundle.link[1].relation"]


def test_malformed_bundles_are_no_matter() -> None:
    for entry in (1, None, [], {"resource": 1, "fullUrl": []}, {"resource": {"meta": 1}, "fullUrl": "a:b"}):
        _expressions("searchset", entry, link=entry)
    assert list(bundle_issues({"type": [], "entry": 1, "link": {}}, "Bundle")) == []
