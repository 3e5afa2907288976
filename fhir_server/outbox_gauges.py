"""How many letters wait and how many were given up, for Prometheus: read from the queue when /metrics is asked.

docs/reminders.md; no label, and nothing of anybody.
"""

import logging
from collections.abc import Callable, Iterator

from prometheus_client.core import GaugeMetricFamily

from fhir_server.outbox.queue import Queue
from resources.errors import FhirError

log = logging.getLogger("hearth.outbox")


class LetterGauges:
    """A collector of prometheus_client; ``now`` in ms since 1970 UTC."""

    def __init__(self, queue: Queue, now: Callable[[], int]) -> None:
        self._queue, self._now = queue, now

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Nothing while the database does not answer."""
        try:
            counts = self._queue.counts()
        except FhirError as error:
            log.warning("letters cannot be counted", extra={"code": error.code})
            return
        waiting, due = counts.get("queued", (0, 0))
        late = max(0, self._now() - due) / 1000 if waiting else 0
        rows = (
            ("waiting", "Letters to patients that are planned and not sent yet.", waiting),
            ("late_seconds", "For how long the first letter that waits has been due.", late),
            ("failed", "Letters of the last weeks that could not be delivered.", counts.get("failed", (0, 0))[0]),
        )
        for name, text, value in rows:
            yield GaugeMetricFamily(f"hearth_letters_{name}", text, value=value)
