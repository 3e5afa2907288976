"""The built-in MediaBackend: sessions by offer, packets by address.

video.ports.MediaBackend; RFC 9725 (WHIP), RFC 8445 (ICE-lite), RFC 5764 section 5.1.2.
"""

import asyncio
import time
from collections import defaultdict
from collections.abc import Callable

from aiortc.rtcdtlstransport import RTCCertificate

from video.errors import Refused
from video.media.counters import Counters, Dropped
from video.media.ice import Address, Agent
from video.media.limits import Limits
from video.media.rooms import MediaRoom
from video.media.sdp import Answering, Credentials, parse_fragment, parse_offer, write_answer, write_fragment
from video.media.session import Session
from video.media.sockets import Port, bind
from video.media.transport import fingerprint
from video.ports import MediaEvent, MediaState, MediaStats, Sink, Slot, Source

_CERTIFICATE = RTCCertificate.generateCertificate
TICK = 1.0


class ForwardingBackend:
    """Made in the event loop. ``addresses`` are the IP addresses at which browsers reach UDP ``port`` (0: any free).
    ``opened`` is another Port for tests and bars, one that loses datagrams or keeps a list of them.

    Raises OSError when the port is taken, ValueError for what is no address.
    """

    def __init__(
        self, addresses: tuple[str, ...], port: int, limits: Limits | None = None, opened: type[Port] = Port
    ) -> None:
        self._limits = limits or Limits()
        self._largest = self._limits.largest
        self.counters: Counters = Counters()
        self._addresses = addresses
        self._ports = [opened(s, self.counters, self._limits.batch, self._arrived) for s in bind(addresses, port)]
        self.port = self._ports[0].port
        self._certificate = _CERTIFICATE()
        self._fingerprint = fingerprint(self._certificate)
        self._agent = Agent(self.counters)
        self._rooms: defaultdict[str, MediaRoom] = defaultdict(MediaRoom)
        self._sessions: dict[str, Session] = {}
        self._by_address: dict[Address, Session] = {}
        self._listeners: list[Callable[[MediaEvent], None]] = []
        self._ending: set[asyncio.Task[None]] = set()
        self._loop = asyncio.get_running_loop()
        self._timer = self._loop.call_later(TICK, self._tick)

    # Signalling

    async def offer(self, room: str, member: str, sdp: str) -> tuple[str, str]:
        """(session, answer). Raises Refused: malformed, too-large, busy, full."""
        offer = parse_offer(sdp)
        if not any(line.codecs for line in offer.lines):
            raise Refused("codecs", "The browser offers no codec that can be forwarded.")
        self._room_for(room, member)
        self._end_earlier(room, member)
        session = Session(
            room, member, offer, self._ports[0], self._certificate, self.counters, self._limits, self._told, self._gone
        )
        self._sessions[session.id] = self._rooms[room].sessions[member] = session
        answer = write_answer(offer, self._answering(session))
        self._rooms[room].connect(self._loop.time())
        return session.id, answer

    def _room_for(self, room: str, member: str) -> None:
        present = self._rooms[room].sessions
        if len(self._sessions) >= self._limits.sessions:
            raise Refused("busy", "The video service is full.", 503)
        if member not in present and len(present) >= self._limits.of_room:
            raise Refused("full", "The room is full.", 409)

    def _answering(self, session: Session) -> Answering:
        credentials = Credentials.fresh()
        session.ufrags.append(credentials)
        self._agent.add(session, credentials)
        return Answering(credentials, self._fingerprint, self._addresses, self.port, session.sending)

    async def restart(self, session: str, fragment: str) -> str:
        """New credentials under the same DTLS; those of before hold until the first check with the new ones."""
        found = self._found(session)
        parse_fragment(fragment)
        while len(found.ufrags) > 1:
            self._agent.remove(found.ufrags.pop())
        return write_fragment(found.offer, self._answering(found))

    async def leave(self, session: str) -> None:
        self._end(self._found(session))

    def _found(self, session: str) -> Session:
        found = self._sessions.get(session)
        if found is None:
            raise Refused("media", "There is no such media session.", 404)
        return found

    def permit(self, room: str, members: frozenset[str]) -> None:
        if not members and room not in self._rooms:
            return
        self._rooms[room].permitted = members
        self._rooms[room].connect(self._loop.time())
        self._forget(room)

    def silence(self, room: str, member: str, sources: frozenset[Source]) -> None:
        if not sources and room not in self._rooms:
            return
        self._rooms[room].silenced[member] = sources
        if not sources:
            del self._rooms[room].silenced[member]
        self._rooms[room].connect(self._loop.time())
        self._forget(room)

    def tap(self, room: str, members: frozenset[str], sink: Sink | None) -> None:
        if sink is None and room not in self._rooms:
            return
        self._rooms[room].tap(members, sink, self._loop.time())
        self._forget(room)

    def slots(self, room: str, member: str) -> tuple[Slot, ...]:
        return self._rooms[room].slots(member) if room in self._rooms else ()

    def stats(self, room: str) -> dict[str, MediaStats]:
        return {m: s.stats() for m, s in self._rooms[room].sessions.items()} if room in self._rooms else {}

    def listen(self, told: Callable[[MediaEvent], None]) -> None:
        self._listeners.append(told)

    async def close(self) -> None:
        """End every session and let go of the port."""
        self._timer.cancel()
        for session in list(self._sessions.values()):
            self._end(session)
        await asyncio.gather(*self._ending, return_exceptions=True)
        for port in self._ports:
            port.close()

    # What happens to sessions

    def _told(self, session: Session, state: MediaState, source: Source | None) -> None:
        event = MediaEvent(state, session.room, session.member, session.id, time.time_ns() // 1_000_000, source)
        if state is MediaState.CONNECTED and session.id in self._sessions:
            self._rooms[session.room].connect(self._loop.time())
        for told in self._listeners:
            told(event)

    def _gone(self, session: Session) -> None:
        self._end(session)

    def _end_earlier(self, room: str, member: str) -> None:
        earlier = self._rooms[room].sessions.get(member)
        if earlier is not None:
            self._end(earlier)

    def _end(self, session: Session) -> None:
        if self._sessions.pop(session.id, None) is None:
            return
        for credentials in session.ufrags:
            self._agent.remove(credentials)
        for address in session.addresses:
            self._by_address.pop(address, None)
        room = self._rooms[session.room]
        room.sessions.pop(session.member, None)
        room.connect(self._loop.time())
        task = self._loop.create_task(session.stop())
        self._ending.add(task)
        task.add_done_callback(self._ending.discard)
        self._told(session, MediaState.CLOSED, None)
        self._forget(session.room)

    def _forget(self, room: str) -> None:
        """A room of which nothing is left."""
        known = self._rooms.get(room)
        if known is not None and not (known.sessions or known.permitted or known.silenced or known.sink):
            del self._rooms[room]

    # Datagrams

    def _arrived(self, datagram: bytes, address: Address, port: Port, now: float) -> None:
        """By the first byte: 0..3 STUN, 20..63 DTLS, 128..191 RTP and RTCP; the rest is nobody's."""
        first = datagram[0] if datagram else 255
        if first < 4:
            return self._checked(datagram, address, port, now)
        session = self._by_address.get(address)
        if session is None or len(datagram) > self._largest:
            self.counters[Dropped.UNKNOWN if session is None else Dropped.SIZE] += 1
        elif 128 <= first < 192:
            session.received(datagram, now)
        elif 20 <= first < 64:
            session.handshake(datagram)
        return None

    def _checked(self, datagram: bytes, address: Address, port: Port, now: float) -> None:
        check = self._agent.check(datagram, address)
        if check is None:
            return
        session = check.owner
        assert isinstance(session, Session)
        port.send(check.answer, address)
        self._settle_credentials(session, check.ufrag)
        if check.nominated or not session.address:
            session.wire = port
        if session.checked(address, check.nominated, now):
            self._met(session, address)

    def _settle_credentials(self, session: Session, ufrag: str) -> None:
        """The first check after a restart ends the credentials of before (RFC 8445 section 9)."""
        if len(session.ufrags) > 1 and ufrag == session.ufrags[-1].ufrag:
            for credentials in session.ufrags[:-1]:
                self._agent.remove(credentials)
            session.ufrags = session.ufrags[-1:]

    def _met(self, session: Session, address: Address) -> None:
        other = self._by_address.get(address)
        if other is not None and other is not session:
            other.addresses.remove(address)
        self._by_address[address] = session
        while len(session.addresses) > self._limits.addresses:
            oldest = next(a for a in session.addresses if a != session.address)
            session.addresses.remove(oldest)
            self._by_address.pop(oldest, None)

    def _tick(self) -> None:
        now = self._loop.time()
        self._timer = self._loop.call_later(TICK, self._tick)
        for session in list(self._sessions.values()):
            room = self._rooms[session.room]
            session.tick(now, room.share(self._limits.room_packets, self._limits.session_packets))
            patience = self._limits.closed_after if session.ready else self._limits.unused_after
            if now - (session.seen if session.ready else session.born) > patience:
                self._end(session)
