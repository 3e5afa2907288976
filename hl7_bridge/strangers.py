"""Who was turned away at the door without being a sender: counted, so that somebody sees it, and not kept.

Ours. Reasons are words of this program, never of a message.
"""

from collections import Counter
from threading import Lock
from time import time

from hl7_bridge.journal.strangers import KEPT, Stranger

_OTHERS = "others"
"""The address of all beyond the most that are counted one by one between two rounds of upkeep."""

NOBODY = "No sender of the site kit comes from this address or with this certificate."
UNKNOWN = "MSH-3 and MSH-4 are no sender's that comes from this address."
UNREADABLE = "What came is no message."
UNFINISHED = "What came had no end block, or was larger than what is taken."


class Strangers:
    """Safe for all threads."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._counted: Counter[tuple[str, str]] = Counter()
        self._last: dict[tuple[str, str], int] = {}

    def note(self, address: str, reason: str) -> None:
        """One more."""
        with self._lock:
            key = (address, reason)
            if key not in self._counted and len(self._counted) >= KEPT:
                key = (_OTHERS, reason)
            self._counted[key] += 1
            self._last[key] = int(time() * 1000)

    def drain(self) -> list[Stranger]:
        """What was counted since the last time."""
        with self._lock:
            counted, last = self._counted, self._last
            self._counted, self._last = Counter(), {}
        return [Stranger(*key, count, last[key]) for key, count in counted.items()]
