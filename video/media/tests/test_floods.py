"""Whoever sends too much, or what is not theirs: refused, counted, bounded, and a visit in another room goes on."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

from pylibsrtp import Policy
from pylibsrtp import Session as Keys

from video.media import rtcp
from video.media.backend import ForwardingBackend
from video.media.counters import Dropped
from video.media.limits import Limits
from video.media.sdp import Credentials
from video.media.session import Session
from video.media.srtp import Turned, opening, sealing
from video.media.tests.pair import Peer
from video.media.tests.wire import Stranger, Watched, check
from video.media.transport import WAITING

Run = Callable[..., None]
OFFER = (Path(__file__).parent / "offer.sdp").read_text()
HELLO = b"\x16\xfe\xfd\0\0\0\0\0\0\0%c\0\x40\1\0\x20\0\0%c\0\0\0\0\0\x34" + bytes(52)
"""The first piece of a ClientHello of 8 kB, that never ends."""
MANY = 400


def hellos() -> list[bytes]:
    return [HELLO % (n & 255, n & 255) for n in range(MANY)]


async def quiet(backend: ForwardingBackend) -> tuple[Peer, Peer]:
    """A visit that goes on."""
    one, two = Peer(backend, "quiet", "a", 60), Peer(backend, "quiet", "b", 200)
    await asyncio.gather(one.join(), two.join())
    backend.permit("quiet", frozenset("ab"))
    await asyncio.wait_for(asyncio.gather(one.closely(200), two.closely(60)), 30)
    return one, two


async def goes_on(backend: ForwardingBackend, visit: tuple[Peer, Peer]) -> None:
    """Pictures come in both directions, and none of the server's packets are missing."""
    for _ in range(5):
        await asyncio.gather(*(peer.brightness() for peer in visit))
    assert {member: stats.lost for member, stats in backend.stats("quiet").items()} == {"a": 0, "b": 0}
    await asyncio.gather(*(peer.leave() for peer in visit))


def test_strangers_get_no_answer_and_leave_no_trace(visit: Run) -> None:
    async def body(backend: ForwardingBackend, port: Watched) -> None:
        pair = await quiet(backend)
        known = backend._found(pair[0].session).ufrags[0]
        sessions, addresses = dict(backend._sessions), dict(backend._by_address)
        stranger = Stranger(backend.port)
        await stranger.flood([check(Credentials("nobodyatall12345", known.password))] * MANY)
        await stranger.flood([check(Credentials(known.ufrag, "x" * 32))] * 20)
        await stranger.flood([b"\0\1\0\x08\x21\x12\xa4\x42" + bytes(n & 31) for n in range(MANY)])
        await stranger.flood(hellos())
        await stranger.flood([b"\x80\x60" + bytes(60)] * MANY)
        while backend.counters.total() < 4 * MANY + 20:
            await asyncio.sleep(0.02)
        assert stranger.heard() == []
        assert backend.counters[Dropped.STUN] == 2 * MANY
        assert backend.counters[Dropped.INTEGRITY] + backend.counters[Dropped.FLOOD] == 20
        assert backend.counters[Dropped.UNKNOWN] >= 2 * MANY
        assert (backend._sessions, backend._by_address) == (sessions, addresses)
        stranger.close()
        await goes_on(backend, pair)

    visit(body)


def test_handshakes_that_never_end_are_bounded(visit: Run) -> None:
    async def body(backend: ForwardingBackend, port: Watched) -> None:
        pair = await quiet(backend)
        session, _ = await backend.offer("loud", "c", OFFER)
        found = backend._found(session)
        stranger = Stranger(backend.port)
        await stranger.flood([check(found.ufrags[0])])
        while not stranger.heard():
            await asyncio.sleep(0.02)
        for _ in range(3):
            for hello in hellos():
                found.handshake(hello)
            assert found._dtls._wire.arrived.qsize() <= WAITING
            await stranger.flood(hellos())
            await asyncio.sleep(0.05)
        assert backend.counters[Dropped.FLOOD] >= 3 * (MANY - WAITING)
        assert not found.ready
        assert sum(map(len, stranger.heard())) < 3 * MANY * len(HELLO)
        await stranger.flood([check(found.ufrags[0])] * MANY)
        while backend.counters[Dropped.FLOOD] < 3 * (MANY - WAITING) + 200:
            await asyncio.sleep(0.02)
        stranger.close()
        await goes_on(backend, pair)

    visit(body)


