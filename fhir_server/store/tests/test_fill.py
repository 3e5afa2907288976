"""The index of a stored search parameter is made while others write, is what a rebuild makes, and goes when it goes."""

import itertools
import threading
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fhir_server.store import Store, open_store
from fhir_server.store.fill import fill, sweep, waiting
from fhir_server.store.parameter_sql import WHOLE
from fhir_server.store.rebuild import rebuild
from fhir_server.store.tests.stored_parameters import (
    found,
    parameter,
    patient,
    put,
    repository_on,
    tables,
    work,
)
from resources.errors import BadSearch, FhirError
from resources.repository import Delete, SearchRequest


def test_what_was_there_before_is_found_when_the_walk_is_done(store: Store) -> None:
    repository = repository_on(store)
    put(repository, *(patient(n, "red" if n % 2 else "") for n in range(6)))
    with pytest.raises(BadSearch, match="colour"):
        found(repository, "Patient", colour="red")
    put(repository, parameter())
    page = repository.search(SearchRequest("Patient", (("colour", "red"),)))
    assert [issue.code for issue in page.issues] == ["incomplete"]
    assert page.links["self"] == "colour=red"
    assert not page.hits
    put(repository, patient(7, "red"))  # written now, found now
    assert found(repository, "Patient", colour="red") == ["p7"]
    assert work(store)[-1].done == 7
    page = repository.search(SearchRequest("Patient", (("colour", "red"), ("_sort", "_id"))))
    assert [hit.version.id for hit in page.hits] == ["p1", "p3", "p5", "p7"]
    assert not page.issues
    assert list(rebuild(store))[-1].repaired == 0


def test_another_process_learns_of_it(store: Store, database_url: str) -> None:
    other = open_store(database_url, key=b"hash key of the tests, 32 bytes.")
    theirs, ours = repository_on(other), repository_on(store)
    put(theirs, patient(1, "red"), patient(2, "blue"))
    put(ours, parameter())
    assert waiting(store)
    put(theirs, patient(3, "red"))  # its process knew nothing when it began to write
    assert found(theirs, "Patient", colour="red") == ["p3"]
    work(store)
    assert found(theirs, "Patient", colour="red", _sort="_id") == ["p1", "p3"]
    put(ours, parameter(status="retired"))
    with pytest.raises(BadSearch):
        found(theirs, "Patient", colour="red")
    put(theirs, patient(1, "green"))
    work(store)
    assert list(rebuild(store))[-1].repaired == 0
    other.close()


def test_nothing_is_left_of_one_that_was_removed(store: Store) -> None:
    repository = repository_on(store)
    put(repository, *(patient(n, "red") for n in range(4)), parameter(status="draft"))
    before = tables(store)
    put(repository, parameter("hue", "string", "as code"), parameter())
    work(store)
    assert tables(store)[0] != before[0]
    put(repository, patient(1, "blue", birthDate="1999-01-01"))
    repository.commit([Delete("SearchParameter", "colour"), Delete("SearchParameter", "hue")])
    with pytest.raises(BadSearch):
        found(repository, "Patient", colour="red")
    work(store)
    assert not [row for row in tables(store)[3] if "#" in row[4]]
    assert list(rebuild(store))[-1].repaired == 0
    assert [state.n for state in store.parameters.states()] == [WHOLE]


def test_a_changed_one_is_indexed_anew(store: Store) -> None:
    repository = repository_on(store)
    put(repository, patient(1, "red", active=True), parameter())
    work(store)
    put(repository, parameter(description="Only its words"))
    assert not waiting(store)
    put(repository, parameter(expression="Patient.active"))
    assert [state.status for state in store.parameters.states() if state.id] == ["removed", "indexing"]
    work(store)
    assert found(repository, "Patient", colour="true") == ["p1"]
    assert found(repository, "Patient", colour="red") == []


def test_a_walk_that_was_cut_off_goes_on(store: Store) -> None:
    repository = repository_on(store)
    put(repository, *(patient(n, "red") for n in range(8)), parameter())
    [state] = waiting(store)
    walked = (step.done for step in fill(store, state.n, 3) if step.done)  # 0: others of the cluster still write
    assert list(itertools.islice(walked, 2)) == [3, 6]
    assert [step.done for step in fill(store, state.n) if step.done > 6] == [8]
    assert len(found(repository, "Patient", colour="red")) == 8
    assert list(rebuild(store))[-1].repaired == 0


def test_two_who_walk_do_no_harm(store: Store) -> None:
    repository = repository_on(store)
    put(repository, *(patient(n, "red") for n in range(9)), parameter())
    [state] = waiting(store)
    one, two = fill(store, state.n, 2), fill(store, state.n, 2)
    while waiting(store):
        next(one, None)
        next(two, None)
    assert list(rebuild(store))[-1].repaired == 0


