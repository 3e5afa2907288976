"""Takes messages over TCP and TLS: persistent and pipelined connections, answered in the order they were asked.

HL7 v2.5.1 appendix C (MLLP) and section 2.9. What is said about a message is not decided here (see reception); here are
sockets, limits and time.
"""

import asyncio
import contextlib
import hashlib
import logging
import socket
import ssl
from collections.abc import Awaitable, Coroutine
from dataclasses import dataclass
from time import monotonic
from typing import Any, Protocol

from hl7_bridge.mllp.framing import FRAME_MAX, Decoder, Event, Frame, Noise, Oversize, Unfinished, encode
from hl7_bridge.site.recognition import Peer

log = logging.getLogger("hearth.hl7")

_CHUNK = 1 << 18
_NAP = 0.05
_SHORT = 1.0
"""Seconds of silence after which FS alone ends a message, and that a closing peer waits for answers out of order."""


@dataclass(frozen=True, slots=True)
class Answer:
    """``raw`` in its turn, b'' for none; ``then`` is another, sent when it is there and in no order."""

    raw: bytes
    then: Awaitable[bytes] | None = None


Reply = Coroutine[Any, Any, Answer]
"""Raises NoAnswer when nothing may be said and the connection must end."""


class NoAnswer(Exception):
    """The message could not be made durable: the peer must not believe it was, and sends it again."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Of connections: bytes of a frame, about those of all unfinished frames together, all connections, messages of one
    that wait for their answers, seconds of a message between its bytes, seconds of silence (0: any), bytes of noise."""

    frame: int = FRAME_MAX
    unfinished: int = 4 * FRAME_MAX
    connections: int = 2000
    unanswered: int = 64
    stalled: float = 60.0
    idle: float = 0.0
    noise: int = 65536


class Reception(Protocol):
    """What becomes of messages; see hl7_bridge.reception."""

    def welcome(self, peer: Peer) -> bool:
        """Whether anybody could send from there."""
        ...

    async def room(self) -> None:
        """Returns when the journal is not behind."""
        ...

    async def take(self, raw: bytes, peer: Peer) -> Reply:
        """Begin with a message."""
        ...

    def refuse(self, event: Unfinished | Oversize, peer: Peer) -> bytes:
        """The answer to what is no whole message."""
        ...