def test_too_many_packets_and_wrong_keys_harm_nobody_else(visit: Run) -> None:
    limits = Limits(room_packets=600, session_packets=300)

    async def body(backend: ForwardingBackend, port: Watched) -> None:
        pair = await quiet(backend)
        loud = Peer(backend, "loud", "c", 100)
        await loud.join()
        while not backend.stats("loud")["c"].received:
            await asyncio.sleep(0.02)
        ice = loud.pc.getTransceivers()[0].sender.transport.transport
        for _ in range(4):
            for number in range(MANY):
                await ice._send(b"\x80\x60" + number.to_bytes(2, "big") + bytes(40))
            await asyncio.sleep(0.02)
        while backend.counters[Dropped.CAP] < MANY:
            await asyncio.sleep(0.02)
        assert 0 < backend.counters[Dropped.SRTP] < 4 * MANY
        await loud.leave()
        await goes_on(backend, pair)

    visit(body, limits)


def test_streams_that_were_not_offered_are_few(visit: Run) -> None:
    """Right keys and one SSRC after the other: no more of them are remembered than a page can need."""

    async def body(backend: ForwardingBackend, port: Watched) -> None:
        loud = Peer(backend, "loud", "c", 100)
        await loud.join()
        while not backend.stats("loud")["c"].received:
            await asyncio.sleep(0.02)
        found, transport = backend._found(loud.session), loud.pc.getTransceivers()[0].sender.transport
        kind = found.offer.lines[0].codecs[0].payload_type
        for ssrc in range(100):
            await transport._send_rtp(bytes([0x80, kind, 0, ssrc, 0, 0, 0, 0]) + ssrc.to_bytes(4, "big") + bytes(20))
        while backend.counters[Dropped.STRANGE] < 100 - backend._limits.streams:
            await asyncio.sleep(0.02)
        assert len(found._streams) <= backend._limits.streams
        await loud.leave()

    visit(body)


def keyed(backend: ForwardingBackend, id: str) -> tuple[Session, Turned, Turned]:
    """The session with keys that the test knows, and what seals RTP and RTCP for it."""
    key, found = bytes(range(30)), backend._found(id)
    found._unprotect, found._unprotect_rtcp = opening(Keys(Policy(key=key, ssrc_type=Policy.SSRC_ANY_INBOUND)))
    outward = sealing(Keys(Policy(key=key, ssrc_type=Policy.SSRC_ANY_OUTBOUND)))
    found._protect, found._protect_rtcp = outward
    found.ready = True
    return found, *outward


def inside(body: Callable[[ForwardingBackend], Any]) -> None:
    """A server without peers."""

    async def all_of_it() -> None:
        backend = ForwardingBackend(("127.0.0.1",), 0)
        try:
            await body(backend)
        finally:
            await backend.close()

    asyncio.run(asyncio.wait_for(all_of_it(), 20))


def test_libsrtp_is_given_few_ssrcs_to_remember() -> None:
    """It keeps a stream for each that it ever opened a packet of, RTP or RTCP, for as long as the session lasts."""

    async def body(backend: ForwardingBackend) -> None:
        found, seal, seal_rtcp = keyed(backend, (await backend.offer("loud", "c", OFFER))[0])
        opened: list[bytes] = []

        def noted(turn: Turned) -> Turned:
            def turned(packet: bytes) -> bytes:
                opened.append(packet)
                return turn(packet)

            return turned

        found._unprotect, found._unprotect_rtcp = noted(found._unprotect), noted(found._unprotect_rtcp)
        for ssrc in range(1, MANY):
            found.received(seal(b"\x80\x7f\0\1\0\0\0\0" + ssrc.to_bytes(4, "big") + bytes(20)), 1.0)
            found.received(seal_rtcp(rtcp.receiver_report(ssrc << 16, ())), 1.0)
        assert len(opened) == backend._limits.ssrcs
        assert backend.counters[Dropped.SRTP] == 0 < backend.counters[Dropped.STRANGE]
        found.received(seal(b"\x80\x7f\0\2\0\0\0\0\0\0\0\1" + bytes(20)), 1.0)
        assert len(opened) == backend._limits.ssrcs + 1  # what is known already goes on being opened

    inside(body)


def test_rtcp_asks_for_so_much_work_in_a_second_and_no_more() -> None:
    async def body(backend: ForwardingBackend) -> None:
        found, _, seal_rtcp = keyed(backend, (await backend.offer("loud", "c", OFFER))[0])
        asked: list[int] = []
        for downlink in found.downlinks.values():
            downlink.resend = lambda sequences: asked.append(len(sequences))  # type: ignore[method-assign]
        ssrc, every = next(iter(found._by_ssrc)), b"\0\0\xff\xff" * rtcp.MOST
        nack = b"\x81\xcd" + (2 + rtcp.MOST).to_bytes(2, "big") + bytes(4) + ssrc.to_bytes(4, "big") + every
        for _ in range(MANY):
            found.received(seal_rtcp(nack * 5), 1.0)
        assert 0 < sum(asked) < 10 * backend._limits.control_octets
        assert backend.counters[Dropped.CAP]
        found.tick(2.0, MANY)
        before = len(asked)
        found.received(seal_rtcp(nack), 2.0)
        assert len(asked) == before + 1

    inside(body)
