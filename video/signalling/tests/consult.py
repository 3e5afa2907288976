"""A whole service over loopback for the tests: real HTTP, real WebSockets, a media server that only listens."""

import asyncio
import os
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Self

import aiohttp
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from yarl import URL

from video.errors import Refused
from video.ports import Fact, MediaEvent, MediaState, MediaStats, Role, Sink, Slot, Source, Ticket
from video.signalling.service import Options, VideoService
from video.signalling.sessions import cookie_of
from video.signalling.tickets import new_ticket, seal_ticket

PATIENCE = 10.0


class AesSealer:
    """One key."""

    def __init__(self, key: bytes = b"k" * 32) -> None:
        self._aes = AESGCM(key)

    def seal(self, purpose: str, secret: bytes) -> bytes:
        nonce = os.urandom(12)
        return nonce + self._aes.encrypt(nonce, secret, purpose.encode())

    def open(self, purpose: str, sealed: bytes) -> bytes:
        try:
            return self._aes.decrypt(sealed[:12], sealed[12:], purpose.encode())
        except (InvalidTag, ValueError):
            raise Refused("sealed", "Not ours.") from None


class MemoryBackend:
    """A MediaBackend without media: it answers offers and says what the test tells it to have seen."""

    def __init__(self) -> None:
        self.sessions: dict[str, tuple[str, str]] = {}
        self.permitted: dict[str, frozenset[str]] = {}
        self.silenced: dict[str, frozenset[Source]] = {}
        self.taps: dict[str, tuple[frozenset[str], Sink | None]] = {}
        self.restarts: list[tuple[str, str]] = []
        self.measures: dict[str, MediaStats] = {}
        self._told: Callable[[MediaEvent], None] = lambda event: None

    async def offer(self, room: str, member: str, sdp: str) -> tuple[str, str]:
        if not sdp.startswith("v=0"):
            raise Refused("sdp", "This is no offer.", 400)
        await asyncio.sleep(0)
        for session in [s for s, whose in self.sessions.items() if whose == (room, member)]:
            await self.leave(session)
        session = os.urandom(8).hex()
        self.sessions[session] = (room, member)
        return session, "v=0\r\na=setup:passive\r\n"

    async def restart(self, session: str, fragment: str) -> str:
        self.restarts.append((session, fragment))
        return "a=ice-ufrag:x\r\n"

    async def leave(self, session: str) -> None:
        if session in self.sessions:
            self.see(session, MediaState.CLOSED)
            del self.sessions[session]

    def permit(self, room: str, members: frozenset[str]) -> None:
        self.permitted[room] = members

    def silence(self, room: str, member: str, sources: frozenset[Source]) -> None:
        self.silenced[member] = sources

    def tap(self, room: str, members: frozenset[str], sink: Sink | None) -> None:
        self.taps[room] = (members, sink)

    def slots(self, room: str, member: str) -> tuple[Slot, ...]:
        others = sorted(self.permitted.get(room, frozenset()) - {member})
        return tuple(Slot(number, other) for number, other in enumerate(others))

    def stats(self, room: str) -> dict[str, MediaStats]:
        here = {member for there, member in self.sessions.values() if there == room}
        return {member: self.measures.get(member, MediaStats(received=10)) for member in here}

    def listen(self, told: Callable[[MediaEvent], None]) -> None:
        self._told = told

    def see(self, session: str, state: MediaState, source: Source | None = None) -> None:
        room, member = self.sessions[session]
        self._told(MediaEvent(state, room, member, session, int(time.time() * 1000), source))


class ListSpool:
    """Keeps what it gets; ``broken`` while its disk is full."""

    def __init__(self) -> None:
        self.facts: list[Fact] = []
        self.broken = False

    def put(self, facts: list[Fact]) -> None:
        if self.broken:
            raise OSError("disk full")
        known = {(fact.room, fact.number) for fact in self.facts}
        self.facts += [fact for fact in facts if (fact.room, fact.number) not in known]

    def kinds(self) -> list[str]:
        return [fact.kind.value for fact in self.facts]


class CountingWatch:
    def __init__(self) -> None:
        self.words: list[str] = []

    def refused(self, what: str, room: str, member: str) -> None:
        self.words.append(what)


