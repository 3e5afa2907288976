"""What the bridge's process counts for Prometheus, in the folder that the API's /metrics reads; see also hl7_gauges.

Messages and times by sender; labels are names of the site kit and codes, never a patient's data.
"""

from collections.abc import Callable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0, 60.0)


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

        self._connections = Gauge(
            "hearth_hl7_connections", "Open connections of senders.", registry=registry, multiprocess_mode="livesum"
        )
        self._aside = Gauge(
            "hearth_hl7_forecourt_unreadable",
            "Messages on SQLite that came and cannot be opened with the keys at hand.",
            registry=registry,
            multiprocess_mode="livesum",
        )
        self._watched: tuple[Callable[[], int], ...] = ()

    def received(self, sender: str, type: str, verdict: str) -> None:
        self._received.labels(sender, type, verdict).inc()

    def answered(self, sender: str, code: str, seconds: float) -> None:
        self._answers.labels(sender, code).observe(seconds)

    def ended(self, sender: str, state: str, seconds: float) -> None:
        self._ended.labels(sender, state).observe(seconds)

    def watch(self, connections: Callable[[], int], aside: Callable[[], int]) -> None:
        self._watched = (connections, aside)

    def sample(self) -> None:
        """Look at what is watched."""
        for gauge, watched in zip((self._connections, self._aside), self._watched, strict=False):
            gauge.set(watched())
