"""Indexes of stored search parameters, made by the worker process as soon as it sees them.

FHIR R4 SearchParameter (https://hl7.org/fhir/R4/searchparameter.html). It rests as long as it works, so that those who
read and write keep half of what the database can do; ``hearth reindex`` does not.
"""

import logging
import threading
from collections.abc import Iterator
from time import monotonic

from fhir_server.store import Store
from fhir_server.store.fill import Progress, fill, sweep, waiting
from fhir_server.store.model import DatabaseError
from fhir_server.store.parameter_sql import WHOLE
from resources.errors import FhirError

ROUND = 2.0
"""Seconds between two looks whether something is to be done."""
log = logging.getLogger("hearth.worker")


def start(store: Store, stop: threading.Event) -> threading.Thread:
    """Work in a thread until ``stop``."""
    thread = threading.Thread(target=_run, args=(store, stop), name="indexing")
    thread.start()
    return thread


def _run(store: Store, stop: threading.Event) -> None:
    while not stop.is_set():
        try:
            work(store, stop)
        except (FhirError, DatabaseError) as error:
            log.warning("index not completed: %s", type(error).__name__)
        stop.wait(ROUND)


def work(store: Store, stop: threading.Event) -> None:
    """Do all that waits; return when ``stop`` is set."""
    while not stop.is_set() and (todo := waiting(store)):
        n = todo[0].n
        for _ in _resting(sweep(store) if n == WHOLE else fill(store, n), stop):
            if n == WHOLE and any(state.n != WHOLE for state in waiting(store)):
                break  # a parameter is waited for; the whole goes on from here afterwards


def _resting(steps: Iterator[Progress], stop: threading.Event) -> Iterator[Progress]:
    began = monotonic()
    for step in steps:
        yield step
        if stop.wait(monotonic() - began):
            return
        began = monotonic()