class Listener:
    """``start`` and ``stop`` in one event loop."""

    def __init__(self, reception: Reception, limits: Limits | None = None) -> None:
        self.reception, self.limits = reception, limits or Limits()
        self._server: asyncio.Server | None = None
        self._connections: set[Connection] = set()
        self.unfinished = 0
        """Bytes of frames that have begun and not ended."""

    @property
    def share(self) -> int:
        """Bytes of an unfinished frame that each connection may hold whatever the others do: all together at most twice
        the limit."""
        return self.limits.unfinished // self.limits.connections

    @property
    def connections(self) -> int:
        return len(self._connections)

    @property
    def ports(self) -> list[int]:
        return [each.getsockname()[1] for each in self._server.sockets] if self._server else []

    async def start(self, host: str, port: int, tls: ssl.SSLContext | None = None) -> None:
        self._server = await asyncio.start_server(self._met, host, port, ssl=tls, backlog=512, limit=1 << 18)

    async def stop(self, seconds: float) -> None:
        """Take no more, answer what was taken within ``seconds``, close."""
        if self._server is not None:
            self._server.close()
        ending = [asyncio.ensure_future(each.finish()) for each in self._connections]
        if ending:
            _, late = await asyncio.wait(ending, timeout=seconds)
            for each in late:
                each.cancel()
        for connection in list(self._connections):
            connection.abort()

    async def _met(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        peer = _peer(writer)
        if len(self._connections) >= self.limits.connections or not self.reception.welcome(peer):
            log.warning("connection refused", extra={"peer": peer.address, "open": len(self._connections)})
            writer.close()
            return
        connection = Connection(self, reader, writer, peer)
        self._connections.add(connection)
        try:
            await connection.run()
        finally:
            self._connections.discard(connection)


class Connection:
    """One peer's: reads and takes in one task, answers in another."""

    def __init__(
        self, listener: Listener, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, peer: Peer
    ) -> None:
        self._listener, self._reception, self._limits = listener, listener.reception, listener.limits
        self._held = 0
        self._reader, self._writer, self.peer = reader, writer, peer
        self._decoder = Decoder(self._limits.frame)
        # Bounded: a peer that sends on and on without reading answers is not read either.
        self._replies: asyncio.Queue[asyncio.Task[Answer] | None] = asyncio.Queue(self._limits.unanswered)
        self._later: set[asyncio.Future[None]] = set()
        self._reading = asyncio.ensure_future(self._read())
        self._answering = asyncio.ensure_future(self._answer())
        _keep_alive(writer)

    async def run(self) -> None:
        """Until the peer closes, or breaks the rules."""
        try:
            await asyncio.wait({self._reading, self._answering}, return_when=asyncio.FIRST_COMPLETED)
            if not self._answering.done():
                await self._replies.put(None)
            self._reading.cancel()
            await self._answering
            if self._later:
                await asyncio.wait(self._later, timeout=_SHORT)
            await _ended(self._reading)
        except (OSError, TimeoutError, NoAnswer) as error:
            log.info("connection ended", extra={"peer": self.peer.address, "why": str(error) or type(error).__name__})
        except Exception:
            log.error("a connection failed", extra={"peer": self.peer.address}, exc_info=True)
        finally:
            self.abort()

    async def finish(self) -> None:
        """Read no more; returns when all that was taken is answered."""
        self._reading.cancel()
        await asyncio.wait({self._answering})

    def abort(self) -> None:
        while not self._replies.empty():
            reply = self._replies.get_nowait()
            if reply is not None:
                reply.cancel()
        for task in (self._reading, self._answering, *self._later):
            task.cancel()
        self._count(0)
        self._writer.close()

    # --- reading

    async def _read(self) -> None:
        while data := await self._data():
            events = self._decoder.receive(data)
            self._count(self._decoder.held)
            del data
            while events:  # nothing holds on to a message that is taken
                await self._take(events.pop(0))
            if self._decoder.noise > self._limits.noise:
                raise ConnectionError("nothing but noise")
            await self._place()
        for event in self._decoder.end():
            await self._take(event)

    def _count(self, held: int) -> None:
        self._listener.unfinished += held - self._held
        self._held = held

    async def _place(self) -> None:
        """Returns when the unfinished frames leave place for more of this one; one that waits for long is given up, or
        all that are large might wait for each other."""
        listener, deadline = self._listener, monotonic() + self._limits.stalled
        while listener.unfinished > self._limits.unfinished and self._held > listener.share:
            if monotonic() > deadline:
                raise ConnectionError("too many large messages at once")
            await asyncio.sleep(_NAP)

    async def _data(self) -> bytes:
        """The next bytes; b'' at the end. A frame whose CR is late is taken after a short silence."""
        if self._decoder.partial:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(min(_SHORT, self._limits.stalled)):
                    return await self._reader.read(_CHUNK)
            for event in self._decoder.pause():
                await self._take(event)
        async with asyncio.timeout((self._limits.stalled if self._decoder.partial else self._limits.idle) or None):
            return await self._reader.read(_CHUNK)

    async def _take(self, event: Event) -> None:
        if isinstance(event, Noise):
            log.info("noise between messages", extra={"peer": self.peer.address, "bytes": event.size})
            return
        await self._reception.room()
        if isinstance(event, Frame):
            reply = await self._reception.take(event.raw, self.peer)
        else:
            reply = said(self._reception.refuse(event, self.peer))
        await self._replies.put(asyncio.create_task(reply))

    # --- answering

    async def _answer(self) -> None:
        while (reply := await self._replies.get()) is not None:
            answer = await reply
            await self._send(answer.raw)
            if answer.then is not None:
                task = asyncio.ensure_future(self._send_then(answer.then))
                self._later.add(task)
                task.add_done_callback(self._later.discard)

    async def _send_then(self, then: Awaitable[bytes]) -> None:
        with contextlib.suppress(OSError):
            await self._send(await then)

    async def _send(self, raw: bytes) -> None:
        if raw:
            self._writer.write(encode(raw))
            await self._writer.drain()


async def _ended(task: "asyncio.Future[None]") -> None:
    """Raises what ended it."""
    with contextlib.suppress(asyncio.CancelledError):
        await task


async def said(raw: bytes) -> Answer:
    """The reply that is known at once."""
    return Answer(raw)


def _peer(writer: asyncio.StreamWriter) -> Peer:
    address = str((writer.get_extra_info("peername") or ("0.0.0.0",))[0]).partition("%")[0].removeprefix("::ffff:")
    session: ssl.SSLObject | None = writer.get_extra_info("ssl_object")
    certificate = session.getpeercert(binary_form=True) if session else None
    if session is None or not certificate:
        return Peer(address)
    return Peer(address, hashlib.sha256(certificate).hexdigest(), _names(session.getpeercert() or {}))


def _names(certificate: object) -> tuple[str, ...]:
    """Common names of the subject and its alternative names."""
    assert isinstance(certificate, dict)
    subject = [value for part in certificate.get("subject", ()) for name, value in part if name == "commonName"]
    return (*subject, *(value for kind, value in certificate.get("subjectAltName", ()) if kind in ("DNS", "URI")))


def _keep_alive(writer: asyncio.StreamWriter) -> None:
    """A peer that is gone without a word is noticed; answers are not held back for more."""
    raw = writer.get_extra_info("socket")
    if raw is not None:
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        with contextlib.suppress(OSError):
            raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
