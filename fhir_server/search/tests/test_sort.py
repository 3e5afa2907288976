"""_sort by every kind of parameter against Python's own sorting, with pages read both ways."""

import random
from typing import Any

import pytest

from fhir_server.search import sort
from fhir_server.search.query import parse
from fhir_server.search.tests.record import Record, observation, patient
from fhir_server.store import Store
from resources.errors import TooCostly
from resources.repository import SearchRequest


@pytest.fixture
def people(store: Store) -> tuple[Record, list[dict[str, Any]]]:
    record, dice = Record(store), random.Random(4)
    made = []
    for n in range(25):
        one = patient(
            f"p{n:02d}", dice.choice(["Ash", "Birch", "Cedar", "Élm"]), gender=dice.choice(["male", "female"])
        )
        one["birthDate"] = dice.choice(["1950-01-01", "1960", "1970-07", "1980-02-03"])
        if dice.random() < 0.3:
            del one["birthDate"]
        if dice.random() < 0.3:
            del one["name"]
        made.append(one)
    record.put(*made)
    return record, made


SORTS = [
    "family",
    "-family",
    "birthdate",
    "-birthdate",
    "gender,-family",
    "_id",
    "-_id",
    "family,birthdate,-_id",
    "-gender",
]


@pytest.mark.parametrize("by", SORTS)
def test_order_and_pages(people: tuple[Record, list[dict[str, Any]]], by: str) -> None:
    record, made = people
    whole = record.ids(f"Patient?_sort={by}&_count=100")
    assert sorted(whole) == sorted(p["id"] for p in made)
    assert record.walk(f"Patient?_sort={by}&_count=4") == whole
    first = by.split(",")[0]
    values = {"family": lambda p: p["name"][0]["family"].lower().replace("é", "e") if "name" in p else None,
              "birthdate": lambda p: p.get("birthDate"),
              "gender": lambda p: p["gender"], "_id": lambda p: p["id"]}  # fmt: skip
    by_id = {p["id"]: values[first.lstrip("-")](p) for p in made}
    shown = [by_id[id] for id in whole]
    known = [v for v in shown if v is not None]
    assert known == sorted(known, reverse=first.startswith("-"))
    assert shown == known + [None] * (len(shown) - len(known))


def test_time_of_update_walks_its_index_when_many_match(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    record = Record(store)
    record.put(*(observation(f"o{n}", "p", "x", f"20{20 - n % 7:02d}-01-01") for n in range(12)))
    whole = [f"o{n}" for n in reversed(range(12))]
    for counted in (1000, 0):
        monkeypatch.setattr(sort, "COUNTED", counted)
        assert record.walk("Observation?code=x&_sort=-_lastUpdated&_count=5") == whole
        assert record.walk("Observation?code=x&_sort=_lastUpdated&_count=5") == whole[::-1]


def test_sorting_by_a_code_has_a_limit(
    people: tuple[Record, list[dict[str, Any]]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sort, "READ_TO_SORT", 10)
    with pytest.raises(TooCostly):
        people[0].ids("Patient?_sort=gender")


def test_the_clinical_order_needs_no_sorting() -> None:
    def native(text: str) -> bool | None:
        return sort.native(parse(SearchRequest("Observation", (("_sort", text),))))

    assert (native("date"), native("-date"), native(""), native("-date,code"), native("code")) == (
        False,
        True,
        True,
        True,
        None,
    )
