"""A whole bridge in process over a real record, on SQLite and then on PostgreSQL, and peers that speak MLLP to it."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest

from fhir_server.repository import BoundRepository, Services
from fhir_server.search import SearchEngine
from fhir_server.store import Integrity, Store
from hl7_bridge.applier import Applier, Retries
from hl7_bridge.errors import UNKNOWN_KEY, Failed, Held, Place
from hl7_bridge.journal import MARKS, Sealing, SqlJournal
from hl7_bridge.mapping.model import AsOf, Entry, Key, Mapped, Policy
from hl7_bridge.mllp.framing import Decoder, Frame, encode
from hl7_bridge.record import FollowUps, Record
from hl7_bridge.service import Bridge, Options
from hl7_bridge.site.model import DEFAULT, Sender, Site
from hl7_bridge.workers import Workers
from resources.repository import WHOLE_RECORD, Caller, SearchRequest

KEY = b"hash key of the tests, 32 bytes."
SITE = Site(
    senders=(
        Sender("lab", applications=("LAB",), authority="urn:lab"),
        Sender("stored", applications=("STORED",), authority="urn:lab", ack="stored"),
    )
)


def mapped(message: Any, sender: Sender) -> Mapped:
    """A map for tests: one Patient and one Observation; OBX-5 tells what is to go wrong."""
    obx = message.first("OBX")
    value = obx.text(5) if obx else ""
    if value == "held":
        raise Held(UNKNOWN_KEY, "Nobody knows whose this is.", Place("PID", 1, 3))
    if value == "failed":
        raise Failed(UNKNOWN_KEY, "Not at the moment.")
    if value == "fault":
        raise ZeroDivisionError("secret of a patient")
    if value == "unmapped":
        return Mapped(is_mapped=False)
    patient = Key("urn:lab", message.first("PID").text(3))
    result = Key("urn:result", message.control_id)
    subject = Entry("urn:uuid:00000000-0000-0000-0000-000000000001", _with(patient, resourceType="Patient"),
                    Policy.MENTION, (patient,))  # fmt: skip
    body = _with(result, resourceType="Observation", status="final", code={"text": "c"}, subject=subject.reference)
    if value == "invalid":
        body["status"] = "nonsense"
    observation = Entry("urn:uuid:00000000-0000-0000-0000-000000000002", body, Policy.RESULT, (result,), AsOf(1, 1, ""))
    return Mapped([subject, observation])


def _with(key: Key, **rest: Any) -> dict[str, Any]:
    return {"identifier": [{"system": key.system, "value": key.value}], **rest}


@dataclass
class Peer:
    """One connection."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    decoder: Decoder = field(default_factory=Decoder)
    waiting: list[bytes] = field(default_factory=list)

    async def answer(self, seconds: float = 20) -> str:
        """The next one; '' when the connection is closed."""
        async with asyncio.timeout(seconds):
            while not self.waiting:
                data = await self.reader.read(65536)
                if not data:
                    return ""
                self.waiting += [event.raw for event in self.decoder.receive(data) if isinstance(event, Frame)]
        return self.waiting.pop(0).decode()

    async def ask(self, *messages: str) -> list[str]:
        """All sent at once, then as many answers."""
        self.writer.write(b"".join(encode(message.encode()) for message in messages))
        return [await self.answer() for _ in messages]

    def close(self) -> None:
        self.writer.close()


@dataclass
class House:
    """Where bridges run: several may, on the same database."""

    url: str
    repository: BoundRepository
    journal: SqlJournal
    ports: list[int] = field(default_factory=list)

    @asynccontextmanager
    async def bridge(self, **options: Any) -> AsyncIterator[Callable[[], Awaitable[Peer]]]:
        """A bridge that serves; gives what connects to it."""
        journal = SqlJournal(self.url, Sealing(KEY))
        record = Record(journal.stamps, KEY, lambda: 1_700_000_000_000)
        site, mapper = options.pop("site", SITE), options.pop("mapper", mapped)
        retries = options.pop("retries", Retries())
        senders = {sender.name: sender for sender in (*site.senders, DEFAULT)}.get
        given = Options(port=0, **options)
        applier = Applier(
            site, journal, senders, lambda _: self.repository, lambda: self.repository, mapper, record, retries
        )
        bridge = Bridge(
            site,
            journal,
            lambda told: Workers(journal, applier.apply_all, told),
            lambda: FollowUps(record, self.repository),
            given,
        )
        stop, begun = asyncio.Event(), asyncio.Event()
        running = asyncio.create_task(bridge.run(stop, lambda port: (self.ports.append(port), begun.set())))
        await asyncio.wait({running, asyncio.create_task(begun.wait())}, return_when=asyncio.FIRST_COMPLETED)
        try:
            yield self.connect
        finally:
            stop.set()
            await running
            journal.close()

    async def connect(self) -> Peer:
        return Peer(*await asyncio.open_connection("127.0.0.1", self.ports[-1]))

    def count(self, type: str) -> int:
        """How many resources of ``type`` there are."""
        page = self.repository.search(SearchRequest(type, (("_summary", "count"),)))
        assert page.total is not None
        return page.total


@pytest.fixture
def house(store: Store, database_url: str) -> Iterator[House]:
    for name, sql in MARKS.items():
        store.register_mark(name, sql)
    engine = SearchEngine(store, b"link key of the tests, 32 bytes.")
    unused: Any = None  # nothing reads the audit trail here
    services = Services(store, engine, unused, lambda records: None, KEY, "https://fhir.example.org", Integrity())
    repository = BoundRepository(services, Caller("hl7:lab", "hl7", grants=WHOLE_RECORD))
    journal = SqlJournal(database_url, Sealing(KEY))
    yield House(database_url, repository, journal)
    journal.close()
