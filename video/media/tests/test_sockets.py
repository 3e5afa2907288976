"""The sockets of the process: one for each family, bounded turns, nothing that waits."""

import asyncio
import socket

import pytest

from video.media.counters import Counters, Dropped
from video.media.ice import Address
from video.media.sockets import BUSY, Port, bind


def test_loopback_alone_is_not_open_to_others() -> None:
    (bound,) = bind(("127.0.0.1",), 0)
    assert bound.getsockname()[0] == "127.0.0.1"
    with pytest.raises(OSError, match="in use"):
        bind(("127.0.0.1",), bound.getsockname()[1])
    bound.close()
    with pytest.raises(ValueError, match="nowhere"):
        bind(("nowhere",), 0)


def test_what_comes_is_handed_on_a_few_at_a_time() -> None:
    async def body() -> None:
        turns: list[list[bytes]] = [[]]

        def arrived(datagram: bytes, address: Address, port: Port, now: float) -> None:
            turns[-1].append(datagram)

        counters = Counters()
        port = Port(bind(("127.0.0.1",), 0)[0], counters, 4, arrived)
        other = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        for number in range(10):
            other.sendto(bytes([number]), ("127.0.0.1", port.port))
        while sum(map(len, turns)) < 10:
            await asyncio.sleep(0)
            turns.append([])
        assert [datagram[0] for turn in turns for datagram in turn] == list(range(10))
        assert max(map(len, turns)) <= 4
        port.send(bytes(70_000), ("127.0.0.1", other.getsockname()[1]))
        assert counters[Dropped.BLOCKED] == 1
        port.close()
        other.close()

    asyncio.run(body())


def test_a_busy_socket_is_looked_at_from_time_to_time_until_it_is_quiet() -> None:
    async def body() -> None:
        came: list[bytes] = []
        port = Port(
            bind(("127.0.0.1",), 0)[0], Counters(), 64, lambda datagram, address, port, now: came.append(datagram)
        )
        other = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        sent = 0
        while port._timer is None:  # as soon as they come fast enough
            port._gap = min(port._gap, BUSY)
            other.sendto(b"x", ("127.0.0.1", port.port))
            sent += 1
            await asyncio.sleep(0)
        while port._timer is not None:
            await asyncio.sleep(0.001)
        other.sendto(b"y", ("127.0.0.1", port.port))
        while len(came) < sent + 1:
            await asyncio.sleep(0.001)
        assert came[-1] == b"y"
        port.close()
        other.close()

    asyncio.run(asyncio.wait_for(body(), 20))


def test_a_busy_socket_outlives_a_datagram_that_nobody_foresaw() -> None:
    async def body() -> None:
        came: list[bytes] = []

        def arrived(datagram: bytes, address: Address, port: Port, now: float) -> None:
            came.append(datagram)
            if datagram == b"bad":
                raise RuntimeError

        told: list[dict[str, object]] = []
        asyncio.get_running_loop().set_exception_handler(lambda loop, context: told.append(context))
        port = Port(bind(("127.0.0.1",), 0)[0], Counters(), 64, arrived)
        other = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        while port._timer is None:
            port._gap = min(port._gap, BUSY)
            other.sendto(b"x", ("127.0.0.1", port.port))
            await asyncio.sleep(0)
        other.sendto(b"bad", ("127.0.0.1", port.port))
        while not told:
            await asyncio.sleep(0.001)
        other.sendto(b"y", ("127.0.0.1", port.port))
        while came[-1] != b"y":
            await asyncio.sleep(0.001)
        port.close()
        other.close()

    asyncio.run(asyncio.wait_for(body(), 5))
