"""Bar of the search mix W3 (24 parameters) over HTTP: searches for each second that the server's processes compute.

``make bars ONLY="search: W3" KEEP=FOLDER`` on a million resources; without KEEP on 2,000 that are loaded for it.
"""

import asyncio
import os
import random
import time
from collections.abc import Sequence
from itertools import groupby
from pathlib import Path
from urllib.parse import quote

from bench.bar import Bar, Figure, Profile
from bench.http_client import Connection
from bench.scaled import Record, record
from bench.search_shapes import known, w3
from bench.server import running
from fhir_server import wiring

LARGE, SMALL = 1_000_000, 2_000
GOAL = 2_000
CONNECTIONS = 8
SECONDS = 20.0


def _paths(of: Record) -> list[list[str]]:
    """The searches of each parameter."""
    with wiring.Process(of.settings) as process:
        shapes = w3(known(process.engine, process.store.session()))
    grouped = groupby(shapes, lambda shape: shape.name)
    return [[quote(f"/fhir/{shape.query}", safe="/?&=:|%,$") for shape in found] for _, found in grouped]


async def _run(port: int, paths: Sequence[Sequence[str]], seconds: float) -> int:
    end = time.perf_counter() + seconds
    return sum(await asyncio.gather(*(_iterate(port, paths, end, seed) for seed in range(CONNECTIONS))))


async def _iterate(port: int, paths: Sequence[Sequence[str]], end: float, seed: int) -> int:
    connection, chance, count = Connection("127.0.0.1", port), random.Random(seed), 0
    while time.perf_counter() < end:
        path = chance.choice(chance.choice(paths))
        answer = await connection.request("GET", path)
        assert answer.status == 200, (path, answer)
        count += 1
    connection.close()
    return count


def _mix(profile: Profile) -> Figure:
    keep = Path(os.environ["KEEP"]) if os.environ.get("KEEP") and profile.scale == 1 else None
    seconds = max(1.0, SECONDS * profile.scale)
    with record(profile, LARGE if keep else SMALL, keep) as of:
        paths = _paths(of)
        with running(of.folder, of.url, "--log-level", "warning", pinned=False) as server:
            asyncio.run(_run(server.port, paths, seconds / 10))
            before, started = server.cost().cpu, time.perf_counter()
            count = asyncio.run(_run(server.port, paths, seconds))
            used, wall = server.cost().cpu - before, time.perf_counter() - started
    text = f"{of.size} resources, {len(paths)} parameters: {count / used:.0f} per server core second"
    return Figure(f"{text}, {used * 1000 / count:.2f} ms each; {count / wall:.0f} per second", count / used >= GOAL)


BARS = (Bar("search: W3 mix", "≥ 2,000 searches per server core second", _mix, timing=True),)
