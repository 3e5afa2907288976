"""How many facts of visits the record does not have yet, for Prometheus: read from the spool when /metrics is asked.

docs/adr/video-record.md; no label, and nothing of anybody.
"""

import logging
import sqlite3
from collections.abc import Callable, Iterator

from prometheus_client.core import GaugeMetricFamily

log = logging.getLogger("hearth.video")

_TEXTS = {
    "waiting": "Facts of visits on their way to the record.",
    "aside": "Facts of visits that could not be written and wait for a person.",
}


class SpoolGauges:
    """A collector of prometheus_client. ``counts`` gives (waiting, aside), None where no visits are held here."""

    def __init__(self, counts: Callable[[], tuple[int, int] | None]) -> None:
        self._counts = counts

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Nothing where there is no spool, or while its disk does not answer."""
        try:
            found = self._counts()
        except (sqlite3.Error, OSError) as error:
            log.warning("the spool of visits cannot be counted", extra={"error": type(error).__name__})
            return
        for (name, text), value in zip(_TEXTS.items(), found or (), strict=False):
            yield GaugeMetricFamily(f"hearth_video_facts_{name}", text, value=value)
