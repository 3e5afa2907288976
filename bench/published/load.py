"""What a workload is, and how it is put on a server: a fixed number of iterations on a fixed number of connections.

An iteration is a generator: it yields what to ask and gets the answer. It ends at the first answer that is wrong.
"""

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Generator, Iterable, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

import msgspec

from bench.http_client import Answer, Connection
from bench.published.record import Sample

Check = Callable[[Answer], str]
"""What is wrong with an answer, in words; '' when nothing is."""
WAIT = 300.0
"""Seconds that an answer may take."""
WARM_UP = 0.1
"""So much of the iterations runs before, unmeasured."""
FAULTS_TOLD = 5


class Ask(NamedTuple):
    """A request: ``shape`` groups those whose times are compared, ``path`` is what follows the base."""

    shape: str
    method: str
    path: str
    check: Check
    body: bytes = b""


Iteration = Generator[Ask, Answer, None]


@dataclass(frozen=True, slots=True)
class Workload:
    """``iterations`` at full size; ``client(sample, number)`` are those of a connection, without end.

    ``unit`` is what the rate counts and ``units`` how many of it an answer is; ``before`` is asked once.
    """

    name: str
    title: str
    connections: int
    iterations: int
    client: Callable[[Sample, int], Iterator[Iteration]]
    unit: str = "requests"
    units: Callable[[Answer], int] = lambda answer: 1
    before: Callable[[Sample], Iterable[Ask]] = lambda sample: ()


@dataclass(slots=True)
class Tally:
    """What the answers were: seconds of each by shape, units, faults, and how many resources came or went by type."""

    seconds: dict[str, list[float]] = field(default_factory=dict)
    units: int = 0
    errors: int = 0
    faults: list[str] = field(default_factory=list)
    stored: Counter[str] = field(default_factory=Counter)

    def add(self, ask: Ask, answer: Answer, seconds: float, units: int) -> None:
        self.seconds.setdefault(ask.shape, []).append(seconds)
        self.units += units
        self.stored.update(came(ask, answer))

    def fault(self, text: str) -> None:
        self.errors += 1
        if len(self.faults) < FAULTS_TOLD:
            self.faults.append(text)

    def add_faults(self, other: "Tally") -> None:
        for text in other.faults:
            self.fault(text)
        self.errors += other.errors - len(other.faults)


# --- What an answer changed


class _Response(msgspec.Struct):
    status: str
    location: str = ""


class _Entry(msgspec.Struct):
    response: _Response


class _Outcome(msgspec.Struct):
    entry: list[_Entry] = []


_outcome = msgspec.json.Decoder(_Outcome).decode


def responses(answer: Answer) -> list[tuple[str, str]]:
    """Status and location of each entry of a transaction's answer."""
    return [(entry.response.status, entry.response.location) for entry in _outcome(answer.body).entry]


def came(ask: Ask, answer: Answer) -> Counter[str]:
    """Resources that an answer says are there since, by type; a deletion is -1."""
    if ask.method == "DELETE":
        return Counter({ask.path.partition("/")[0]: -1})
    if ask.method == "POST" and not ask.path:
        return Counter(location.partition("/")[0] for status, location in responses(answer) if status[:3] == "201")
    return Counter({ask.path.partition("/")[0]: int(answer.status == 201)})


# --- Running


class Running:
    """One workload on a server at ``port``; ``share`` of its iterations."""

    def __init__(self, workload: Workload, sample: Sample, port: int, share: float) -> None:
        self.workload, self.port = workload, port
        self.wanted = max(round(workload.iterations * share), 2)
        self.connections = [Connection("127.0.0.1", port) for _ in range(workload.connections)]
        self._clients = [workload.client(sample, number) for number in range(len(self.connections))]
        self._before = workload.before(sample)

    async def warm_up(self) -> Tally:
        """What is asked once, and the first iterations."""
        tally = Tally()
        for ask in self._before:
            await self._ask(self.connections[0], ask, tally)
        return await self._run(max(round(self.wanted * WARM_UP), 1), tally)

    async def measure(self) -> Tally:
        return await self._run(self.wanted, Tally())

    def close(self) -> None:
        for connection in self.connections:
            connection.close()

    async def _run(self, count: int, tally: Tally) -> Tally:
        left = iter(range(count))
        clients = zip(self.connections, self._clients, strict=True)
        await asyncio.gather(*(self._iterate(connection, client, left, tally) for connection, client in clients))
        return tally

    async def _iterate(
        self, connection: Connection, client: Iterator[Iteration], left: Iterator[int], tally: Tally
    ) -> None:
        for _, iteration in zip(left, client, strict=False):
            ask = next(iteration, None)
            while ask is not None:
                answer = await self._ask(connection, ask, tally)
                ask = _next(iteration, answer) if answer else None

    async def _ask(self, connection: Connection, ask: Ask, tally: Tally) -> Answer | None:
        """The answer when it is right; else it is among the faults."""
        started = time.perf_counter()
        try:
            path = f"/fhir/{ask.path}" if ask.path else "/fhir"
            async with asyncio.timeout(WAIT):
                answer = await connection.request(ask.method, path, ask.body)
        except (OSError, EOFError, TimeoutError, asyncio.IncompleteReadError) as error:
            connection.close()
            tally.fault(f"{ask.method} {ask.path}: {error!r}")
            return None
        taken = time.perf_counter() - started
        if wrong := ask.check(answer):
            tally.fault(f"{ask.method} {ask.path}: {wrong}: {answer.status} {answer.body[:300]!r}")
            return None
        tally.add(ask, answer, taken, self.workload.units(answer))
        return answer


def _next(iteration: Iteration, answer: Answer) -> Ask | None:
    try:
        return iteration.send(answer)
    except StopIteration:
        return None


def one(asks: Callable[[], Ask]) -> Iterator[Iteration]:
    """Iterations of one request each."""

    def iteration() -> Iteration:
        yield asks()

    while True:
        yield iteration()
