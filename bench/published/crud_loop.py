"""W1, the CRUD loop: nine resources that refer to each other are created, read, updated and deleted; 36 requests.

After ``k6/crud.js`` of Health Samurai's comparison (300 virtual users for a server of 8 processors).
"""

import random
from collections.abc import Iterator
from typing import Any

import msgspec

from bench.clinical import MAKERS, Resource
from bench.published import checks
from bench.published.load import Ask, Iteration, Workload
from bench.published.record import Sample

_CHANGES: dict[str, tuple[str, Any]] = {
    "Patient": ("gender", "other"),
    "Location": ("name", "Moved ward"),
    "Organization": ("name", "Renamed hospital"),
    "Practitioner": ("gender", "other"),
    "Encounter": ("status", "in-progress"),
    "Observation": ("issued", "2025-01-01T12:00:00.000Z"),
    "MedicationRequest": ("status", "completed"),
    "Claim": ("created", "2025-01-01"),
    "ExplanationOfBenefit": ("created", "2025-01-01"),
}
"""Every type, in the order in which they are created, and the element that its update changes."""
_encode = msgspec.json.Encoder().encode


def _loop(chance: random.Random) -> Iteration:
    made: dict[str, str] = {}
    sent: dict[str, Resource] = {}
    for type in _CHANGES:
        sent[type] = MAKERS[type](chance, made)
        answer = yield _sends("POST", type, sent[type], 201)
        made[type] = f"{type}/{checks.created_id(answer)}"
    for type, resource in sent.items():
        yield Ask("GET", "GET", made[type], checks.holds(_encode(resource), 200))
    for type, (element, value) in _CHANGES.items():
        id = made[type].partition("/")[2]
        yield _sends("PUT", made[type], sent[type] | {"id": id, element: value}, 200)
    for type in reversed(_CHANGES):
        yield Ask("DELETE", "DELETE", made[type], checks.status(200, 204))


def _sends(method: str, path: str, resource: Resource, status: int) -> Ask:
    body = _encode(resource)
    return Ask(method, method, path, checks.holds(body, status), body)


def _client(sample: Sample, number: int) -> Iterator[Iteration]:
    chance = random.Random(f"W1 {number}")
    while True:
        yield _loop(chance)


WORKLOAD = Workload("W1", "CRUD loop", 38, 300, _client)
