"""What a request costs: server and database CPU per request, import rate, start time and memory.

``make bench-cost``. The API is pinned to one core; the database and this client share the other, so look at the CPU
columns: requests per second depend on the client as well.
"""

import argparse
import asyncio
import gzip
import os
import time
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from functools import cache
from urllib.parse import quote

import msgspec

from bench import machine
from bench.bar import Bar, Figure, Profile, Skipped
from bench.clusters import postgresql
from bench.http_client import Connection
from bench.samples import FOLDER
from bench.server import REST_CORE, Server, serving
from bench.workload import SEARCHES, TYPES, Clinic, changed, patch, transaction

PROFILES = {"ci": 1.0, "full": 20.0}
"""Seconds each phase is measured."""
CONNECTIONS = 8

_encode = msgspec.json.Encoder().encode
Request = Callable[[Connection], Awaitable[None]]


@dataclass(frozen=True)
class Cost:
    """One phase; ``server`` and ``database`` in CPU milliseconds per request (per entry of the import)."""

    name: str
    requests: int
    per_second: float
    server: float
    database: float

    def __str__(self) -> str:
        goal = GOALS.get(self.name)
        cells = f"{self.requests:>9}{self.per_second:>10.0f}{self.server:>12.3f}{self.database:>12.3f}"
        return f"{self.name:<28}{cells}   {goal.words if goal else ''}"


@dataclass(frozen=True)
class Goal:
    """What a phase should cost on PostgreSQL, and how to tell."""

    words: str
    met: Callable[[Cost], bool]


GOALS = {
    "import": Goal("≥ 1,500 resources per second on one connection", lambda cost: cost.per_second >= 1500),
    "read": Goal("server ≤ 0.12 ms", lambda cost: cost.server <= 0.12),
    "create": Goal("server ≤ 0.45 ms, database ≤ 0.6 ms", lambda cost: cost.server <= 0.45 and cost.database <= 0.6),
    "simple search": Goal("server ≤ 0.3 ms", lambda cost: cost.server <= 0.3),
    "_include of 20": Goal("server ≤ 0.8 ms", lambda cost: cost.server <= 0.8),
    "CRUD mix": Goal("server ≤ 0.4 ms (2,500 requests per server-core-second)", lambda cost: cost.server <= 0.4),
}


