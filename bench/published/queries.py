"""W5, thirty queries at random: searches as user interfaces ask them, many with an accurate total.

After mock.health (64 threads for a server of 12 processors). R4 has no ``:text`` of strings; ``:contains`` is asked.
"""

import random
from collections.abc import Iterator

from bench.published import checks
from bench.published.load import Ask, Iteration, Workload, one
from bench.published.record import Sample, address
from bench.search_shapes import w5


def _read(sample: Sample, chance: random.Random) -> Ask:
    id = chance.choice(sample.found["Patient"])["id"]
    return Ask("read", "GET", f"Patient/{id}", checks.named("Patient", id))


def _client(sample: Sample, number: int) -> Iterator[Iteration]:
    pages, chance = checks.Pages(), random.Random(f"W5 {number}")
    rows = [[shape.query for shape in same] for same in zip(*map(w5, sample.known), strict=True)]
    rows.append([f"Patient?_content={known['family']}&_count=20" for known in sample.known])
    others = [
        lambda: Ask("metadata", "GET", "metadata", checks.named("CapabilityStatement")),
        lambda: _read(sample, chance),
    ]

    def ask() -> Ask:
        which = chance.randrange(len(rows) + len(others))
        if which >= len(rows):
            return others[which - len(rows)]()
        query = chance.choice(rows[which])
        return Ask(_name(query), "GET", address(query), pages.of(query))

    return one(ask)


def _name(query: str) -> str:
    """The type and its first parameter, with its modifier, and whether a total is asked for."""
    path = query.partition("=")[0]
    return f"{path} total" if "_total=accurate" in query else path


WORKLOAD = Workload("W5", "30 queries", 5, 6_000, _client)
