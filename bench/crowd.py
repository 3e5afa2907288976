"""Two hundred people and interfaces at once: apps, pages of patients and clinicians, HL7 v2 messages; nothing may fail.

``make bars ONLY=crowd``. Each user asks, reads the answer for a while, and asks again; all processes of ``hearth
serve`` share this machine with the users. At the end the record is counted: what was answered 201 or AA is in it.
"""

import asyncio
import json
import random
import time
from collections import Counter, defaultdict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from uuid import uuid4

from bench.api_client import Api
from bench.bar import Bar, Figure, Profile
from bench.deployment import Deployment, deployed
from bench.hl7_bridge import result
from bench.http_client import Connection
from bench.page_speed import addresses
from bench.server import free_port
from bench.workload import Clinic, Resource, transaction

SECONDS = 600
PATIENTS, EACH = 200, 25
"""Patients of the record that come again and again, and resources of as many others."""
RESULTS = 3
_PATIENCE = 30.0
_APPLIED = 120.0
"""Seconds until the last accepted message has to be in the record."""


@dataclass
class Crowd:
    """``took`` has seconds by what was asked; ``stored`` counts what was answered as stored."""

    port: int
    bridge: int
    patients: list[str]
    until: float
    took: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    failed: Counter[str] = field(default_factory=Counter)
    stored: Counter[str] = field(default_factory=Counter)

    def user(self, seed: int) -> "User":
        return User(self, random.Random(seed), Connection("127.0.0.1", self.port))


@dataclass
class User:
    """One connection; each asks in an order of chance of their own."""

    crowd: Crowd
    chance: random.Random
    http: Connection
    wire: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    @property
    def patient(self) -> str:
        return self.chance.choice(self.crowd.patients)

    async def stay(self, act: "Callable[[User], Awaitable[None]]", pause: float) -> None:
        """Until the end; ``pause`` in seconds on average."""
        while (again := time.monotonic() + self.chance.expovariate(1 / pause)) < self.crowd.until:
            await asyncio.sleep(again - time.monotonic())
            await self._once(act)
        self.http.close()
        if self.wire:
            self.wire[1].close()

    async def _once(self, act: "Callable[[User], Awaitable[None]]") -> None:
        try:
            await asyncio.wait_for(act(self), _PATIENCE)
        except (OSError, EOFError, TimeoutError) as error:
            self.crowd.failed[f"{act.__name__}: {type(error).__name__} {error}"] += 1
            self.http.close()

    async def ask(self, kind: str, method: str, path: str, body: bytes = b"") -> int:
        """The status; one that is no success counts as a failure."""
        began = time.perf_counter()
        answer = await self.http.request(method, path, body)
        self.crowd.took[kind].append(time.perf_counter() - began)
        if answer.status >= 300:
            self.crowd.failed[f"{kind}: {answer.status} {answer.body[-200:]!r}"] += 1
        return answer.status


# --- what they do


async def app(user: User) -> None:
    """Reads and searches, and now and then a result."""
    patient = user.patient
    code = {"coding": [{"system": "http://loinc.org", "code": "8867-4"}]}
    found = {"resourceType": "Observation", "status": "final", "code": code, "subject": {"reference": patient}}
    kind, method, path = user.chance.choices(
        (
            ("read", "GET", f"/fhir/{patient}"),
            ("search", "GET", f"/fhir/Observation?patient={patient}&_sort=-date&_count=20"),
            ("search", "GET", f"/fhir/Encounter?patient={patient}&_include=Encounter:participant"),
            ("create", "POST", "/fhir/Observation"),
        ),
        (3, 3, 2, 2),
    )[0]
    status = await user.ask(kind, method, path, json.dumps(found).encode() if method == "POST" else b"")
    user.crowd.stored["Observation"] += status == 201


async def page(user: User) -> None:
    """Any page, as a patient or as a clinician."""
    chosen = addresses(user.patient)
    await user.ask("page", "GET", user.chance.choice(list(chosen.values())))


