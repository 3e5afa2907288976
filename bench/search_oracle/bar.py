"""The oracle against the engine: generated queries, the same resources in the same order, on both databases.

`make bars ONLY="search: oracle"`.
"""

import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bench import samples
from bench.bar import Bar, Figure, Profile, Skipped
from bench.isolation_fuzz import NOW, OPEN, Twin, stores
from bench.isolation_record import record
from bench.search_oracle.generate import Generator
from bench.search_oracle.oracle import Oracle, Resource
from bench.search_oracle.oracle import name as reference
from resources import json_codec
from resources.errors import FhirError, TooCostly
from resources.repository import SearchRequest
from resources.search_param import extract

QUERIES = 20_000
MOST = 1100
_LEFT_OUT = frozenset(
    {"Bundle", "StructureDefinition", "SearchParameter", "CapabilityStatement", "Binary", "AuditEvent"}
)


def collection(seed: int, most: int = MOST) -> list[Resource]:
    """Resources of many types: official examples and some of a patient's record where there are samples, and ours."""
    chance, found = random.Random(seed), {reference(each): each for each in (*_ours(), *_samples())}
    kept = [each for each in found.values() if each["resourceType"] not in _LEFT_OUT and _is_sound(each)]
    chance.shuffle(kept)
    return kept[:most]


def _ours() -> list[Resource]:
    return [json_codec.decode(json_codec.encode(each)) for each in record(3)]


def _samples() -> Iterator[Resource]:
    """Raises nothing: without samples there are ours."""
    try:
        examples, synthea = samples.folder("r4_examples"), samples.folder("synthea_2021")
    except Skipped:
        return
    for path in sorted(examples.iterdir()):
        yield from _resources(path)
    for path in sorted(synthea.iterdir())[:3]:
        yield from _resources(path)


def _resources(path: Path) -> list[Resource]:
    try:
        found = samples.resource(path)
    except FhirError:
        return []
    if found["resourceType"] == "Bundle" and found.get("type") == "transaction":
        names = {
            entry["fullUrl"]: f"{entry['resource']['resourceType']}/{entry['resource']['id']}"
            for entry in found["entry"] if "id" in entry["resource"]
        }  # fmt: skip
        return [_linked(entry["resource"], names) for entry in found["entry"] if "id" in entry["resource"]]
    return [found] if "id" in found else []


def _linked(value: Any, names: dict[str, str]) -> Any:
    """References of a transaction as they are after it."""
    if isinstance(value, dict):
        return {
            key: names.get(each, each) if key == "reference" else _linked(each, names) for key, each in value.items()
        }
    return [_linked(each, names) for each in value] if isinstance(value, list) else value


def _is_sound(resource: Resource) -> bool:
    if '"comparator"' in json_codec.encode(resource).decode():  # R4 does not say what "less than 5" is less than
        return False
    try:
        extract(resource)
    except Exception:  # noqa: BLE001 an example that could not be stored asks nothing
        return False
    return True


class Trial:
    """The same resources in the oracle and in an engine."""

    def __init__(self, store: Any, resources: list[Resource], seed: int) -> None:
        self.twin = Twin(store, resources, resources)
        updated = {reference(each): NOW + n * 1000 for n, each in enumerate(resources)}
        self.oracle = Oracle(resources, updated)
        self.generator = Generator(self.oracle, seed)
        self.asked = self.refused = self.matched = 0

    def differences(self, count: int) -> list[str]:
        return [found for _ in range(count) if (found := self._difference())]

    def _difference(self) -> str:
        type, query = self.generator.query()
        self.asked += 1
        request = SearchRequest(type, query)
        try:
            page = self.twin.engine.search(self.twin.store.session(), OPEN, request)
        except TooCostly:
            self.refused += 1
            return ""
        except FhirError as error:
            return f"{_told(type, query)}: {error.issues[0].text}"
        found = [hit.version.reference for hit in page.hits if hit.mode == "match"]
        wanted = self.oracle.find(type, query)
        self.matched += bool(wanted)
        if set(found) != wanted or len(found) != len(wanted):
            more, less = sorted(set(found) - wanted)[:3], sorted(wanted - set(found))[:3]
            return f"{_told(type, query)}: too many {more}, missing {less}"
        wrong = self.oracle.misordered(type, query, found)
        return f"{_told(type, query)}: {wrong}" if wrong else ""


def _told(type: str, query: tuple[tuple[str, str], ...]) -> str:
    return f"{type}?" + "&".join(f"{name}={value}" for name, value in query if name != "_count")


def _searched(profile: Profile) -> Figure:
    count, texts, problems = profile.size(QUERIES), list[str](), list[str]()
    resources = collection(1)
    for dialect in profile.databases:
        with stores(profile, dialect, 1) as [store]:
            trial = Trial(store, resources, 7)
            found = trial.differences(count)
        problems += [f"{dialect}: {each}" for each in found]
        texts.append(
            f"{dialect}: {trial.asked:,} queries, {trial.matched:,} with matches, {trial.refused} refused as too "
            f"costly, {len(found)} differences"
        )
    return Figure(f"{len(resources)} resources; {'; '.join(texts)}", not problems, tuple(problems[:40]))


BARS = (Bar("search: oracle", "the same ids in the same order, 0 differences", _searched),)
