"""Random queries over random observations against a plain reading of the same resources."""

import random
import threading
from collections.abc import Callable
from typing import Any

import pytest

from fhir_server.search.tests.record import Record, observation, patient
from fhir_server.store import Store, open_store

Test = Callable[[dict[str, Any]], bool]
CODES, PEOPLE = ["c1", "c2", "c3"], ["p0", "p1", "p2", "p3"]


def made(dice: random.Random) -> list[dict[str, Any]]:
    people = [patient(p, f"Family{n}", gender="female" if n % 2 else "male") for n, p in enumerate(PEOPLE)]
    whens = ["2020", "2020-03", "2020-03-05", "2020-03-05T10:00:00Z", "2021-07-01T00:00:00Z", "2019-12-31T23:59:59Z"]
    found = []
    for n in range(80):
        one = observation(f"o{n}", dice.choice(PEOPLE), dice.choice(CODES), dice.choice(whens), dice.randrange(5))
        one["status"] = dice.choice(["final", "amended"])
        found.append(one)
    return people + found


def when(one: dict[str, Any]) -> str:
    return str(one["effectiveDateTime"])


def subject(one: dict[str, Any]) -> str:
    return str(one["subject"]["reference"]).partition("/")[2]


def code(one: dict[str, Any]) -> str:
    return str(one["code"]["coding"][0]["code"])


def clauses(dice: random.Random) -> list[tuple[str, Test]]:
    """One of each kind of parameter with the test that it stands for."""
    c, other, p, status = dice.choice(CODES), dice.choice(CODES), dice.choice(PEOPLE), dice.choice(["final", "amended"])
    value = dice.randrange(5)
    odd = {"female": 1, "male": 0}
    gender = dice.choice(sorted(odd))
    return [
        (f"code=http://loinc.org|{c}", lambda one: code(one) == c),
        (f"code={c},{other}", lambda one: code(one) in (c, other)),
        (f"code:not={c}", lambda one: code(one) != c),
        ("code=http://loinc.org|", lambda one: True),
        (f"code:text=display {c}", lambda one: code(one) == c),
        (f"patient={p}", lambda one: subject(one) == p),
        (f"subject=Patient/{p}", lambda one: subject(one) == p),
        (f"status={status}", lambda one: one["status"] == status),
        (f"value-quantity=ge{value}", lambda one: one["valueQuantity"]["value"] >= value),
        (f"value-quantity={value}|http://unitsofmeasure.org|kg", lambda one: one["valueQuantity"]["value"] == value),
        (f"code-value-quantity={c}$lt{value}", lambda one: code(one) == c and one["valueQuantity"]["value"] < value),
        (f"patient.gender={gender}", lambda one: int(subject(one)[1]) % 2 == odd[gender]),
        ("patient.family=family1", lambda one: subject(one) == "p1"),
        ("date=2020-03", lambda one: when(one).startswith("2020-03")),
        ("date=ge2020-03", lambda one: when(one) >= "2020-03" or when(one) == "2020"),
        ("date=lt2020-03-05", lambda one: when(one) < "2020-03-05"),
        ("date=2019,2021", lambda one: when(one)[:4] in ("2019", "2021")),
        ("date:missing=true", lambda one: False),
    ]


@pytest.mark.parametrize("seed", range(3))
def test_random_queries_find_what_they_say(store: Store, seed: int) -> None:
    dice = random.Random(seed)
    resources = made(dice)
    record = Record(store)
    record.put(*resources)
    observations = [one for one in resources if one["resourceType"] == "Observation"]
    for _ in range(40):
        chosen = dice.sample(clauses(dice), dice.randrange(1, 4))
        query = "Observation?_count=7&" + "&".join(text for text, _ in chosen)
        want = sorted(one["id"] for one in observations if all(test(one) for _, test in chosen))
        found = record.walk(
            query + dice.choice(["", "&_sort=date", "&_sort=-date", "&_sort=_id", "&_sort=-_lastUpdated"])
        )
        assert sorted(found) == want, query
        assert record.page(query + "&_total=accurate").total == len(want), query


def test_reverse_chains_find_what_they_say(store: Store) -> None:
    dice = random.Random(9)
    resources = made(dice)
    record = Record(store)
    record.put(*resources)
    observations = [one for one in resources if one["resourceType"] == "Observation"]
    for _ in range(20):
        text, test = dice.choice(clauses(dice)[:14])
        name, _, value = text.partition("=")
        want = sorted({subject(one) for one in observations if test(one)})
        assert sorted(record.ids(f"Patient?_has:Observation:patient:{name}={value}")) == want, text


def test_pages_read_beside_a_writer_hold_every_old_resource_once(database_url: str) -> None:
    store = open_store(database_url, key=b"hash key of the tests, 32 bytes.")
    store.migrate()
    record = Record(store)
    old = {f"o{n}" for n in range(60)}
    record.put(
        *(observation(id, "p0", "c1", f"2020-01-{n % 28 + 1:02d}T00:00:00Z") for n, id in enumerate(sorted(old)))
    )
    stop, failed = threading.Event(), []

    def write() -> None:
        beside, n = Record(store), 0
        try:
            while not stop.is_set():
                n += 1
                beside.put(observation(f"new{n % 20}", "p0", "c1", f"2020-01-{n % 28 + 1:02d}T00:00:0{n % 9}Z"))
        except Exception as error:  # noqa: BLE001 - the test itself must see it
            failed.append(error)

    writer = threading.Thread(target=write)
    writer.start()
    try:
        for by in ("-date", "date", "_id", "-date", "date"):
            found = record.walk(f"Observation?patient=p0&code=http://loinc.org|c1&_sort={by}&_count=7")
            assert sorted(id for id in found if id in old) == sorted(old)
    finally:
        stop.set()
        writer.join()
        store.close()
    assert not failed