async def interface(user: User) -> None:
    """A report of the laboratory over a connection that stays open."""
    id = uuid4().hex[:18]
    began = time.perf_counter()
    user.wire = user.wire or await asyncio.open_connection("127.0.0.1", user.crowd.bridge)
    reader, writer = user.wire
    writer.write(b"\x0b" + result(id, f"C{id}", RESULTS) + b"\x1c\r")
    answer = await reader.readuntil(b"\x1c\r")
    user.crowd.took["message"].append(time.perf_counter() - began)
    if b"|AA|" not in answer:
        user.crowd.failed[f"message: {answer[-200:]!r}"] += 1
        return
    user.crowd.stored["DiagnosticReport"] += 1
    user.crowd.stored["Observation"] += RESULTS


USERS: tuple[tuple[Callable[[User], Awaitable[None]], int, float], ...] = (
    (app, 100, 2.0),
    (page, 80, 10.0),
    (interface, 20, 5.0),
)
"""What, how many do it, and the seconds from one time to the next."""


# --- the bar


def _record(api: Api, patients: int) -> list[str]:
    """A small clinic: its patients, as references."""
    clinic = Clinic(7)
    for _ in range(patients):
        id = _created(api, clinic.make("Patient"))
        clinic.remember({"resourceType": "Patient"}, id, "1")
    for _ in range(patients):
        assert api.ask("POST", "", transaction(clinic, EACH)).status == 200
    return [f"Patient/{id}" for id, *_ in clinic.stored["Patient"]]


def _created(api: Api, resource: Resource) -> str:
    reply = api.ask("POST", resource["resourceType"], json.dumps(resource).encode())
    assert reply.status == 201, reply.body
    return str(reply.json["id"])


async def _together(crowd: Crowd) -> None:
    users = [(act, pause) for act, many, pause in USERS for _ in range(many)]
    await asyncio.gather(*(crowd.user(seed).stay(act, pause) for seed, (act, pause) in enumerate(users)))


def _missing(api: Api, before: dict[str, int], crowd: Crowd) -> list[str]:
    """What was answered as stored and is not in the record; messages are applied a moment after their answer."""
    end = time.monotonic() + _APPLIED
    while True:
        stored = {type: api.count(type) - before[type] for type in crowd.stored}
        wrong = [f"{type}: {stored[type]} of {many}" for type, many in crowd.stored.items() if stored[type] != many]
        if not wrong or time.monotonic() > end:
            return wrong
        time.sleep(1)


def _told(name: str, took: list[float]) -> str:
    ordered = sorted(took)
    p50, p95, p99 = (ordered[min(len(ordered) - 1, int(len(ordered) * part))] * 1000 for part in (0.5, 0.95, 0.99))
    return f"{name} {len(took)}: p50 {p50:.0f}, p95 {p95:.0f}, p99 {p99:.0f} ms"


def _on(served: Deployment, bridge: int, known: int, seconds: float) -> tuple[list[str], list[str]]:
    api = Api(served.port)
    crowd = Crowd(served.port, bridge, _record(api, known), time.monotonic() + seconds)
    before = {type: api.count(type) for type in ("Observation", "DiagnosticReport")}
    asyncio.run(_together(crowd))
    failed = [f"{many} times {text}" for text, many in crowd.failed.most_common(5)]
    return [_told(*one) for one in crowd.took.items()], failed + _missing(Api(served.port), before, crowd)


def measure(profile: Profile) -> Figure:
    """Errors of all users on each database."""
    notes, problems = list[str](), list[str]()
    brevity = 1 if profile.scale == 1 else 4  # CI has no time for a twentieth
    for name, database in profile.databases.items():
        bridge = free_port()
        words = ("--hl7-port", bridge, "--video-public-url", "http://127.0.0.1:9", "--log-level", "warning")
        with deployed(database, *map(str, words), part="") as served:
            told, wrong = _on(served, bridge, profile.size(PATIENTS, 20), SECONDS * profile.scale / brevity)
        notes += [f"{name}: {line}" for line in told]
        problems += [f"{name}: {line}" for line in wrong]
    asked = sum(many for _, many, _ in USERS)
    text = f"{asked} users, {len(problems)} kinds of errors"
    return Figure(text, not problems, (*notes, *problems))


BARS = (
    Bar(
        "crowd: 200 users of API, pages and HL7",
        "ten minutes on each database without an error; what was answered as stored is there",
        measure,
        alone=True,
    ),
)
