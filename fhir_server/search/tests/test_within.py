"""References to what is part of something, on both databases."""

import pytest

from fhir_server.search import within
from fhir_server.search.tests.record import Record
from fhir_server.store import Store
from resources.errors import BadSearch, Forbidden, TooCostly
from resources.repository import Caller, Grant, Grants


def location(id, part_of="", **more):
    whole = {"partOf": {"reference": f"Location/{part_of}"}} if part_of else {}
    return {"resourceType": "Location", "id": id, "name": id, **whole, **more}


def encounter(id, place):
    return {
        "resourceType": "Encounter", "id": id, "status": "finished", "class": {"code": "AMB"},
        "location": [{"location": {"reference": f"Location/{place}"}}],
    }  # fmt: skip


@pytest.fixture
def record(store: Store) -> Record:
    """house > ward > room; yard apart; a and b each part of the other."""
    record = Record(store)
    record.put(location("house"), location("ward", "house"), location("room", "ward"), location("yard"))
    record.put(location("a", "b"), location("b", "a"))
    record.put(*(encounter(f"in-{place}", place) for place in ("house", "ward", "room", "yard", "a", "b")))
    return record


FOUND = [
    ("Encounter?location:below=Location/house", "in-house in-room in-ward"),
    ("Encounter?location:below=ward", "in-room in-ward"),
    ("Encounter?location:above=Location/room", "in-house in-room in-ward"),
    ("Encounter?location:above=house,yard", "in-house in-yard"),
    ("Encounter?location:below=a", "in-a in-b"),
    ("Encounter?location:below=http://example.org/fhir/Location/1", ""),
    ("Location?partof:below=house", "room ward"),
]


def test_what_is_found(record: Record) -> None:
    assert {query: " ".join(sorted(record.ids(query))) for query, _ in FOUND} == dict(FOUND)


def test_only_by_what_the_caller_may_see(record: Record) -> None:
    with pytest.raises(Forbidden):
        record.ids("Encounter?location:below=house", Caller("x", grants=Grants((Grant("Encounter", "rs"),))))
    label = {"system": "http://terminology.hl7.org/CodeSystem/v3-Confidentiality", "code": "R"}
    record.put(location("ward", "house", meta={"security": [label]}))
    unlabelled = Caller("y", grants=Grants((Grant("*", "rs"),)))
    assert record.ids("Encounter?location:below=house", unlabelled) == ["in-house"]


def test_what_is_refused(record: Record, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(BadSearch, match="parts of each other"):
        record.ids("Encounter?subject:below=Patient/1")
    monkeypatch.setattr(within, "MOST", 1)
    with pytest.raises(TooCostly):
        record.ids("Encounter?location:below=house")
