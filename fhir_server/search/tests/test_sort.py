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
    with pytest.raises(TooCostly, match=r"_sort=family,identifier: at most 10 .* or sort by a date"):
        people[0].ids("Patient?_sort=family,identifier")
    monkeypatch.setattr(sort, "PROBES", 40)
    with pytest.raises(TooCostly, match="_sort=gender: at most 10"):
        people[0].ids("Patient?_sort=gender")


def test_quantities_in_several_units_by_their_numbers(store: Store) -> None:
    record = Record(store)
    units = ("kg", "g", "mg")
    record.put(*(observation(f"o{n}", "p", "x", value=n * 7 % 12) for n in range(9)))
    for n in range(9):
        other = observation(f"o{n}", "p", "x", value=n * 7 % 12)
        other["valueQuantity"] |= {"unit": units[n % 3], "code": units[n % 3]}
        record.put(other)
    record.put({**observation("none", "p", "x"), "valueQuantity": None, "dataAbsentReason": {"text": "x"}})
    whole = sorted((f"o{n}" for n in range(9)), key=lambda id: int(id[1:]) * 7 % 12)
    assert record.walk("Observation?_sort=value-quantity&_count=2") == [*whole, "none"]
    assert record.walk("Observation?_sort=-value-quantity,status&_count=4") == [*whole[::-1], "none"]


def test_the_clinical_order_needs_no_sorting() -> None:
    def native(text: str) -> bool | None:
        return sort.native(parse(SearchRequest("Observation", (("_sort", text),))))

    asked = ("date", "-date", "", "-date,code", "code")
    assert [native(text) for text in asked] == [False, True, True, None, None]


def test_what_has_one_date_is_in_the_order_of_the_next_key(store: Store) -> None:
    """Over pages that end within a date, and back."""
    record = Record(store)
    days = {f"o{n}": f"2020-01-{1 + n // 4:02}" for n in range(12)}
    chance = random.Random(1)
    for id in chance.sample(sorted(days), len(days)):
        record.put({**observation(id, "p", "x"), "effectiveDateTime": days[id]})
    for count in (1, 3, 5, 50):
        assert record.walk(f"Observation?_sort=-date,_id&_count={count}") == sorted(
            sorted(days), key=lambda id: days[id], reverse=True
        )
        assert record.walk(f"Observation?_sort=date,-_id&_count={count}") == sorted(
            sorted(days, reverse=True), key=lambda id: days[id]
        )
