"""A record of the bridge over a real store, on SQLite and then on PostgreSQL."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import count
from typing import Any

import pytest

from fhir_server.repository import BoundRepository, Services
from fhir_server.search import SearchEngine
from fhir_server.store import Integrity, Store
from hl7_bridge.journal import MARKS
from hl7_bridge.journal.database import Database
from hl7_bridge.journal.stamps import SqlStamps
from hl7_bridge.mapping.model import AsOf, Entry, Key, Mapped, Merge, Policy, Resource
from hl7_bridge.record import Applied, FollowUps, Record, Source
from resources import json_codec
from resources.repository import WHOLE_RECORD, Caller, SearchRequest, Version

SECRET = b"hash key of the tests, 32 bytes."
CONTROL_IDS = count(1)


@dataclass
class Bench:
    """The record as messages and as people see it."""

    repository: BoundRepository
    record: Record
    follow_ups: FollowUps
    store: Store
    services: Services

    def apply(self, mapped: Mapped, control_id: str = "") -> Applied:
        """Apply ``mapped`` as a message of its own, and do what follows."""
        source = Source("lab", control_id or f"M{next(CONTROL_IDS)}", 1_700_000_000_000)
        applied = self.record.apply(self.repository, mapped, source)
        for each in applied.follow_ups:
            self.follow_ups.run(each)
        return applied

    def find(self, type: str, *keys: Key) -> list[Resource]:
        """Resources with any of the identities, oldest first."""
        texts = ",".join(f"{key.system}|{key.value}" for key in keys)
        page = self.repository.search(SearchRequest(type, (("identifier", texts), ("_count", "200"))))
        return sorted((decoded(hit.version) for hit in page.hits), key=lambda each: str(each["id"]))

    def one(self, type: str, *keys: Key) -> Resource:
        [found] = self.find(type, *keys)
        return found


def decoded(version: Version) -> Resource:
    return json_codec.decode(version.doc)


@pytest.fixture
def bench(store: Store, database_url: str) -> Iterator[Bench]:
    database = Database(database_url)
    for name, sql in MARKS.items():
        store.register_mark(name, sql)
    engine = SearchEngine(store, b"link key of the tests, 32 bytes.")
    unused: Any = None  # nothing reads the audit trail here
    services = Services(store, engine, unused, lambda records: None, SECRET, "https://fhir.example.org", Integrity())
    repository = BoundRepository(services, Caller("hl7:lab", "hl7", grants=WHOLE_RECORD))
    stamps = SqlStamps(database)
    stamps.query = lambda sql, params: store.session().query(sql, params)  # as the server does
    record = Record(stamps, SECRET, lambda: 1_700_000_000_000)
    yield Bench(repository, record, FollowUps(record, repository), store, services)
    database.close()


class Draft:
    """Mapped values made by hand."""

    def __init__(self, time: int = 1000, rank: int = 0) -> None:
        self.time, self.rank, self.mapped = time, rank, Mapped()

    def add(self, policy: Policy, resource: Resource, *keys: Key, **more: Any) -> Entry:
        """``resource`` with ``keys`` as identifiers; ``rank``, ``time``, ``nulls``, ``pending`` as given."""
        url = f"urn:uuid:00000000-0000-0000-0000-{len(self.mapped.entries) + 1:012d}"
        if keys:
            resource = {**resource, "identifier": [{"system": key.system, "value": key.value} for key in keys]}
        tie = repr([*(each.resource for each in self.mapped.entries), resource])  # references differ by what they name
        as_of = AsOf(more.pop("rank", self.rank), more.pop("time", self.time), tie)
        entry = Entry(url, resource, policy, keys, as_of, **more)
        self.mapped.entries.append(entry)
        return entry

    def patient(
        self, *keys: Key, policy: Policy = Policy.REGISTER, nulls: frozenset[str] = frozenset(), **rest: Any
    ) -> Entry:
        return self.add(policy, {"resourceType": "Patient", **rest}, *keys, nulls=nulls)

    def observation(self, subject: Entry, key: Key, status: str = "final", value: str = "x", **rest: Any) -> Entry:
        made = {"resourceType": "Observation", "status": status, "code": {"text": "c"}, "valueString": value}
        rank = {"preliminary": 1, "final": 2, "corrected": 3, "cancelled": 3, "entered-in-error": 4}[status]
        options = {name: rest.pop(name) for name in ("time", "pending") if name in rest}
        return self.add(Policy.RESULT, {**made, "subject": subject.reference, **rest}, key, rank=rank, **options)

    def report(self, subject: Entry, key: Key, results: list[Entry], status: str = "final", **rest: Any) -> Entry:
        made = {"resourceType": "DiagnosticReport", "status": status, "code": {"text": "r"}}
        rank = {"preliminary": 1, "final": 2, "corrected": 3}[status]
        made |= {"subject": subject.reference, "result": [each.reference for each in results]}
        return self.add(Policy.RESULT, {**made, **rest}, key, rank=rank)

    def merge(self, survivor: Entry, loser: Entry) -> None:
        self.mapped.merges.append(Merge(survivor.url, loser.url))


@pytest.fixture
def draft() -> Callable[..., Draft]:
    return Draft
