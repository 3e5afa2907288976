"""Request metrics for Prometheus, over all worker processes.

Text exposition of prometheus-client. With several workers the parent sets PROMETHEUS_MULTIPROC_DIR before they start,
as that library asks; ``folder`` names the same directory.
"""

import os
import re
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead
from prometheus_client.registry import Collector

from fhir_server.http.address import among

_BUCKETS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 5.0, 30.0)
CONTENT_TYPE = CONTENT_TYPE_LATEST
# Name, the name in the exposition, what it says, how the values of several processes become one.
_GAUGES: tuple[tuple[str, str, str, Any], ...] = (
    ("revocations", "revocation_list_age_seconds", "Since the revocation list was last read, at worst.", "livemax"),
    ("spool", "audit_spool_bytes", "Audit records that wait for the database.", "livesum"),
)
_LIVE = re.compile(r"gauge_live[a-z]+_([0-9]+)\.db")


class Metrics:
    """Durations of requests by interaction and status, events of the authorization server, and what is watched;
    ``folder`` is '' for a single process."""

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
        self._events = Counter(
            "hearth_authorization_events_total",
            "Log-ins, tokens, consents and their refusals.",
            ("event", "outcome"),
            registry=self.registry,
        )
        self._gauges = {
            name: Gauge(f"hearth_{full}", text, multiprocess_mode=mode, registry=self.registry)
            for name, full, text, mode in _GAUGES
        }
        self._watched: dict[str, Callable[[], float]] = {}
        self._collectors: list[Collector] = []

    def observe(self, code: str, status: int, seconds: float) -> None:
        """Count one request. ``code`` comes from the tables, so the number of series is bounded."""
        child = self._known.get((code, status))
        if child is None:
            child = self._known[code, status] = self._durations.labels(code, str(status))
        child.observe(seconds)

    def told(self, event: str, ok: bool) -> None:
        """Count an event of the authorization server, one of ``smart_auth.model.Event``."""
        self._events.labels(event, "success" if ok else "refused").inc()

    def watch(self, name: str, value: Callable[[], float]) -> None:
        """Ask ``value`` for the gauge ``name`` (of ``_GAUGES``) whenever this process samples."""
        self._watched[name] = value

    def add(self, collector: Collector) -> None:
        """Ask ``collector`` too, for what is the same whichever process answers and is stored by none."""
        self._collectors.append(collector)

    def sample(self) -> None:
        """Set what is watched, for whichever process answers the next scrape."""
        for name, value in self._watched.items():
            self._gauges[name].set(value())

    def exposition(self) -> bytes:
        """The metrics of all workers as text."""
        self.sample()
        shared = CollectorRegistry()
        for collector in self._collectors:
            shared.register(collector)
        return self._own() + generate_latest(shared)

    def _own(self) -> bytes:
        if not self._folder:
            return generate_latest(self.registry)
        _bury(Path(self._folder))
        registry = CollectorRegistry()
        MultiProcessCollector(registry, path=self._folder)  # type: ignore[no-untyped-call]
        return generate_latest(registry)


def may_read(environ: dict[str, Any], hosts: Collection[str]) -> bool:
    """Whether the peer is one of ``hosts``. A forwarded request never is: behind a proxy on this machine every
    stranger has a loopback address."""
    forwarded = any(name in environ for name in ("HTTP_X_FORWARDED_FOR", "HTTP_FORWARDED", "HTTP_X_REAL_IP"))
    return not forwarded and among(environ.get("REMOTE_ADDR", ""), hosts)


def _bury(folder: Path) -> None:
    """The gauges of a process that died without a word would be added to those of the living for ever."""
    for path in folder.glob("gauge_live*.db"):
        found = _LIVE.fullmatch(path.name)
        if found and not _lives(int(found[1])):
            mark_process_dead(int(found[1]), str(folder))  # type: ignore[no-untyped-call]


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
