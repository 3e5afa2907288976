"""How much the way from a participant carries: how much later each burst comes than the time at which it was sent says.

draft-ietf-rmcat-gcc-02 sections 4 and 5, draft-alvestrand-rmcat-remb-03 section 2 (abs-send-time).
"""

import math
from collections import deque

from aiortc.rate import AimdRateControl, BandwidthUsage, OveruseDetector

GROUP = 5 << 18
"""Packets that were sent within 5 ms are weighed together: thousandths of the clock of abs-send-time."""
_WINDOW = 1000
_BURST = 5
_PAUSE = 2000
_HISTORY, _MOST = 60, 1000
_NORMAL, _OVERUSING = BandwidthUsage.NORMAL, BandwidthUsage.OVERUSING


class Filter:
    """By how many ms the way delays each group more than the one before it: a Kalman filter of two states, the time
    that an octet takes and that growth. It says what aiortc's OveruseEstimator says, in a third of the time.
    """

    __slots__ = (
        "_cross", "_mean", "_noise", "_periods", "_slope", "_spread_offset", "_spread_slope",
        "before", "count", "offset",
    )  # fmt: skip

    def __init__(self) -> None:
        self.count, self.offset, self.before = 0, 0.0, 0.0
        self._slope = 1 / 64
        self._spread_slope, self._cross, self._spread_offset = 100.0, 0.0, 0.1
        self._mean, self._noise = 0.0, 50.0
        self._periods: deque[float] = deque(maxlen=_HISTORY)

    def update(self, arrived: float, apart: float, size: int, usage: BandwidthUsage) -> None:
        """A group came ``arrived`` ms after the last, was sent ``apart`` ms after it and is ``size`` octets larger."""
        period = min(apart, min(self._periods, default=apart))
        self._periods.append(apart)
        self.count = min(self.count + 1, _MOST)
        self._spread_slope += 1e-13
        turning = self.offset < self.before if usage is _OVERUSING else self.offset > self.before
        self._spread_offset += 0.011 if turning and usage is not _NORMAL else 0.001
        residual = arrived - apart - self._slope * size - self.offset
        if usage is _NORMAL:
            self._hear(residual, period)
        self._correct(residual, size)

    def _hear(self, residual: float, period: float) -> None:
        """What is noise: residuals while nothing is overused, outliers cut at three deviations."""
        most = 3 * math.sqrt(self._noise)
        residual = max(-most, min(most, residual))
        keep = (0.998 if self.count > 300 else 0.99) ** (period * 0.03)
        self._mean = keep * self._mean + (1 - keep) * residual
        self._noise = max(1.0, keep * self._noise + (1 - keep) * (self._mean - residual) ** 2)

    def _correct(self, residual: float, size: int) -> None:
        slope, cross, offset = self._spread_slope, self._cross, self._spread_offset
        by_slope, by_offset = slope * size + cross, cross * size + offset
        weight = self._noise + size * by_slope + by_offset
        gain_slope, gain_offset = by_slope / weight, by_offset / weight
        self._spread_slope = slope - gain_slope * by_slope
        self._cross = cross - gain_slope * by_offset
        self._spread_offset = offset - gain_offset * by_offset
        self.before = self.offset
        self._slope += gain_slope * residual
        self.offset += gain_offset * residual


class Estimate:
    """Of one session. Nothing but sums is done for a packet; the filter runs for each group of them."""

    __slots__ = (
        "_arrived", "_before", "_control", "_detector", "_filter", "_first", "_last", "_origin", "_size", "_took",
        "_total", "_updated", "_window",
    )  # fmt: skip

    def __init__(self) -> None:
        self._filter, self._detector, self._control = Filter(), OveruseDetector(), AimdRateControl()
        self._first = self._last = -1
        self._arrived, self._size = 0, 0
        self._before: tuple[int, int, int] | None = None
        self._window: deque[tuple[int, int]] = deque()
        self._total, self._origin, self._updated = 0, -1, -1
        self._took = 0

    def add(self, sent: int, size: int, now: float) -> int:
        """bit/s, 0 while nothing is known. ``sent`` in 2**-18 s, 24 bits; ``size`` in octets; ``now`` in s."""
        ahead = sent - self._first & 0xFFFFFF
        if ahead * 1000 > GROUP or self._first < 0:
            return self._further(sent, size, int(now * 1000), ahead)
        if sent - self._last & 0xFFFFFF < 0x800000:
            self._last = sent
        self._arrived = int(now * 1000)
        self._size += size
        return self._took

    def _further(self, sent: int, size: int, now: int, ahead: int) -> int:
        """A packet of another group, of a burst that arrives faster than it was sent, or one that is late."""
        if now - self._arrived > _PAUSE:
            self._before = None
        elif self._first >= 0:
            if ahead >= 0x800000:
                self._count(now, size)
                return self._took
            if self._of_burst(sent, now):
                self._last, self._arrived, self._size = sent, now, self._size + size
                return self._took
            self._closed(now)
        self._first = self._last = sent
        self._arrived, self._size = now, size
        return self._took

    def _of_burst(self, sent: int, now: int) -> bool:
        later, apart = now - self._arrived, round((sent - self._last & 0xFFFFFF) * 1000 / 0x40000)
        return apart == 0 or (later < apart and later <= _BURST)

    def _closed(self, now: int) -> None:
        """The group is complete: it is compared with the one before."""
        self._count(self._arrived, self._size)
        if self._before is not None:
            last, arrived, size = self._before
            apart = (self._last - last & 0xFFFFFF) * 1000 / 0x40000
            found = self._filter
            found.update(self._arrived - arrived, apart, self._size - size, self._detector.state())
            self._detector.detect(found.offset, apart, found.count, now)
        self._before = (self._last, self._arrived, self._size)
        overused = self._detector.state() is _OVERUSING
        if overused or self._updated < 0 or now - self._updated > self._control.feedback_interval():
            self._decide(now)

    def _decide(self, now: int) -> None:
        took = self._control.update(self._detector.state(), self._rate(now), now)
        if took is not None:
            self._updated, self._took = now, took

    def _count(self, now: int, size: int) -> None:
        self._forget(now)
        if not self._window:
            self._origin = now
        self._window.append((now, size))
        self._total += size

    def _forget(self, now: int) -> None:
        window = self._window
        while window and window[0][0] <= now - _WINDOW:
            self._total -= window.popleft()[1]

    def _rate(self, now: int) -> int | None:
        """bit/s of the last second, None when too little came."""
        self._forget(now)
        over = min(_WINDOW, now - self._origin + 1)
        return round(8000 * self._total / over) if self._window and over > 1 else None
