"""The UDP sockets of the process: one for each family of addresses, all sessions on them.

RFC 8445 section 2.5; RFC 5764 section 5.1.2 for what becomes of a datagram by its first byte.
"""

import asyncio
import socket
from collections.abc import Callable
from ipaddress import ip_address

from video.media.counters import Counters, Dropped
from video.media.ice import Address

_BUFFER = 4 << 20
_LARGEST = 2048
REST, BUSY = 0.003, 0.0015
"""Seconds between two looks at a busy socket; between two datagrams that wake, below which it is busy."""


class Port:
    """One socket: ``arrived`` gets at most ``batch`` datagrams in one turn of the event loop.

    While datagrams come faster than every BUSY s they are fetched together, every REST s: to be woken for each costs
    several times what its way through here does.
    """

    def __init__(
        self, bound: socket.socket, counters: Counters, batch: int,
        arrived: "Callable[[bytes, Address, Port, float], None]",
    ) -> None:  # fmt: skip
        self._socket, self._counters, self._batch, self._arrived = bound, counters, batch, arrived
        self._loop = asyncio.get_running_loop()
        self._woken, self._gap, self._idle = 0.0, 1.0, 0
        self._timer: asyncio.TimerHandle | None = None
        self._loop.add_reader(bound.fileno(), self._readable)

    @property
    def port(self) -> int:
        return int(self._socket.getsockname()[1])

    def _readable(self) -> None:
        now = self._loop.time()
        self._gap += (min(1.0, now - self._woken) - self._gap) / 8
        self._woken = now
        self._fetch(now)
        if self._gap < BUSY:
            self._loop.remove_reader(self._socket.fileno())
            self._idle, self._timer = 0, self._loop.call_later(REST, self._rested)

    def _rested(self) -> None:
        now = self._loop.time()
        # First, so that whatever a datagram does the next look comes: without it the socket would be deaf for all.
        self._timer = again = self._loop.call_later(REST, self._rested)
        self._idle = 0 if self._fetch(now) else self._idle + 1
        if self._idle < 2:
            return
        again.cancel()
        self._timer, self._woken, self._gap = None, now, 2 * BUSY
        self._loop.add_reader(self._socket.fileno(), self._readable)

    def _fetch(self, now: float) -> int:
        """How many came."""
        receive, took = self._socket.recvfrom, self.took
        for number in range(self._batch):
            try:
                datagram, address = receive(_LARGEST)
            except (BlockingIOError, InterruptedError):
                return number
            except OSError:  # ICMP of somebody who is gone
                continue
            took(datagram, address, now)
        return self._batch

    def took(self, datagram: bytes, address: Address, now: float) -> None:
        """One datagram of the socket."""
        self._arrived(datagram, address, self, now)

    def send(self, datagram: bytes, address: Address) -> None:
        """At once or not at all: a queue here would only delay what comes later."""
        try:
            self._socket.sendto(datagram, address)
        except OSError:
            self._counters[Dropped.BLOCKED] += 1

    def close(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._loop.remove_reader(self._socket.fileno())
        self._socket.close()


def bind(addresses: tuple[str, ...], port: int) -> list[socket.socket]:
    """A socket for each family among ``addresses``, on the same port. Raises OSError, ValueError."""
    bound: list[socket.socket] = []
    for version in sorted({ip_address(address).version for address in addresses}):
        one = socket.socket(socket.AF_INET if version == 4 else socket.AF_INET6, socket.SOCK_DGRAM)
        one.setblocking(False)
        for option in (socket.SO_RCVBUF, socket.SO_SNDBUF):
            one.setsockopt(socket.SOL_SOCKET, option, _BUFFER)
        if version == 6:
            one.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        try:
            one.bind((_everywhere(addresses, version), bound[0].getsockname()[1] if bound else port))
        except OSError:
            for other in (*bound, one):
                other.close()
            raise
        bound.append(one)
    return bound


def _everywhere(addresses: tuple[str, ...], version: int) -> str:
    """Loopback alone when nothing else is named: nobody outside is to find the port then."""
    own = [ip_address(a) for a in addresses if ip_address(a).version == version]
    if len(own) == 1 and own[0].is_loopback:
        return str(own[0])
    return "0.0.0.0" if version == 4 else "::"
