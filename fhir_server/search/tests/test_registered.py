"""Stored search parameters in a search: used in every way that those of the specification are, by every caller."""

import re
from contextlib import suppress
from typing import Any

import pytest

from fhir_server.repository.bound import BoundRepository
from fhir_server.store import Store
from fhir_server.store.rebuild import rebuild
from fhir_server.store.tests.stored_parameters import COLOUR, found, parameter, patient, put, repository_on, work
from resources.errors import BadSearch, Forbidden, Unavailable
from resources.repository import Create, Grant, Grants, SearchRequest
from resources.search_param.tests.test_evaluated import CASES, PATIENT, URL

FRIEND = "https://h.example/friend"


def _reference(code: str, base: str, *targets: str) -> dict[str, Any]:
    expression = f"{base}.extension.where(url='{FRIEND}').value as Reference"
    return parameter(code, "reference", "", base=[base], expression=expression, target=list(targets))


def _friend(name: str) -> dict[str, Any]:
    return {"extension": [{"url": FRIEND, "valueReference": {"reference": name}}]}


def _observation(id: str, of: str, **more: Any) -> dict[str, Any]:
    code = {"coding": [{"system": "http://loinc.org", "code": "1-1"}]}
    subject = {"reference": f"Patient/{of}"}
    return {"resourceType": "Observation", "id": id, "status": "final", "code": code, "subject": subject, **more}


@pytest.fixture
def repository(store: Store) -> BoundRepository:
    """Four patients of three colours, p3 without; their friends; observations that name friends."""
    made = repository_on(store)
    put(made, parameter(), parameter("hue", "string", "as code"), _reference("friend", "Patient", "Patient"))
    put(made, _reference("beside", "Observation", "Patient"))
    put(made, patient(0, "red"), patient(1, "blue", **_both("blue", "Patient/p0")), patient(2, "amber"), patient(3))
    put(made, _observation("o1", "p1", **_friend("Patient/p0")), _observation("o2", "p2", **_friend("Patient/p1")))
    work(store)
    return made


def _both(colour: str, friend: str) -> dict[str, Any]:
    return {"extension": [{"url": COLOUR, "valueCode": colour}, *_friend(friend)["extension"]]}


QUERIES: list[tuple[dict[str, str], list[str]]] = [
    ({"colour": "red,blue", "_sort": "_id"}, ["p0", "p1"]),
    ({"colour:not": "red", "_sort": "_id"}, ["p1", "p2", "p3"]),
    ({"colour:missing": "true"}, ["p3"]),
    ({"colour:missing": "false", "_sort": "hue"}, ["p2", "p1", "p0"]),
    ({"_sort": "-hue,_id"}, ["p0", "p1", "p2", "p3"]),
    ({"_sort": "-colour,_id"}, ["p0", "p1", "p2", "p3"]),
    ({"hue:contains": "lu"}, ["p1"]),
    ({"hue:exact": "amber"}, ["p2"]),
    ({"friend": "p0"}, ["p1"]),
    ({"friend:Patient": "p0"}, ["p1"]),
    ({"friend.colour": "red"}, ["p1"]),
    ({"_has:Patient:friend:colour": "blue"}, ["p0"]),
    ({"_has:Observation:beside:code": "1-1", "_sort": "_id"}, ["p0", "p1"]),
    ({"_filter": "colour eq red or hue sw am", "_sort": "_id"}, ["p0", "p2"]),
    ({"_filter": "friend.colour eq red"}, ["p1"]),
    ({"_filter": "colour pr false"}, ["p3"]),
]


def test_they_are_used_like_all_others(repository: BoundRepository) -> None:
    for query, ids in QUERIES:
        assert found(repository, "Patient", **query) == ids, query


def _included(repository: BoundRepository, type: str, **query: str) -> set[str]:
    page = repository.search(SearchRequest(type, tuple(query.items())))
    return {hit.version.reference for hit in page.hits if hit.mode == "include"}