class Page:
    """What a browser would be: a cookie jar, a session, a socket that collects events."""

    def __init__(self, consult: "Consult") -> None:
        self.consult = consult
        self.http = aiohttp.ClientSession(
            base_url=consult.url, headers={"Origin": consult.url}, cookie_jar=aiohttp.CookieJar(unsafe=True)
        )
        self.seat: dict[str, Any] = {}
        self.events: list[dict[str, Any]] = []
        self.answers: dict[str, dict[str, Any]] = {}
        self.session = ""
        self.closed: int | None = None
        self._news = asyncio.Event()
        self._reader: asyncio.Task[None] | None = None
        self._ids = 0

    async def join(self, ticket: str) -> aiohttp.ClientResponse:
        answer = await self.http.post("/visit/join", json={"ticket": ticket})
        if answer.status == 200:
            self.seat = await answer.json()
        return answer

    async def connect(self, after: int | None = None) -> Self:
        query = {} if after is None else {"after": str(after)}
        self.socket = await self.http.ws_connect("/visit/events", params=query)
        self.closed = None
        self._reader = asyncio.create_task(self._read())
        return self

    async def _read(self) -> None:
        async for message in self.socket:
            told = message.json()
            if "event" in told:
                self.events.append(told)
            else:
                self.answers[told["id"]] = told
            self._news.set()
        self.closed = self.socket.close_code
        self._news.set()

    async def when(self, true: Callable[[], Any]) -> Any:
        async with asyncio.timeout(PATIENCE):
            while not (found := true()):
                self._news.clear()
                await self._news.wait()
            return found

    def heard(self, event: str) -> list[dict[str, Any]]:
        return [told for told in self.events if told["event"] == event]

    async def hear(self, event: str, **fields: Any) -> dict[str, Any]:
        def found() -> dict[str, Any] | None:
            fits = (told for told in self.heard(event) if fields.items() <= told.items())
            return next(fits, None)

        return await self.when(found)

    async def do(self, do: str, **fields: Any) -> dict[str, Any]:
        self._ids += 1
        return await self.send({"id": f"c{self._ids}", "do": do} | fields)

    async def send(self, message: dict[str, Any]) -> dict[str, Any]:
        self.answers.pop(message["id"], None)
        await self.socket.send_json(message)
        return await self.when(lambda: self.answers.get(message["id"]))

    async def offer(self) -> aiohttp.ClientResponse:
        answer = await self.http.post("/visit/media", data=b"v=0\r\n", headers={"Content-Type": "application/sdp"})
        self.session = answer.headers.get("Location", "").rpartition("/")[2].partition("?")[0]
        return answer

    async def send_media(self) -> None:
        assert (await self.offer()).status == 201
        self.consult.backend.see(self.session, MediaState.CONNECTED)
        self.consult.backend.see(self.session, MediaState.SENDING, Source.MICROPHONE)

    async def close(self) -> None:
        if self._reader is not None:
            await self.socket.close()
            await self._reader
        await self.http.close()


class Consult:
    """A running service and those who visit it."""

    def __init__(self, ledger: Path, **options: Any) -> None:
        self.ledger, self.options = ledger, Options(**({"port": 0} | options))
        self.backend, self.spool, self.watch = MemoryBackend(), ListSpool(), CountingWatch()
        self.sealer = AesSealer()
        self.url, self.pages = "", list[Page]()

    async def start(self) -> None:
        self.service = VideoService(
            self.options, self.backend, self.spool, self.sealer, self.watch, self.ledger / "visits.sqlite"
        )
        await self.service.start()
        scheme = "https" if self.options.tls else "http"
        self.url = f"{scheme}://127.0.0.1:{self.service.port}"

    async def kill(self) -> None:
        """As a kill leaves it: nobody is told, nothing is handed over."""
        for task in self.service._tasks:
            task.cancel()
        self.service.visits.stop()
        self.service.visits.feed = lambda room, event: None  # type: ignore[method-assign]
        for line in list(self.service.visits.posts._lines.values()):
            assert line.socket._req is not None and line.socket._req.transport is not None
            line.socket._req.transport.abort()
        await self.service._runner.cleanup()  # type: ignore[union-attr]
        self.service._ledger.close()

    def ticket(self, member: str, role: Role = Role.PATIENT, room: str = "room", **fields: Any) -> Ticket:
        given = {"actor": f"Actor/{member}", "encounter": "Encounter/1", "patient": "Patient/1"} | fields
        return new_ticket(room, member, role, f"Name of {member}", int(time.time()), **given)

    def sealed(self, member: str, role: Role = Role.PATIENT, room: str = "room", **fields: Any) -> str:
        return seal_ticket(self.sealer, self.ticket(member, role, room, **fields))

    def page(self) -> Page:
        page = Page(self)
        self.pages.append(page)
        return page

    async def arrive(self, member: str, role: Role = Role.PATIENT, room: str = "room") -> Page:
        page = self.page()
        answer = await page.join(self.sealed(member, role, room))
        assert answer.status == 200, await answer.text()
        return await page.connect(page.seat["events"])

    async def talking(self) -> tuple[Page, Page]:
        """The doctor and the patient in the middle of a visit."""
        doctor, patient = await self.arrive("dr", Role.PRACTITIONER), await self.arrive("pt")
        await patient.do("ready")
        assert (await doctor.do("admit", member="pt"))["done"]
        await patient.hear("admitted")
        for page in (doctor, patient):
            await page.send_media()
        for page in (doctor, patient):
            await page.hear("visit", phase="running")
        return doctor, patient

    async def recorded(self, kind: str, count: int = 1) -> None:
        async with asyncio.timeout(PATIENCE):
            while self.spool.kinds().count(kind) < count:
                await asyncio.sleep(0.01)

    def cookie_of(self, page: Page) -> str:
        return page.http.cookie_jar.filter_cookies(URL(f"{self.url}/visit/session"))[cookie_of("room")].value


@asynccontextmanager
async def consult(ledger: Path, **options: Any) -> AsyncIterator[Consult]:
    made = Consult(ledger, **options)
    await made.start()
    try:
        yield made
    finally:
        for page in made.pages:
            await page.close()
        await made.service.stop()
