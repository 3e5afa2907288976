"""The worker process: what must happen whether or not anybody asks.

Audit checkpoints, orphaned audit spools of dead processes, list statistics and audit partitions.
"""

import logging
import signal
import threading

from fhir_server.audit.checkpoint import Checkpoints
from fhir_server.settings import Settings
from fhir_server.wiring import Process
from resources.errors import FhirError

log = logging.getLogger("hearth.worker")

_ROUND = 120.0
"""Seconds between two refreshes of statistics and partitions."""


def run(settings: Settings) -> None:
    """Work until SIGTERM or SIGINT."""
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    with Process(settings) as process:
        checkpoints = Checkpoints(process.keyring, process.trail, witness=settings.data / "audit-witness")
        checkpoints.start()
        while not stop.is_set():
            _refresh(process)
            stop.wait(_ROUND)
        # Reads of this process first, so that the last checkpoint covers them.
        process.spool.stop()
        checkpoints.stop()


def _refresh(process: Process) -> None:
    try:
        process.store.refresh_statistics()
    except FhirError as error:
        log.warning("statistics not refreshed", extra={"code": error.code})
