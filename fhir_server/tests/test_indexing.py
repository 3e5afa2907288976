"""The worker completes what waits: parameters before the whole index; it stops when it is told to."""

import threading

from fhir_server import indexing
from fhir_server.store import Store
from fhir_server.store.fill import begin_all, waiting
from fhir_server.store.parameter_sql import WHOLE
from fhir_server.store.tests.stored_parameters import found, parameter, patient, put, repository_on


def test_a_parameter_comes_before_the_whole_index(store: Store) -> None:
    repository = repository_on(store)
    put(repository, patient(1, "red"), parameter())
    begin_all(store)
    assert [state.n == WHOLE for state in waiting(store)] == [False, True]
    indexing.work(store, threading.Event())
    assert not waiting(store)
    assert found(repository, "Patient", colour="red") == ["p1"]


def test_a_thread_works_until_it_is_stopped(store: Store) -> None:
    repository, stop = repository_on(store), threading.Event()
    thread = indexing.start(store, stop)
    put(repository, patient(1, "red"), parameter())
    while waiting(store):
        stop.wait(0.01)
    stop.set()
    thread.join()
    assert found(repository, "Patient", colour="red") == ["p1"]


def test_what_is_stopped_waits_on(store: Store) -> None:
    put(repository_on(store), patient(1, "red"), parameter())
    stop = threading.Event()
    stop.set()
    indexing.work(store, stop)
    assert waiting(store)
