"""Request metrics for Prometheus, over all worker processes.

Text exposition of prometheus-client. With several workers the parent sets PROMETHEUS_MULTIPROC_DIR before they start,
as that library asks; ``folder`` names the same directory.
"""

from collections.abc import Collection
from typing import Any

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Histogram, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector

_BUCKETS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 5.0, 30.0)
CONTENT_TYPE = CONTENT_TYPE_LATEST


class Metrics:
    """Durations of requests by interaction and status; ``folder`` is '' for a single process."""

    def __init__(self, folder: str = "") -> None:
        self._folder = folder
        self.registry = CollectorRegistry()
        self._durations = Histogram(
            "hearth_http_request_seconds",
            "Time to answer a request by interaction and status.",
            ("interaction", "status"),
            buckets=_BUCKETS,
            registry=self.registry,
        )
        self._known: dict[tuple[str, int], Any] = {}

    def observe(self, code: str, status: int, seconds: float) -> None:
        """Count one request. ``code`` comes from the tables, so the number of series is bounded."""
        child = self._known.get((code, status))
        if child is None:
            child = self._known[code, status] = self._durations.labels(code, str(status))
        child.observe(seconds)

    def exposition(self) -> bytes:
        """The metrics of all workers as text."""
        if not self._folder:
            return generate_latest(self.registry)
        registry = CollectorRegistry()
        MultiProcessCollector(registry, path=self._folder)  # type: ignore[no-untyped-call]
        return generate_latest(registry)


def may_read(environ: dict[str, Any], hosts: Collection[str]) -> bool:
    """Whether the peer is one of ``hosts``. A forwarded request never is: behind a proxy on this machine every
    stranger has a loopback address."""
    forwarded = any(name in environ for name in ("HTTP_X_FORWARDED_FOR", "HTTP_FORWARDED", "HTTP_X_REAL_IP"))
    return not forwarded and environ.get("REMOTE_ADDR", "") in hosts