def test_includes_follow_them(repository: BoundRepository) -> None:
    assert _included(repository, "Patient", _id="p1", _include="Patient:friend") == {"Patient/p0"}
    assert _included(repository, "Patient", _id="p0", _revinclude="Patient:friend") == {"Patient/p1"}
    assert _included(repository, "Patient", _id="p0", _revinclude="Observation:beside") == {"Observation/o1"}
    assert _included(repository, "Observation", _id="o1", _include="*") == {"Patient/p0", "Patient/p1"}
    assert _included(repository, "Patient", _id="p0", _revinclude="*") == {"Patient/p1", "Observation/o1"}


def test_pages_of_a_sort_by_one(repository: BoundRepository) -> None:
    page = repository.search(SearchRequest("Patient", (("_sort", "hue"), ("_count", "2"))))
    ids = [hit.version.id for hit in page.hits]
    cursor = re.search(r"_cursor=([^&]+)", page.links["next"])
    assert cursor
    page = repository.search(SearchRequest("Patient", (("_sort", "hue"), ("_count", "2"), ("_cursor", cursor[1]))))
    assert [*ids, *(hit.version.id for hit in page.hits)] == ["p2", "p1", "p0", "p3"]


P1 = Grants(dict.fromkeys([Grant("*", "rs", compartment=("Patient", "p1"))]))


def test_the_restriction_holds(repository: BoundRepository, store: Store) -> None:
    """Who sees the chart of p1 sees nothing of p0 and p2, whatever refers to them or to p1."""
    own = repository_on(store, P1)
    assert found(own, "Patient", **{"colour:missing": "false"}) == ["p1"]
    assert found(own, "Patient", colour="red") == []
    assert found(own, "Patient", **{"friend.colour": "red"}) == []
    assert found(own, "Patient", **{"friend.colour:missing": "false"}) == []
    assert found(own, "Patient", _filter="friend.colour eq red") == []
    assert found(own, "Patient", **{"_has:Observation:beside:code": "1-1"}) == []  # o2 is of p2
    assert found(own, "Observation", beside="Patient/p0") == ["o1"]
    assert found(own, "Observation", **{"beside.colour": "red"}) == []
    assert found(own, "Observation", beside="Patient/p1") == []
    for query in ({"_include": "Patient:friend"}, {"_include": "*"}, {"_revinclude": "Observation:beside"}):
        assert _included(own, "Patient", _id="p1", **query) == set()
    assert _included(own, "Patient", _id="p1", _revinclude="*") == {"Observation/o1"}  # by its subject


def test_no_stored_parameter_makes_a_member_of_a_chart(store: Store) -> None:
    """Group belongs to nobody's chart, List to that of its subject: what refers to a patient otherwise stays closed."""
    made = repository_on(store)
    for base in ("Group", "List", "Substance"):
        put(made, _reference(f"friend-{base}", base, "Patient"), _reference("patient", "Substance", "Patient"))
    put(made, patient(1), patient(2))
    group = {"resourceType": "Group", "id": "g", "type": "person", "actual": True, **_friend("Patient/p1")}
    papers = {"resourceType": "List", "id": "l", "status": "current", "mode": "working", **_friend("Patient/p1")}
    put(made, group, papers | {"subject": {"reference": "Patient/p2"}})
    work(store)
    own = repository_on(store, P1)
    for type in ("Group", "List"):
        assert found(made, type, **{f"friend-{type}": "p1"})
        with suppress(Forbidden):
            assert found(own, type, **{f"friend-{type}": "p1"}) == []


def test_a_scope_by_a_stored_parameter_opens_nothing(repository: BoundRepository, store: Store) -> None:
    granular = Grants(dict.fromkeys([Grant("Patient", "rs", (("colour", "red"),))]))
    with suppress(Forbidden):
        assert found(repository_on(store, granular), "Patient") == []


