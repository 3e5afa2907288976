"""What a tap hears: packets of those it names while they are permitted and not silenced, and of nobody else."""

import asyncio

import pytest

from video.media.backend import ForwardingBackend
from video.media.rtp import payload_start, starts_vp8_picture
from video.media.tests.pair import Peer
from video.media.tests.test_backend import loopback, run, until
from video.ports import Captured, Source

__all__ = ["loopback"]


def keys(heard: list[Captured]) -> list[bool]:
    return [starts_vp8_picture(one.packet, payload_start(one.packet)) for one in heard if one.codec == "vp8"]


def test_a_tap_hears_whom_it_names_while_they_are_permitted() -> None:
    async def visit(backend: ForwardingBackend) -> None:
        heard: list[Captured] = []
        tapped, other, outside = (Peer(backend, "r", name, 100, 2) for name in ("a", "b", "c"))
        await asyncio.gather(tapped.join(), other.join(), outside.join())
        backend.permit("r", frozenset("ab"))
        await until(lambda: all(s.received > 20 for s in backend.stats("r").values()))
        backend.tap("r", frozenset("ac"), heard.append)
        await until(lambda: any(keys(heard)) and any(one.codec == "opus" for one in heard))
        assert {one.member for one in heard} == {"a"}
        assert {one.source for one in heard} == {Source.MICROPHONE, Source.CAMERA}
        backend.silence("r", "a", frozenset({Source.CAMERA}))
        heard.clear()
        await until(lambda: len(heard) > 20)
        assert {one.source for one in heard} == {Source.MICROPHONE}
        await ends(backend, heard)
        for peer in (tapped, other, outside):
            await peer.leave()

    run(visit)


async def ends(backend: ForwardingBackend, heard: list[Captured]) -> None:
    """No packet more from the very moment."""
    backend.permit("r", frozenset("b"))
    heard.clear()
    before = backend.stats("r")["a"].received
    await until(lambda: backend.stats("r")["a"].received > before + 20)
    backend.permit("r", frozenset("ab"))
    backend.tap("r", frozenset(), None)
    before = backend.stats("r")["a"].received
    await until(lambda: backend.stats("r")["a"].received > before + 20)
    assert heard == []


def test_a_tap_that_was_never_laid_is_taken_away_quietly() -> None:
    async def visit(backend: ForwardingBackend) -> None:
        backend.tap("nowhere", frozenset(), None)
        assert backend.slots("nowhere", "a") == ()

    run(visit)


@pytest.mark.parametrize("members", [frozenset("a"), frozenset[str]()])
def test_a_room_is_forgotten_only_when_its_tap_is_gone(members: frozenset[str]) -> None:
    async def visit(backend: ForwardingBackend) -> None:
        backend.tap("r", members, lambda packet: None)
        backend.permit("r", frozenset())
        assert "r" in backend._rooms
        backend.tap("r", frozenset(), None)
        assert "r" not in backend._rooms

    run(visit)
