"""Pages under writes: what did not change since page one is seen once, what changed at most once for each version.

FHIR R4 paging (https://hl7.org/fhir/R4/http.html#paging); `make bars ONLY="search: paging"`.
"""

import random
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

from bench.bar import Bar, Figure, Profile
from bench.server import fresh
from fhir_server.preparation import prepare
from fhir_server.settings import load
from fhir_server.wiring import Process
from resources.repository import (
    WHOLE_RECORD,
    Caller,
    Command,
    Create,
    Delete,
    Put,
    Repository,
    SearchPage,
    SearchRequest,
)

Resource = dict[str, Any]
SORTS = (
    "", "-_lastUpdated", "_lastUpdated", "date", "-date", "value-string", "-value-quantity", "subject", "code",
    "status,-date", "-date,value-quantity", "_id",
)  # fmt: skip
WALKS = 600
SIZE, MOST_ROUNDS, DISTURBED = 40, 200, 25
_CODES = ("a", "b", "c")


class Ward:
    """A repository, and the writes that go on while somebody reads."""

    def __init__(self, repository: Repository, seed: int) -> None:
        self.repository, self.chance = repository, random.Random(seed)
        self.patients = [self._made({"resourceType": "Patient"}) for _ in range(3)]
        self.living: dict[str, int] = {}
        self.gone: list[str] = []
        for _ in range(SIZE):
            self._create()

    def disturb(self) -> None:
        """A few writes: new ones, others changed (often what they are sorted by), deleted, brought back."""
        for _ in range(self.chance.randint(0, 4)):
            self.chance.choice((self._create, self._change, self._change, self._delete, self._revive))()

    def observation(self) -> Resource:
        chance = self.chance
        kind = chance.choice(
            (
                {"valueString": chance.choice(("x", "y", "Z"))},
                {"valueQuantity": {"value": chance.randint(1, 5), "unit": "kg"}},
                {},
            )
        )
        return {
            "resourceType": "Observation",
            "status": chance.choice(("final", "amended", "preliminary")),
            "code": {"coding": [{"system": "urn:c", "code": chance.choice(_CODES)}]},
            "subject": {"reference": chance.choice(self.patients)},
            **({"effectiveDateTime": f"2020-01-{chance.randint(1, 9):02}"} if chance.random() < 0.8 else {}),
            **kind,
        }  # fmt: skip

    def _made(self, resource: Resource) -> str:
        return self._commit(Create(resource)).reference

    def _commit(self, command: Command) -> Any:
        [outcome] = self.repository.commit([command])
        return outcome.version

    def _create(self) -> None:
        if len(self.living) >= 2 * SIZE:
            return
        version = self._commit(Create(self.observation()))
        self.living[version.id] = version.version

    def _change(self) -> None:
        if self.living:
            id = self.chance.choice(list(self.living))
            self.living[id] = self._commit(Put({**self.observation(), "id": id}, "Observation", id)).version

    def _delete(self) -> None:
        if len(self.living) > SIZE // 2:
            id = self.chance.choice(list(self.living))
            self._commit(Delete("Observation", id))
            del self.living[id]
            self.gone.append(id)

    def _revive(self) -> None:
        if self.gone and len(self.living) < 2 * SIZE:
            id = self.gone.pop(self.chance.randrange(len(self.gone)))
            self.living[id] = self._commit(Put({**self.observation(), "id": id}, "Observation", id)).version


class Walk:
    """One reader, forward to the end and back to the beginning."""

    def __init__(self, ward: Ward, sort: str, filter: tuple[str, str] | None) -> None:
        self.ward = ward
        pairs = [("_sort", sort)] if sort else []
        self.asked = (*pairs, *([filter] if filter else []), ("_count", str(ward.chance.randint(1, 9))))

    def problems(self) -> list[str]:
        whole = self._page((*self.asked[:-1], ("_count", "1000")))
        before = {(hit.version.id, hit.version.version) for hit in whole.hits}
        first = self._page(self.asked)
        forward, last = self._on(first, "next")
        wrong = self._checked("forward", before, forward)
        before = {pair for pair in before if self._stands(pair)}
        # Back from the last page: that one belongs to the way too.
        back, _ = self._on(last, "previous")
        return wrong + self._checked("back", before & set(forward), back)

    def _on(self, page: SearchPage, relation: str) -> tuple[list[tuple[str, int]], SearchPage]:
        seen = [(hit.version.id, hit.version.version) for hit in page.hits]
        for number in range(MOST_ROUNDS):
            if relation not in page.links:
                return seen, page
            if number < DISTURBED:  # who writes as fast as another reads keeps them reading
                self.ward.disturb()
            page = self._page(tuple(parse_qsl(page.links[relation], keep_blank_values=True)))
            seen += [(hit.version.id, hit.version.version) for hit in page.hits]
        raise RuntimeError(f"{relation} never ends: {self.asked}")

    def _page(self, params: tuple[tuple[str, str], ...]) -> SearchPage:
        return self.ward.repository.search(SearchRequest("Observation", params))

    def _stands(self, pair: tuple[str, int]) -> bool:
        return self.ward.living.get(pair[0]) == pair[1]

    def _checked(self, way: str, before: set[tuple[str, int]], seen: list[tuple[str, int]]) -> list[str]:
        counts = Counter(seen)
        twice = [pair for pair, count in counts.items() if count > 1]
        lost = [pair for pair in before if self._stands(pair) and not counts[pair]]
        told = f"{dict(self.asked)} {way}"
        return [f"{told}: {pair} twice" for pair in twice[:2]] + [f"{told}: {pair} not seen" for pair in lost[:2]]


@contextmanager
def wards(database: str, seed: int) -> Iterator[Ward]:
    with tempfile.TemporaryDirectory(prefix="hearth-bars-") as folder, fresh(database, Path(folder)) as url:
        settings = load({"DATA_DIR": folder, "DATABASE": url, "OPEN": True}, {})
        prepare(settings)
        with Process(settings) as process:
            yield Ward(process.repository(Caller("reader", grants=WHOLE_RECORD)), seed)


def walked(ward: Ward, count: int) -> list[str]:
    """What is wrong with so many walks."""
    found = []
    for n in range(count):
        filter = ward.chance.choice(
            (None, None, ("code", "a,b"), ("subject:Patient._id", ward.patients[0].split("/")[1]))
        )
        found += Walk(ward, SORTS[n % len(SORTS)], filter).problems()
    return found


def _paged(profile: Profile) -> Figure:
    count, problems = profile.size(WALKS, 2 * len(SORTS)), list[str]()
    for name, database in profile.databases.items():
        with wards(database, 5) as ward:
            problems += [f"{name}: {problem}" for problem in walked(ward, count)]
    text = f"{count:,} walks there and back in {len(SORTS)} orders on each database, {len(problems)} problems"
    return Figure(text, not problems, tuple(problems[:20]))


BARS = (Bar("search: paging under writes", "what did not change is seen once, what did once a version", _paged),)
