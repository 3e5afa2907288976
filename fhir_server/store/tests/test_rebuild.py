"""The index is put right from the documents: nothing changes where it was right, and damage of every kind is mended."""

import itertools
from typing import Any

import pytest

from fhir_server.repository.bound import BoundRepository
from fhir_server.repository.services import Services
from fhir_server.search import SearchEngine
from fhir_server.store import Integrity, Store
from fhir_server.store import rebuild as walk
from fhir_server.store.rebuild import rebuild
from resources.repository import WHOLE_RECORD, Caller, Delete, Put, SearchPage, SearchRequest, Version

TABLES = ("post", "rng", "str", "dic")


@pytest.fixture
def repository(store: Store) -> BoundRepository:
    engine = SearchEngine(store, b"link key of the tests, 32 bytes.")
    services = Services(
        store, engine, NoEvents(), lambda record: None, b"chain key of the tests 32 bytes.", "https://x", Integrity()
    )
    return BoundRepository(services, Caller("Practitioner/1", request_id="r1", grants=WHOLE_RECORD))


class NoEvents:
    """There are no audit events to read here."""

    def read(self, caller: Caller, id: str) -> Version:
        raise AssertionError

    def search(self, caller: Caller, request: SearchRequest) -> SearchPage:
        raise AssertionError


def _fill(repository: BoundRepository, count: int = 12) -> None:
    for n in range(count):
        repository.commit([Put(_patient(n), "Patient", f"p{n}")])
        repository.commit([Put(_observation(n), "Observation", f"o{n}")])
    repository.commit([Delete("Observation", "o0")])


def _patient(n: int) -> dict[str, Any]:
    name = [{"family": f"Møller{n}", "given": ["Åse"]}]
    return {"resourceType": "Patient", "id": f"p{n}", "name": name, "birthDate": f"19{n + 10}-02"}


def _observation(n: int) -> dict[str, Any]:
    return {
        "resourceType": "Observation",
        "id": f"o{n}",
        "status": "final",
        "code": {"coding": [{"system": "http://loinc.org", "code": f"1-{n}", "display": f"thing {n}"}]},
        "subject": {"reference": f"Patient/p{n}"},
        "effectivePeriod": {"start": "2024-03-01", "end": f"2024-03-{n + 10}"},
        "valueQuantity": {"value": n, "system": "http://unitsofmeasure.org", "code": "mg"},
    }


def _tables(store: Store) -> list[list[Any]]:
    return [sorted(store.session().query(f"SELECT * FROM {name}")) for name in TABLES]


def _damage(store: Store) -> None:
    session = store.session()
    places = [row[0] for row in session.query("SELECT o FROM resource ORDER BY o")]
    for table in ("post", "rng", "str"):
        session.query(f"DELETE FROM {table} WHERE o = $1", (places[2],))
        session.query(f"DELETE FROM {table} WHERE o = $1", (places[-1],))
    session.query("DELETE FROM dic WHERE code = '1-3'")
    for o in (places[1], places[4], places[4] + 5):  # what no document says; the last where no resource stands
        session.query("INSERT INTO post (h, o) VALUES ($1, $2)", (42, o))
        session.query("INSERT INTO rng (h, lo, hi, o) VALUES ($1, $2, $3, $4)", (42, 1, 2, o))
        session.query("INSERT INTO str (h, norm, o) VALUES ($1, $2, $3)", (42, "x", o))


@pytest.mark.parametrize("size", [5, walk.SLICE])
def test_a_right_index_stays_and_a_damaged_one_is_mended(store: Store, repository: BoundRepository, size: int) -> None:
    _fill(repository)
    right = _tables(store)
    assert list(rebuild(store, size=size))[-1] == walk.Step(24, 0, done=True)
    assert _tables(store) == right
    _damage(store)
    store._seen.clear()  # type: ignore[attr-defined]  # as another process, which has not met the codes
    assert _tables(store) != right
    assert list(rebuild(store, size=size))[-1].repaired >= 4
    assert _tables(store) == right


def test_one_type_alone(store: Store, repository: BoundRepository) -> None:
    _fill(repository)
    right = _tables(store)
    session = store.session()
    session.query("DELETE FROM post WHERE o IN (SELECT o FROM resource WHERE type = 'Patient')")
    list(rebuild(store, "Observation"))
    assert _tables(store) != right
    assert list(rebuild(store, "Patient", size=5))[-1] == walk.Step(12, 12, done=True)
    assert _tables(store) == right


def test_a_walk_that_was_cut_off_goes_on(store: Store, repository: BoundRepository) -> None:
    _fill(repository)
    right = _tables(store)
    _damage(store)
    store._seen.clear()  # type: ignore[attr-defined]
    cut = list(itertools.islice(rebuild(store, size=5), 2))[-1]
    assert cut.examined == 10
    assert [step.examined for step in rebuild(store, size=5)] == [15, 20, 24]
    assert _tables(store) == right
    assert [step.examined for step in rebuild(store, size=50)] == [24]


def test_what_others_write_meanwhile_is_examined_again(
    store: Store, repository: BoundRepository, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A resource is moved to another place between the comparison and the repair."""
    _fill(repository)
    _damage(store)
    amend, moved = walk._amend, [True]

    def late(session: Any, wrong: Any) -> Any:
        if moved.pop() if moved else False:
            for n in range(1, 12):
                changed = _observation(n) | {"effectivePeriod": {"start": f"2023-05-{n + 10}"}}
                repository.commit([Put(changed, "Observation", f"o{n}")])
                repository.commit([Put(_patient(n) | {"birthDate": "1980-01-01"}, "Patient", f"p{n}")])
        return amend(session, wrong)

    monkeypatch.setattr(walk, "_amend", late)
    list(rebuild(store))
    mended = _tables(store)[:3]
    monkeypatch.undo()
    assert list(rebuild(store))[-1].repaired == 0
    assert _tables(store)[:3] == mended
