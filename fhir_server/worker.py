"""The worker process: what must happen whether or not anybody asks.

Audit checkpoints, orphaned audit spools of dead processes, list statistics, audit partitions, expired authorizations,
letters to patients, indexes of stored search parameters.
"""

import logging
import signal
import threading

from fhir_server import indexing, reminders
from fhir_server.audit.checkpoint import Checkpoints
from fhir_server.memory import share_one_heap
from fhir_server.settings import Settings
from fhir_server.wiring import Process
from resources.errors import FhirError

log = logging.getLogger("hearth.worker")

_ROUND = 120.0
"""Seconds between two refreshes of statistics and partitions."""


def run(settings: Settings) -> None:
    """Work until SIGTERM or SIGINT."""
    share_one_heap()
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    with Process(settings) as process:
        checkpoints = Checkpoints(process.keyring, process.trail, witness=settings.data / "audit-witness")
        checkpoints.start()
        letters = reminders.start(process, stop)
        indexes = indexing.start(process.store, stop)
        while not stop.is_set():
            _refresh(process)
            _purge(process)
            _forget_letters(process)
            stop.wait(_ROUND)
        for thread in (*letters, indexes):
            thread.join()
        # Reads of this process first, so that the last checkpoint covers them.
        process.spool.stop()
        checkpoints.stop()


def _refresh(process: Process) -> None:
    try:
        process.store.refresh_statistics()
    except FhirError as error:
        log.warning("statistics not refreshed", extra={"code": error.code})


def _purge(process: Process) -> None:
    """Forget codes, tokens, log-ins and revocations that prove nothing any more."""
    if process.settings.open:
        return
    try:
        service = process.authorization.service
        service.records.purge(service.now())
    except FhirError as error:
        log.warning("expired authorizations not deleted", extra={"code": error.code})


def _forget_letters(process: Process) -> None:
    try:
        reminders.forget(process)
    except FhirError as error:
        log.warning("old letters not deleted", extra={"code": error.code})