class Load:
    """Runs phases against ``server`` from ``clinic``'s chance; raises AssertionError when an answer is no success."""

    def __init__(self, server: Server, clinic: Clinic, seconds: float) -> None:
        self.server, self.clinic, self.seconds = server, clinic, seconds
        self.connections = [Connection("127.0.0.1", server.port) for _ in range(CONNECTIONS)]

    async def fill(self, each: int) -> None:
        """Store ``each`` of every type to work on."""
        for _ in range(each):
            await self.create(self.connections[0], "Patient")
        for type in ("Encounter", "Observation", "Appointment"):
            await asyncio.gather(
                *(self._several(connection, type, each // CONNECTIONS) for connection in self.connections)
            )

    async def _several(self, connection: Connection, type: str, count: int) -> None:
        for _ in range(count):
            await self.create(connection, type)

    async def measure(self, name: str, request: Request) -> Cost:
        """Repeat ``request`` on all connections for the time of the profile, after a tenth of it unmeasured."""
        await self._run(request, self.seconds / 10)
        before, database = self.server.cost().cpu, self.server.database_cost().cpu
        started = time.perf_counter()
        count = await self._run(request, self.seconds)
        wall = time.perf_counter() - started
        cpu = (self.server.cost().cpu - before) * 1000 / count
        other = (self.server.database_cost().cpu - database) * 1000 / count
        return Cost(name, count, count / wall, cpu, other)

    async def _run(self, request: Request, seconds: float) -> int:
        end = time.perf_counter() + seconds
        counts = await asyncio.gather(*(_repeat(connection, request, end) for connection in self.connections))
        return sum(counts)

    # --- requests

    async def create(self, connection: Connection, type: str = "") -> None:
        resource = self.clinic.make(type or self._type())
        answer = await connection.request("POST", f"/fhir/{resource['resourceType']}", _encode(resource))
        assert answer.status == 201, answer
        id, _, version = answer.headers["location"].rpartition("/_history/")
        self.clinic.remember(resource, id.rpartition("/")[2], version)

    async def read(self, connection: Connection) -> None:
        type = self._type()
        answer = await connection.request("GET", f"/fhir/{type}/{self.clinic.any(type)[0]}")
        assert answer.status in (200, 410), answer

    async def mix(self, connection: Connection) -> None:
        interaction, type, id = self.clinic.operation()
        await _MIX[interaction](self, connection, type, id)

    async def update(self, connection: Connection, type: str, id: str) -> None:
        resource = next(found for found in reversed(self.clinic.stored[type]) if found[0] == id)[2]
        answer = await connection.request("PUT", f"/fhir/{type}/{id}", _encode(changed(self.clinic, resource)))
        assert answer.status in (200, 201, 409), answer

    async def patch(self, connection: Connection, type: str, id: str) -> None:
        body = patch(self.clinic)
        answer = await connection.request("PATCH", f"/fhir/{type}/{id}", body, "application/json-patch+json")
        assert answer.status in (200, 404, 409, 410), answer

    async def vread(self, connection: Connection, type: str, id: str) -> None:
        assert (await connection.request("GET", f"/fhir/{type}/{id}/_history/1")).status == 200

    async def history(self, connection: Connection, type: str, id: str) -> None:
        assert (await connection.request("GET", f"/fhir/{type}/{id}/_history?_count=20")).status == 200

    async def delete(self, connection: Connection, type: str, id: str) -> None:
        # Patients and encounters are referred to, and deleting what is referred to is refused.
        kind = type if type in ("Observation", "Appointment") else "Observation"
        found = self.clinic.any(kind)
        if len(self.clinic.stored[kind]) > 50:
            self.clinic.stored[kind].remove(found)
            answer = await connection.request("DELETE", f"/fhir/{kind}/{found[0]}")
            assert answer.status in (200, 204, 409), answer

    def search(self, name: str) -> Request:
        async def request(connection: Connection) -> None:
            path = quote(self.clinic.chance.choice(SEARCHES[name])(self.clinic), safe="/?&=:|%")
            answer = await connection.request("GET", f"/fhir/{path}")
            assert answer.status == 200, answer

        return request

    def _type(self) -> str:
        return self.clinic.chance.choices(list(TYPES), list(TYPES.values()))[0]


_MIX: dict[str, Callable[[Load, Connection, str, str], Awaitable[None]]] = {
    "read": lambda load, connection, type, id: load.read(connection),
    "create": lambda load, connection, type, id: load.create(connection, type),
    "update": Load.update,
    "patch": Load.patch,
    "vread": Load.vread,
    "history": Load.history,
    "delete": Load.delete,
}


async def _repeat(connection: Connection, request: Request, end: float) -> int:
    count = 0
    while time.perf_counter() < end:
        await request(connection)
        count += 1
    return count


async def measure_import(server: Server, bundles: Iterable[bytes]) -> Cost:
    """POST transaction Bundles one after the other on one connection; the rate counts their entries."""
    connection = Connection("127.0.0.1", server.port)
    entries, before, database, started = 0, server.cost().cpu, server.database_cost().cpu, time.perf_counter()
    for body in bundles:
        answer = await connection.request("POST", "/fhir", body)
        assert answer.status == 200, answer
        entries += answer.body.count(b'"status":"20')
    wall = time.perf_counter() - started
    cpu = (server.cost().cpu - before) * 1000 / entries
    other = (server.database_cost().cpu - database) * 1000 / entries
    return Cost("import", entries, entries / wall, cpu, other)


def bundles(most: int) -> list[bytes]:
    """Transaction Bundles to import: Synthea's when the sample data lies beside the checkout, else our own."""
    files = sorted((FOLDER / "synthea_2019").glob("*.json.gz"))[:most]
    if files:
        return [gzip.decompress(file.read_bytes()) for file in files]
    clinic = Clinic(7)
    clinic.remember({"resourceType": "Patient"}, "none", "1")
    return [transaction(clinic, 300) for _ in range(most)]


async def phases(server: Server, seconds: float) -> list[Cost]:
    """All phases on a server whose database is fresh."""
    figures = [await measure_import(server, bundles(36 if seconds > 5 else 4))]
    load = Load(server, Clinic(1), seconds)
    await load.fill(400 if seconds > 5 else 80)
    figures.append(await load.measure("read", load.read))
    figures.append(await load.measure("create", load.create))
    figures += [await load.measure(name, load.search(name)) for name in SEARCHES]
    figures.append(await load.measure("CRUD mix", load.mix))
    return figures


@dataclass(frozen=True)
class Report:
    """All phases on one database; ``started`` in seconds, ``memory`` of the largest process in MB."""

    machine: str
    database: str
    started: float
    memory: float
    costs: tuple[Cost, ...]

    def lines(self) -> list[str]:
        head = f"{'':<28}{'requests':>9}{'per s':>10}{'server ms':>12}{'database ms':>12}   goal"
        start = f"{self.database}: ready after {self.started:.2f} s, largest process {self.memory:.0f} MB"
        return [self.machine, start, head, *map(str, self.costs)]


def measured(name: str, database: str, seconds: float) -> Report:
    """The whole benchmark on ``database`` (``sqlite`` or a PostgreSQL URL)."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {int(REST_CORE)})
    try:
        with serving(database, "--log-level", "warning") as server:
            costs = asyncio.run(phases(server, seconds))
            return Report(machine.line(), name, server.started, server.cost().largest, tuple(costs))
    finally:
        os.sched_setaffinity(0, before)


# --- bars: the figures of one run, row by row -----------------------------------------------------------------------


@cache
def _reports(profile: Profile) -> dict[str, Report]:
    seconds = PROFILES[profile.name]
    return {name: measured(name, database, seconds) for name, database in profile.databases.items()}


def _postgresql(profile: Profile) -> Report:
    reports = _reports(profile)
    if "postgresql" not in reports:
        raise Skipped("PostgreSQL could not be had")
    return reports["postgresql"]


def _phase(name: str) -> Bar:
    def measure(profile: Profile) -> Figure:
        cost = next(cost for cost in _postgresql(profile).costs if cost.name == name)
        text = f"server {cost.server:.3f} ms, database {cost.database:.3f} ms, {cost.per_second:.0f} per second"
        return Figure(text, GOALS[name].met(cost), (_postgresql(profile).machine,))

    return Bar(f"speed: {name}", GOALS[name].words, measure, timing=True)


def _start(profile: Profile) -> Figure:
    seconds = _postgresql(profile).started
    return Figure(f"{seconds:.2f} s", seconds <= 3)


def _memory(profile: Profile) -> Figure:
    report = _postgresql(profile)
    return Figure(f"{report.memory:.0f} MB", report.memory <= 150, tuple(_reports(profile)["sqlite"].lines()))


BARS = (
    *(_phase(name) for name in GOALS),
    Bar("speed: cold start with migrations", "≤ 3 s", _start, timing=True),
    Bar("speed: memory of a worker", "≤ 150 MB", _memory, timing=True),
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--profile", choices=PROFILES, default="full")
    parser.add_argument("--database", choices=("postgresql", "sqlite"), default="")
    arguments = parser.parse_args()
    with postgresql() as url:
        for name, database in {"postgresql": url, "sqlite": "sqlite"}.items():
            if arguments.database in ("", name):
                print("\n".join(measured(name, database, PROFILES[arguments.profile]).lines()), flush=True)


if __name__ == "__main__":
    main()
