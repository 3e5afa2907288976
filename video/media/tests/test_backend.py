"""The media server with real clients: two aiortc peers hear and see each other, and nobody else does."""

import asyncio
from collections.abc import Awaitable, Callable

import aioice.ice
import pytest

from video.errors import Refused
from video.media.backend import ForwardingBackend
from video.media.tests.pair import LOOPBACK, Peer
from video.ports import MediaEvent, MediaState, Slot, Source


@pytest.fixture(autouse=True)
def loopback(monkeypatch: pytest.MonkeyPatch) -> None:
    """aioice does not gather 127.0.0.1 by itself."""
    monkeypatch.setattr(aioice.ice, "get_host_addresses", lambda use_ipv4, use_ipv6: ["127.0.0.1"])


def run(visit: Callable[[ForwardingBackend], Awaitable[None]]) -> None:
    async def all_of_it() -> None:
        backend = ForwardingBackend(LOOPBACK, 0)
        try:
            await visit(backend)
        finally:
            await backend.close()

    asyncio.run(asyncio.wait_for(all_of_it(), 60))


async def until(true: Callable[[], bool]) -> None:
    while not true():
        await asyncio.sleep(0.02)


def test_two_peers_see_each_other_after_permit_and_not_before() -> None:
    async def visit(backend: ForwardingBackend) -> None:
        events: list[MediaEvent] = []
        backend.listen(events.append)
        dark, light = Peer(backend, "r", "a", 60), Peer(backend, "r", "b", 200)
        await asyncio.gather(dark.join(), light.join())
        await asyncio.wait_for(until(lambda: sum(e.source is Source.CAMERA for e in events) == 2), 15)
        assert [backend.stats("r")[m].sent for m in "ab"] == [0, 0]
        backend.permit("r", frozenset("ab"))
        assert backend.slots("r", "a") == (Slot(0, "b"),)
        assert abs(await dark.brightness() - 200) < 12
        assert abs(await light.brightness() - 60) < 12
        await asyncio.wait_for(dark.tracks[0].recv(), 10)
        stats = backend.stats("r")
        assert stats["a"].received > 5 < stats["b"].sent
        assert stats["a"].lost == 0
        await asyncio.gather(dark.leave(), light.leave())
        await asyncio.wait_for(until(lambda: sum(e.state is MediaState.CLOSED for e in events) == 2), 15)

    run(visit)


def test_a_slot_changes_hands_without_a_break() -> None:
    async def visit(backend: ForwardingBackend) -> None:
        one, two, three = Peer(backend, "r", "a", 60), Peer(backend, "r", "b", 130), Peer(backend, "r", "c", 220)
        for peer in (one, two, three):
            await peer.join()
        backend.permit("r", frozenset("ab"))
        assert abs(await one.brightness() - 130) < 12
        backend.permit("r", frozenset("ac"))
        assert backend.slots("r", "a") == (Slot(0, "c"),)
        await asyncio.wait_for(one.closely(220), 15)
        for peer in (one, two, three):
            await peer.leave()

    run(visit)


def test_whoever_is_silenced_is_not_forwarded() -> None:
    async def visit(backend: ForwardingBackend) -> None:
        one, two = Peer(backend, "r", "a", 60), Peer(backend, "r", "b", 200)
        await asyncio.gather(one.join(), two.join())
        backend.permit("r", frozenset("ab"))
        await one.brightness()
        backend.silence("r", "b", frozenset(Source))
        before = backend.stats("r")["a"].sent
        await asyncio.sleep(0.5)
        assert backend.stats("r")["a"].sent == before
        backend.silence("r", "b", frozenset())
        assert abs(await one.brightness() - 200) < 12
        await asyncio.wait_for(until(lambda: backend.stats("r")["a"].sent > before), 5)
        await asyncio.gather(one.leave(), two.leave())

    run(visit)


def test_another_offer_of_a_member_ends_the_earlier_session() -> None:
    async def visit(backend: ForwardingBackend) -> None:
        events: list[MediaEvent] = []
        backend.listen(events.append)
        first, second = Peer(backend, "r", "a", 60), Peer(backend, "r", "a", 60)
        await first.join()
        await second.join()
        assert [(e.state, e.session) for e in events][:1] == [(MediaState.CLOSED, first.session)]
        with pytest.raises(Refused, match="no such"):
            await backend.leave(first.session)
        await backend.leave(second.session)
        assert backend.stats("r") == {}
        await asyncio.gather(first.leave(), second.leave())

    run(visit)