def test_each_type_in_the_database(store: Store) -> None:
    made = repository_on(store)
    for place, (kind, expression, *_) in enumerate(CASES):
        targets = ["Organization", "Device"] if kind == "reference" else []
        extra = {"target": targets} if targets else {}
        put(made, parameter(f"c{place}", kind, "", expression=expression, **extra))
    put(made, {"resourceType": "Organization", "id": "o1", "name": "A"}, {"resourceType": "Device", "id": "1"})
    for place, (_, _, value, *_) in enumerate(CASES):
        extension = {"extension": [{"url": URL, **value}]} if value else {}
        put(made, PATIENT | {"id": f"x{place}"} | extension)
    put(made, {"resourceType": "Patient", "id": "none"})
    work(store)
    for place, (_, expression, _, hit, miss) in enumerate(CASES):
        assert f"x{place}" in found(made, "Patient", **{f"c{place}": hit}), expression
        assert f"x{place}" not in found(made, "Patient", **{f"c{place}": miss}), expression
        assert f"x{place}" in found(made, "Patient", **{f"c{place}:missing": "false"}), expression
        assert len(found(made, "Patient", _sort=f"c{place}")) == len(CASES) + 1


CODE = {"definition": "http://hl7.org/fhir/SearchParameter/clinical-code", "expression": "code"}


def _composite(code: str, expression: str, cast: str) -> dict[str, Any]:
    second = {"definition": f"https://h.example/{code}-value", "expression": f"value as {cast}"}
    return parameter(code, "composite", "", base=["Observation"], expression=expression, component=[CODE, second])


def _component(code: str, **value: Any) -> dict[str, Any]:
    return {"code": {"coding": [{"system": "http://loinc.org", "code": code}]}, **value}


def test_composites(store: Store) -> None:
    """Of the components of an Observation, and of itself; before and after their index was made."""
    made, part = repository_on(store), "Observation.component"
    weight = {"valueQuantity": {"value": 5, "system": "http://unitsofmeasure.org", "code": "kg"}}
    said = {"valueCodeableConcept": {"coding": [{"system": "s", "code": "yes"}]}}
    parts = [_component("a", **weight), _component("b", **said), _component("c", valueString="Grün")]
    parts.append(_component("d", valueDateTime="2024-05-06T07:08:09Z"))
    put(made, patient(1), _observation("o1", "p1", component=parts, **weight), _observation("o0", "p1"))
    put(made, _composite("cq", part, "Quantity"), _composite("ct", part, "CodeableConcept"))
    put(made, _composite("cs", part, "string"), _composite("cd", part, "dateTime"))
    put(made, _composite("whole", "Observation", "Quantity"))
    work(store)
    put(made, _observation("o2", "p1", component=parts, **weight), patient(2))
    hits = (
        "cq=a$gt4",
        "cq=http://loinc.org|a$5||kg",
        "ct=b$yes",
        "ct=b$s|yes",
        "cs=c$gru",
        "cd=d$2024-05",
        "whole=1-1$5",
    )
    for query in hits:
        name, _, value = query.partition("=")
        assert found(made, "Observation", **{name: value, "_sort": "_id"}) == ["o1", "o2"], query
    for query in ("cq=b$gt4", "cq=a$gt5", "ct=a$yes", "ct=b$no", "cs=d$gru", "cd=c$2024-05", "whole=a$5"):
        name, _, value = query.partition("=")
        assert found(made, "Observation", **{name: value}) == [], query
    assert list(rebuild(store))[-1].repaired == 0


def test_criteria_wait_for_a_complete_index(store: Store) -> None:
    made = repository_on(store)
    put(made, patient(1, "red"), parameter())
    with pytest.raises(Unavailable, match="being built"):
        made.commit([Create(patient(2, "red"), if_none_exist="colour=red")])
    work(store)
    [outcome] = made.commit([Create(patient(2, "red"), if_none_exist="colour=red")])
    assert not outcome.changed


def test_without_any_nothing_more_is_asked(store: Store) -> None:
    """A search and a write cost the statements that they cost before."""
    made = repository_on(store)
    put(made, patient(1))
    found(made, "Patient", name="family1")
    with store.session().watched() as asked:
        found(made, "Patient", name="family1")
    assert not [each.sql for each in asked if "parameter" in each.sql]


def test_a_wrong_name_is_told_as_ever(repository: BoundRepository) -> None:
    with pytest.raises(BadSearch, match="colour"):
        found(repository, "Patient", color="red")
