"""The clock of the visits: wall time that never jumps.

Ours; what runs by the wall clock would end visits early when somebody sets it.
"""

import time


class Clock:
    """ms since 1970 UTC, as of the start and counted on by the monotonic clock."""

    def __init__(self) -> None:
        self._start = time.time_ns() - time.monotonic_ns()

    def now(self) -> int:
        return (self._start + time.monotonic_ns()) // 1_000_000