def test_one_that_is_retired_on_the_way_is_left(store: Store) -> None:
    repository = repository_on(store)
    put(repository, *(patient(n, "red") for n in range(6)), parameter())
    [state] = waiting(store)
    steps = fill(store, state.n, 2)
    next(step for step in steps if step.done)  # 0: others of the cluster still write
    put(repository, parameter(status="retired"))
    assert not list(steps)
    assert [state.n for state in waiting(store)] == [WHOLE]
    list(sweep(store))
    assert not waiting(store)
    assert list(rebuild(store))[-1].repaired == 0


def test_one_that_is_retired_before_it_begins_is_left(store: Store, database_url: str) -> None:
    if store.dialect == "sqlite":
        return
    repository, other = repository_on(store), open_store(database_url, key=b"hash key of the tests, 32 bytes.")
    with other.session().transaction():
        put(repository_on(other), patient(2, "red"))
        put(repository, parameter())
        [state] = waiting(store)
        steps = fill(store, state.n)
        next(steps)
        put(repository, parameter(status="retired"))
    assert not [step for step in steps if step.done]
    assert [state.n for state in waiting(store)] == [WHOLE]
    other.close()


def test_it_waits_for_who_began_to_write_before(store: Store, database_url: str) -> None:
    """On SQLite they come one at a time; on PostgreSQL what is not committed is not seen, and must not be missed."""
    if store.dialect == "sqlite":
        return
    repository, other = repository_on(store), open_store(database_url, key=b"hash key of the tests, 32 bytes.")
    put(repository, patient(1, "red"))
    with other.session().transaction():
        put(repository_on(other), patient(2, "red"))  # joins the open transaction, which knows of no parameter
        put(repository, parameter())
        [state] = waiting(store)
        steps = fill(store, state.n)
        assert [next(steps).done for _ in range(3)] == [0, 0, 0]
    assert [step.done for step in steps if step.total] == [2]
    assert found(repository, "Patient", colour="red", _sort="_id") == ["p1", "p2"]
    assert list(rebuild(store))[-1].repaired == 0
    other.close()


def test_writers_in_other_threads_leave_no_hole(store: Store, database_url: str) -> None:
    """They write, change, move and delete while parameters come and go."""
    repository = repository_on(store)
    put(repository, *(patient(n, "red") for n in range(30)))
    stop, failures = threading.Event(), list[BaseException]()
    others = [open_store(database_url, key=b"hash key of the tests, 32 bytes.") for _ in range(2)]
    threads = [threading.Thread(target=_write, args=(other, n, stop, failures)) for n, other in enumerate(others)]
    for thread in threads:
        thread.start()
    try:
        for turn in range(3):
            put(repository, parameter(), parameter("hue", "string", "as code"))
            work(store)
            if turn < 2:
                put(repository, parameter(status="retired"))
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    assert not failures
    work(store)
    assert list(rebuild(store))[-1].repaired == 0


def _write(store: Store, turn: int, stop: threading.Event, failures: list[BaseException]) -> None:
    repository = repository_on(store)
    try:
        for n in itertools.count():
            if stop.is_set():
                return
            which = 15 * turn + n % 15
            changed = patient(which, ("red", "blue", "")[n % 3], birthDate=f"19{40 + n % 50}-01-01")
            put(repository, changed)
            if n % 7 == 0:
                repository.commit([Delete("Patient", f"p{which}")])
    except FhirError as error:
        failures.append(error)


STEP = st.one_of(
    st.tuples(st.just("put"), st.integers(0, 3), st.sampled_from(["red", "blue", ""]), st.booleans()),
    st.tuples(st.just("delete"), st.integers(0, 3)),
    st.tuples(st.just("set"), st.sampled_from(["active", "retired"]), st.sampled_from(["colour", "hue"])),
    st.tuples(st.just("walk"), st.integers(1, 3)),
)


@settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(st.lists(STEP, max_size=14))
def test_any_order_gives_the_index_of_a_rebuild(store: Store, steps: list[Any]) -> None:
    """Property: before, during and after parameters come into force, in two processes' turns."""
    repository = repository_on(store)
    for kind, *rest in steps:
        if kind == "put":
            n, colour, moved = rest
            put(repository, patient(n, colour, birthDate="1999-01-01" if moved else "1980-02"))
        elif kind == "delete":
            repository.commit([Delete("Patient", f"p{rest[0]}")])
        elif kind == "set":
            status, code = rest
            put(repository, parameter(code, *(("string", "as code") if code == "hue" else ()), status=status))
        else:
            for state in waiting(store):
                if state.n != WHOLE:
                    list(itertools.islice(fill(store, state.n, 2), rest[0]))
    work(store)
    assert list(rebuild(store))[-1].repaired == 0
