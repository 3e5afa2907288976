"""Metrics of the bridge for Prometheus, in the folder that the API's /metrics reads.

Rates, lags and silence by sender; labels are names of the site kit and codes, never a patient's data.
"""

from collections.abc import Callable
from time import time

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from hl7_bridge.journal import SqlJournal
from hl7_bridge.site.model import Site

_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0, 60.0)
# Of the whole database, so that every node says the same.
_SHARED = "livemax"


class BridgeMetrics:
    """Meets hl7_bridge.telemetry.Telemetry; ``sample`` sets what is watched."""

    def __init__(self) -> None:
        registry = CollectorRegistry()
        names = ("sender", "type", "verdict")
        self._received = Counter("hearth_hl7_received_total", "Messages that came.", names, registry=registry)
        self._answers = Histogram(
            "hearth_hl7_answer_seconds",
            "Time to answer a message, by MSA-1.",
            ("sender", "code"),
            buckets=_SECONDS,
            registry=registry,
        )
        self._ended = Histogram(
            "hearth_hl7_applied_seconds",
            "Time from receipt to the end of a message, by how it ended.",
            ("sender", "state"),
            buckets=_SECONDS,
            registry=registry,
        )

        def gauge(name: str, text: str, *labels: str, mode: str = _SHARED) -> Gauge:
            return Gauge(f"hearth_hl7_{name}", text, labels, registry=registry, multiprocess_mode=mode)  # type: ignore[arg-type]

        self._standing = gauge("messages", "Messages that are not applied.", "direction", "peer", "state")
        self._oldest = gauge("oldest_seconds", "Age of the oldest message that waits.", "direction", "peer")
        self._silence = gauge("silence_seconds", "Since the last message of a sender.", "sender")
        self._unmapped = gauge("unmapped_codes", "Codes that nobody has mapped.")
        self._connections = gauge("connections", "Open connections of senders.", mode="livesum")
        self._watched: tuple[SqlJournal, Site, Callable[[], int]] | None = None
        self._known: set[tuple[str, str, str]] = set()

    def received(self, sender: str, type: str, verdict: str) -> None:
        self._received.labels(sender, type, verdict).inc()

    def answered(self, sender: str, code: str, seconds: float) -> None:
        self._answers.labels(sender, code).observe(seconds)

    def ended(self, sender: str, state: str, seconds: float) -> None:
        self._ended.labels(sender, state).observe(seconds)

    def watch(self, journal: SqlJournal, site: Site, connections: Callable[[], int]) -> None:
        self._watched = journal, site, connections

    def sample(self) -> None:
        """Look at what is watched. Raises FhirError while the database is away."""
        if self._watched is None:
            return
        journal, site, connections = self._watched
        self._connections.set(connections())
        now = time()
        counts = {(each.direction, each.sender, each.state.value): each for each in journal.standings()}
        for key in self._known | set(counts):
            self._standing.labels(*key).set(counts[key].count if key in counts else 0)
            if key[2] == "received":
                self._oldest.labels(*key[:2]).set(now - counts[key].oldest / 1000 if key in counts else 0)
        self._known |= set(counts)
        for sender, last in journal.last_received([sender.name for sender in site.senders]).items():
            self._silence.labels(sender).set(max(0.0, now - last / 1000))
        self._unmapped.set(len(journal.worklist()))
