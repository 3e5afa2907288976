"""How the bridge stands, for Prometheus: read from the journal when /metrics is asked, whether the bridge runs or not.

Labels are names of the site kit and states, never a patient's data.
"""

import logging
from collections.abc import Callable, Iterator, Sequence

from prometheus_client.core import GaugeMetricFamily

from hl7_bridge.watch import Peer, Watch
from resources.errors import FhirError

log = logging.getLogger("hearth.hl7")

_STATES = (("received", "waiting"), ("held", "held"), ("rejected", "rejected"), ("dead", "dead"))


class JournalGauges:
    """A collector of prometheus_client. ``now`` in ms since 1970 UTC."""

    def __init__(self, watch: Watch, now: Callable[[], int]) -> None:
        self._watch, self._now = watch, now

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Nothing while the database is away."""
        try:
            peers = self._watch.peers()
        except FhirError as error:
            log.warning("the journal cannot be watched", extra={"code": error.code})
            return
        yield from _counts(peers)
        yield from _ages(peers, self._now())


def _counts(peers: Sequence[Peer]) -> Iterator[GaugeMetricFamily]:
    messages = _gauge("messages", "Messages that are not applied or delivered.", "direction", "peer", "state")
    codes = _gauge("unmapped_codes", "Codes of a sender that nobody has mapped.", "sender")
    silent = _gauge("sender_silent", "1 when a sender is silent for longer than it may be, else 0.", "sender")
    for peer in peers:
        for state, name in _STATES:
            messages.add_metric([peer.direction, peer.name, state], getattr(peer, name))
        if peer.direction == "in":
            codes.add_metric([peer.name], peer.unmapped)
            silent.add_metric([peer.name], peer.silent)
    yield from (messages, codes, silent)


def _ages(peers: Sequence[Peer], now: int) -> Iterator[GaugeMetricFamily]:
    oldest = _gauge("oldest_seconds", "Age of the oldest message that waits, 0 for none.", "direction", "peer")
    silence = _gauge("silence_seconds", "Since the last message of a sender.", "sender")
    for peer in peers:
        oldest.add_metric([peer.direction, peer.name], max(0.0, (now - peer.oldest) / 1000) if peer.oldest else 0.0)
        if peer.last:
            silence.add_metric([peer.name], max(0.0, (now - peer.last) / 1000))
    yield from (oldest, silence)


def _gauge(name: str, text: str, *labels: str) -> GaugeMetricFamily:
    return GaugeMetricFamily(f"hearth_hl7_{name}", text, labels=labels)
