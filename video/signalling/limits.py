"""How often somebody may ask: token buckets for each address and each session, and Retry-After.

RFC 6585 section 4 (429), RFC 9110 section 10.2.3 (Retry-After).
"""

import ipaddress
import math
from collections import OrderedDict
from collections.abc import Callable
from typing import NamedTuple

from video.errors import Refused


class Limit(NamedTuple):
    """``burst`` at once, then ``rate`` a second."""

    burst: float
    rate: float


LIMITS = {
    "join": Limit(60, 2),  # of an address: a whole clinic may have one
    "failure": Limit(20, 0.2),  # of an address: tickets and sessions that are none
    "session": Limit(30, 2),
    "socket": Limit(20, 0.5),
    "offer": Limit(10, 0.5),
    "restart": Limit(20, 1),
    "command": Limit(40, 10),
    "chat": Limit(10, 1),
    "file": Limit(10, 0.1),
    "fetch": Limit(60, 2),
}
_KEYS = 20_000


class TooOften(Refused):
    """``retry`` in whole seconds."""

    def __init__(self, retry: int) -> None:
        super().__init__("too-often", f"That was too often. Please try again in {retry} s.", 429)
        self.retry = retry


class Limits:
    """``clock`` in s. At most 20,000 buckets: the one that was idle longest goes, full or not."""

    def __init__(self, clock: Callable[[], float], limits: dict[str, Limit] = LIMITS) -> None:
        self._clock, self._limits = clock, limits
        self._buckets: OrderedDict[tuple[str, str], tuple[float, float]] = OrderedDict()

    def take(self, kind: str, who: str) -> None:
        """Raises TooOften."""
        left = self._left(kind, who)
        if left < 1:
            raise TooOften(self._retry(kind, left))
        self._put(kind, who, left - 1)

    def _left(self, kind: str, who: str) -> float:
        limit, now = self._limits[kind], self._clock()
        left, at = self._buckets.get((kind, who), (limit.burst, now))
        return min(limit.burst, left + (now - at) * limit.rate)

    def _put(self, kind: str, who: str, left: float) -> None:
        self._buckets[kind, who] = (left, self._clock())
        self._buckets.move_to_end((kind, who))
        while len(self._buckets) > _KEYS:
            self._buckets.popitem(last=False)

    def _retry(self, kind: str, left: float) -> int:
        return max(1, math.ceil((1 - left) / self._limits[kind].rate))


def network(address: str) -> str:
    """Who an address is for the limits: IPv6 hands out /64 networks, so their addresses count as one."""
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return address
    if ip.version == 4:
        return address
    return str(ipaddress.ip_network((ip, 64), strict=False))
