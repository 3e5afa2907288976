"""Searchset Bundles are spliced, not parsed."""

import json

from fhir_server.interactions.searchset import searchset
from resources.errors import Issue
from resources.repository import Hit, SearchPage, Version

BASE = "https://h.example/fhir"
DOC = b'{"resourceType":"Observation","id":"1","valueQuantity":{"value":1.00}}'


def version(doc: bytes = DOC) -> Version:
    return Version("Observation", "1", 1, 0, doc)


def test_stored_bytes_are_in_the_bundle() -> None:
    page = SearchPage((Hit(version()), Hit(version(), "include")), {"self": "code=a", "next": "_cursor=x"}, total=7)
    body = searchset(page, BASE, "Observation")
    bundle = json.loads(body)
    assert body.count(DOC) == 2
    assert (bundle["type"], bundle["total"]) == ("searchset", 7)
    assert [entry["search"]["mode"] for entry in bundle["entry"]] == ["match", "include"]
    assert bundle["entry"][0]["fullUrl"] == f"{BASE}/Observation/1"
    assert bundle["link"][1] == {"relation": "next", "url": f"{BASE}/Observation?_cursor=x"}


def test_no_hits_means_no_entry() -> None:
    bundle = json.loads(searchset(SearchPage((), {"self": ""}, total=0), BASE, ""))
    assert "entry" not in bundle
    assert bundle["link"] == [{"relation": "self", "url": BASE}]


def test_ignored_parameters_are_told_in_the_last_entry() -> None:
    page = SearchPage((Hit(version()),), {}, issues=(Issue("not-supported", "ignored", severity="warning"),))
    last = json.loads(searchset(page, BASE, "Observation"))["entry"][-1]
    assert last["search"] == {"mode": "outcome"}
    assert last["resource"]["issue"][0]["severity"] == "warning"


def test_links_keep_the_format() -> None:
    page = SearchPage((), {"self": "code=a"})
    assert json.loads(searchset(page, BASE, "X", "_format=xml"))["link"][0]["url"] == f"{BASE}/X?code=a&_format=xml"


def test_subset() -> None:
    page = SearchPage((Hit(version()),), {}, elements=("status",))
    resource = json.loads(searchset(page, BASE, "Observation"))["entry"][0]["resource"]
    assert "valueQuantity" not in resource
