"""How every peer stands: what waits, what a person must look at, and whether a sender is silent for too long.

Ours. A sender's usual pace is learned from its own messages unless the site kit says how long it may be silent.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from threading import Lock
from typing import Any

from hl7_bridge.journal import SqlJournal, Standing
from hl7_bridge.ports import State
from hl7_bridge.site.model import DEFAULT, Sender, Site

LEARNED_FROM = 500
"""Messages, the newest of a sender, whose pauses tell what is usual."""
_FEWEST = 20
_TIMES = 2
_LEAST = 15 * 60
"""Without a word in the site kit a silence is an alarm from this many times the longest of those pauses, and never
before this many seconds."""
_KEPT = 5_000
"""Milliseconds that an answer is given again, however many ask."""


@dataclass(frozen=True, slots=True)
class Peer:
    """A sender (``in``) or receiver (``out``). Counts are of messages that are not at their good end; ``oldest`` is
    when the first that waits was received, ``last`` when the newest came (ms since 1970 UTC, 0 when there is none);
    ``quiet_seconds`` how long a sender may be silent (0: for ever, or nothing is known yet)."""

    direction: str
    name: str
    known: bool = True
    """Whether the site kit has it."""
    waiting: int = 0
    held: int = 0
    rejected: int = 0
    dead: int = 0
    oldest: int = 0
    last: int = 0
    quiet_seconds: int = 0
    silent: bool = False
    unmapped: int = 0


_COUNTED = {State.RECEIVED: "waiting", State.HELD: "held", State.REJECTED: "rejected", State.DEAD: "dead"}


class Watch:
    """Safe for all threads. ``now`` in ms since 1970 UTC."""

    def __init__(self, journal: SqlJournal, site: Callable[[], Site], now: Callable[[], int]) -> None:
        self._journal, self._site, self._now = journal, site, now
        self._lock = Lock()
        self._made = -_KEPT
        self._peers: Sequence[Peer] = ()

    def peers(self) -> Sequence[Peer]:
        """Senders, then receivers, by name. Raises Unavailable."""
        with self._lock:
            now = self._now()
            if not 0 <= now - self._made < _KEPT:
                self._peers = self._look(now)
                self._made = now
            return self._peers

    def _look(self, now: int) -> Sequence[Peer]:
        site = self._site()
        standings = self._journal.standings()
        codes = self._journal.open_codes()
        kit = {("in", sender.name): sender for sender in site.senders}
        out = {("out", receiver.name) for receiver in site.receivers}
        met = {(each.direction, each.sender) for each in standings} | {("in", name) for name in codes}
        names = sorted({*kit, *out, *met, ("in", DEFAULT.name)})
        peers = (self._peer(key, kit.get(key), key in kit or key in out, standings, now) for key in names)
        counted = (
            replace(peer, unmapped=codes.get(peer.name, 0)) if peer.direction == "in" else peer for peer in peers
        )
        return [peer for peer in counted if peer.name != DEFAULT.name or peer.last or peer.known]

    def _peer(
        self, key: tuple[str, str], sender: Sender | None, known: bool, standings: Sequence[Standing], now: int
    ) -> Peer:
        mine = {each.state: each for each in standings if (each.direction, each.sender) == key}
        counts: dict[str, Any] = {name: mine[state].count for state, name in _COUNTED.items() if state in mine}
        waits = mine.get(State.RECEIVED)
        peer = Peer(*key, known=known, oldest=waits.oldest if waits else 0, **counts)
        return self._heard(peer, sender or DEFAULT, now) if peer.direction == "in" else peer

    def _heard(self, peer: Peer, sender: Sender, now: int) -> Peer:
        came = self._journal.arrivals(peer.name, LEARNED_FROM)
        stated = sender.silence_minutes
        quiet = learned(came) if stated is None else stated * 60
        last = came[0] if came else 0
        return replace(peer, last=last, quiet_seconds=quiet, silent=bool(last and quiet and now - last > quiet * 1000))


def learned(came: Sequence[int]) -> int:
    """Seconds of silence that are unusual after messages that ``came`` (ms, newest first); 0 while they are too few."""
    if len(came) < _FEWEST:
        return 0
    longest = max(newer - older for newer, older in pairwise(came))
    return max(_LEAST, _TIMES * longest // 1000)
