"""The clock of the visits: wall time that does not jump while somebody sets it, and follows in time.

Ours; a grace that is measured by the wall clock would end at once when that is set.
"""

import time
from collections.abc import Callable

_OFF = 2_000
"""ms that the wall clock may differ before it is followed: set by hand, or the machine slept."""


class Clock:
    """ms since 1970 UTC, as of the last look at the wall clock and counted on by the monotonic one; both in ns."""

    def __init__(
        self, wall: Callable[[], int] = time.time_ns, monotonic: Callable[[], int] = time.monotonic_ns
    ) -> None:
        self._wall, self._monotonic = wall, monotonic
        self._start = wall() - monotonic()

    def now(self) -> int:
        return (self._start + self._monotonic()) // 1_000_000

    def wall(self) -> int:
        """s since 1970 UTC of the wall clock itself, for what others have dated by theirs."""
        return self._wall() // 1_000_000_000

    def follow(self) -> None:
        """From time to time: what the record is told must not stay wrong."""
        if abs(self._wall() // 1_000_000 - self.now()) > _OFF:
            self._start = self._wall() - self._monotonic()
