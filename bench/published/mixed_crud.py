"""W4, mixed CRUD on a record that is there: 60 % read, 25 % update, 10 % create, 5 % delete, of five types.

After mock.health (64 threads for a server of 12 processors). A connection changes what is its own and reads anything;
it deletes what it created, for what is referred to is not deleted.
"""

import random
from collections.abc import Callable, Iterator

from bench.clinical import MAKERS
from bench.published import checks
from bench.published.load import Ask, Iteration, Workload
from bench.published.record import Sample
from resources import json_codec

VERBS = {"read": 60, "update": 25, "create": 10, "delete": 5}
TYPES = {"Observation": 50, "Patient": 20, "Condition": 15, "Encounter": 10, "MedicationRequest": 5}
CONNECTIONS = 5
_LANGUAGES = ("en", "de", "fr", "es", "it")
_STAFF = ("Location", "Organization", "Practitioner")
_REFERENCES = {type: f"{type}/bench-mixed-crud" for type in _STAFF}
"""Who is referred to by what is created."""


def _staff(sample: Sample) -> Iterator[Ask]:
    for type in _STAFF:
        body = json_codec.encode(MAKERS[type](random.Random(type), {}) | {"id": "bench-mixed-crud"})
        yield Ask("staff", "PUT", _REFERENCES[type], checks.holds(body, 201), body)


class _Client:
    """One connection: what it may change, and what it created."""

    def __init__(self, sample: Sample, number: int) -> None:
        self.chance = random.Random(f"W4 {number}")
        self.found = sample.found
        self.own = {type: list(self.found[type][number::CONNECTIONS]) for type in TYPES}
        self.created: list[tuple[str, str]] = []

    def iterations(self) -> Iterator[Iteration]:
        while True:
            yield _VERBS[self._pick(VERBS)](self, self._pick(TYPES))

    def _pick(self, weights: dict[str, int]) -> str:
        return self.chance.choices(list(weights), list(weights.values()))[0]

    def read(self, type: str) -> Iteration:
        id = self.chance.choice(self.found[type])["id"]
        yield Ask("read", "GET", f"{type}/{id}", checks.named(type, id))

    def update(self, type: str) -> Iteration:
        resource = self.chance.choice(self.own[type] or self.own["Observation"])
        changed = resource | {"language": self.chance.choice(_LANGUAGES)}
        path, body = f"{resource['resourceType']}/{resource['id']}", json_codec.encode(changed)
        yield Ask("update", "PUT", path, checks.holds(body, 200), body)

    def create(self, type: str) -> Iteration:
        about = {name: f"{name}/{self.chance.choice(self.found[name])['id']}" for name in ("Patient", "Encounter")}
        body = json_codec.encode(MAKERS[type](self.chance, about | _REFERENCES))
        answer = yield Ask("create", "POST", type, checks.holds(body, 201), body)
        self.created.append((type, checks.created_id(answer)))

    def delete(self, type: str) -> Iteration:
        if not self.created:
            yield from self.create(type)
        type, id = self.created.pop(self.chance.randrange(len(self.created)))
        yield Ask("delete", "DELETE", f"{type}/{id}", checks.status(200, 204))


_VERBS: dict[str, Callable[[_Client, str], Iteration]] = {
    "read": _Client.read,
    "update": _Client.update,
    "create": _Client.create,
    "delete": _Client.delete,
}


def _client(sample: Sample, number: int) -> Iterator[Iteration]:
    return _Client(sample, number).iterations()


WORKLOAD = Workload("W4", "mixed CRUD", CONNECTIONS, 12_000, _client, before=_staff)
