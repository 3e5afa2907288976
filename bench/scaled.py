"""A record of any size: patients of the sample data copied with ids, dates and names of their own.

``python -m bench.scaled --size 1000000 --keep FOLDER`` loads into a PostgreSQL cluster in FOLDER, for
``make bars KEEP=FOLDER``; what it holds already is kept. Without the sample data they are patients of our own.
"""

import argparse
import json
import random
import re
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from itertools import count, islice
from multiprocessing import get_context
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import psycopg

from bench.bar import Profile, Skipped
from bench.clinical import chart
from bench.samples import content, files
from bench.server import fresh
from bench.workload import FAMILIES, GIVEN
from deploy import postgres_cluster as cluster
from fhir_server import wiring
from fhir_server.preparation import prepare
from fhir_server.repository.versions import written
from fhir_server.settings import Settings, load
from fhir_server.store import Integrity, Session
from resources import json_codec

Resource = dict[str, Any]
Parts = list[str | tuple[str, str]]
"""The text of a resource in pieces: as it is, or (kind, what) that every copy writes in its own way."""

BATCH = 1000
LOADERS = 2
SMALL = 5_000
"""So many are stored by this process itself."""
SHARED = ("Organization", "Practitioner", "PractitionerRole", "Location")
SHARERS = 10
"""So many copies have their hospitals and staff in common."""
_SLOT = re.compile(r"([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})|\b((?:19|20)\d\d-\d\d-\d\d)\b")
_LOCAL = re.compile(r'"urn:uuid:([^"]*)"')
_CRITERIA = re.compile(r'"([A-Z]\w+)\?identifier=([^"|]*)\|([^"]*)"')


@dataclass(frozen=True, slots=True)
class Template:
    """One resource to be copied."""

    type: str
    id: str
    shared: bool
    parts: Parts


Templates = tuple[tuple[Template, ...], ...]
"""By bundle."""

# --- Templates


@cache
def templates() -> Templates:
    """Every bundle as the templates of its resources; their references point to each other by Type/id."""
    return _templates(_sampled() or made())


@cache
def own_templates() -> Templates:
    """Those of patients of our own, which are made sooner than the sample data is read."""
    return _templates(made())


def _templates(bundles: Sequence[Sequence[Resource]]) -> Templates:
    stubs: dict[str, Resource] = {}
    known = {
        f"{system}|{value}": f"{r['resourceType']}/{r['id']}" for r in _all(bundles) for system, value in _names(r)
    }
    shared = {r["id"] for r in _all(bundles) if r["resourceType"] in SHARED}
    texts = [[(r, _linked(json.dumps(r, separators=(",", ":")), known, stubs)) for r in bundle] for bundle in bundles]
    texts.append([(stub, json.dumps(stub, separators=(",", ":"))) for stub in stubs.values()])
    shared |= {stub["id"] for stub in stubs.values()}
    seen: set[str] = set()  # bundles bring the same hospitals again
    once = [[(r, t) for r, t in bundle if not (r["id"] in seen or seen.add(r["id"]))] for bundle in texts]  # type: ignore[func-returns-value]
    return tuple(tuple(_template(r, text, shared) for r, text in bundle) for bundle in once if bundle)


def samples() -> list[Path]:
    """The files of the sample data, none when it is not there."""
    try:
        return [path for name in ("synthea_2019", "synthea_2021") for path in files(name, ".json", _EVERYTHING)]
    except Skipped:
        return []


def _sampled() -> list[list[Resource]]:
    found = []
    for path in samples():
        text = content(path).decode()
        text = _relative(text)
        entries = json.loads(text)["entry"]
        found.append([e["resource"] | {"id": e["fullUrl"].rpartition("/")[2]} for e in entries])
    return found


def _relative(text: str) -> str:
    """The text of a bundle with Type/id wherever it has the urn of one of its entries."""
    types = {e["fullUrl"].removeprefix("urn:uuid:"): e["resource"]["resourceType"] for e in json.loads(text)["entry"]}
    return _LOCAL.sub(lambda match: f'"{types[match[1]]}/{match[1]}"' if match[1] in types else match[0], text)


_EVERYTHING = Profile("full", 1.0, "")


def made() -> list[list[Resource]]:
    """Forty patients of our own."""
    return [chart(seed) for seed in range(40)]


def _all(bundles: Sequence[Sequence[Resource]]) -> Iterator[Resource]:
    return (resource for bundle in bundles for resource in bundle)


def _names(resource: Resource) -> list[tuple[str, str]]:
    if resource["resourceType"] not in SHARED:
        return []
    return [(i.get("system", ""), i.get("value", "")) for i in resource.get("identifier", ())]


def _linked(text: str, known: dict[str, str], stubs: dict[str, Resource]) -> str:
    """Conditional references become references; who is not in the sample data is made up."""

    def reference(match: "re.Match[str]") -> str:
        type, system, value = match.groups()
        name = f"{system}|{value}"
        if name not in known:
            id = str(uuid.uuid5(uuid.NAMESPACE_URL, name))
            known[name] = f"{type}/{id}"
            label: Any = [{"family": value}] if type == "Practitioner" else f"{type} {value}"
            stubs[name] = {
                "resourceType": type,
                "id": id,
                "identifier": [{"system": system, "value": value}],
                "name": label,
            }
        return f'"{known[name]}"'

    return _CRITERIA.sub(reference, text)


def _template(resource: Resource, text: str, shared: set[str]) -> Template:
    parts: Parts = []
    last = 0
    for match in _SLOT.finditer(text):
        parts.append(text[last : match.start()])
        id, day = match.groups()
        parts.append(("day", day) if day else ("shared" if id in shared else "own", id))
        last = match.end()
    parts.append(text[last:])
    type = resource["resourceType"]
    return Template(type, resource["id"], type in SHARED or resource["id"] in shared, parts)


# --- Copies


class Copy:
    """One copy of every bundle: its ids, dates and names. ``of`` are the templates, else those of the sample data."""

    def __init__(self, number: int, of: Templates = ()) -> None:
        self.number, self.of = number, of or templates()
        self.first_of_group = number % SHARERS == 0
        self._mix = {"own": _spread(number), "shared": _spread(number // SHARERS + (1 << 30))}
        self._days: dict[str, str] = {}
        self.chance = random.Random(number)

    def resources(self) -> Iterator[Resource]:
        """In an order of chance, bundle by bundle; hospitals and staff with the first copy of those that share them."""
        for bundle in self.bundles():
            for template in bundle:
                if not template.shared or self.first_of_group:
                    yield self.resource(template)

    def bundles(self) -> Iterator[Sequence[Template]]:
        """Each bundle; its resources have to be made before the next is asked for, for they have dates in common."""
        bundles = list(self.of)
        self.chance.shuffle(bundles)
        for bundle in bundles:
            self._days, self._shift = {}, timedelta(-self.chance.randrange(2500))
            yield bundle

    def resource(self, template: Template) -> Resource:
        text = "".join(part if isinstance(part, str) else self._written(*part) for part in template.parts)
        resource: Resource = json_codec.decode(text.encode())
        resource["id"] = self._written("shared" if template.shared else "own", template.id)
        if template.type == "Patient":
            _rename(resource, self.chance)
        return resource

    def _written(self, kind: str, what: str) -> str:
        if kind == "day":
            return self._days.get(what) or self._day(what)
        return f"{int(what[:8], 16) ^ self._mix[kind]:08x}{what[8:]}"

    def _day(self, day: str) -> str:
        try:
            moved = (date.fromisoformat(day) + self._shift).isoformat()
        except ValueError:
            moved = day
        self._days[day] = moved
        return moved


def _spread(number: int) -> int:
    return number * 2654435761 & 0xFFFFFFFF


def _rename(patient: Resource, chance: random.Random) -> None:
    family = chance.choice(FAMILIES) + str(chance.randrange(1000))
    given = chance.choice(GIVEN) + str(chance.randrange(1000))
    for name in patient.get("name", ()):
        name |= {"family": family, "given": [given]}
    for identifier in patient.get("identifier", ()):
        if "type" in identifier and not _SLOT.fullmatch(identifier.get("value", "")):
            identifier["value"] = f"{identifier.get('value', '')}-{chance.randrange(10**9)}"


def resources(of: Templates = ()) -> Iterator[Resource]:
    """Copy after copy without end."""
    for number in count():
        yield from Copy(number, of).resources()


# --- Loading


def settings_of(folder: Path, url: str) -> Settings:
    """Of a server on what was loaded."""
    return load({"DATA_DIR": str(folder), "DATABASE": url, "OPEN": True}, {})


def fill(folder: Path, url: str, size: int, told: Callable[[int], object] = lambda stored: None) -> float:
    """Store ``size`` resources by processes of their own; the seconds it took. ``told`` hears how many are stored."""
    prepare(settings_of(folder, url))
    if size <= SMALL:
        return store_all(settings_of(folder, url), islice(resources(), size))
    context, started = get_context("spawn"), time.monotonic()
    stored = context.Value("q", 0)
    shares = [size // LOADERS + (n < size % LOADERS) for n in range(LOADERS)]
    loaders = [
        context.Process(target=_load, args=(folder, url, n, share, stored)) for n, share in enumerate(shares) if share
    ]
    for loader in loaders:
        loader.start()
    while any(loader.is_alive() for loader in loaders):
        loaders[0].join(10.0 if size > 20_000 else 0.5)
        told(stored.value)
    for loader in loaders:
        loader.join()
    if any(loader.exitcode for loader in loaders):
        raise RuntimeError("a loader failed")
    return time.monotonic() - started


def store_all(settings: Settings, source: Iterator[Resource]) -> float:
    """Store all of ``source`` from this process; the seconds it took."""
    started = time.monotonic()
    with wiring.Process(settings) as process:
        while batch := list(islice(source, BATCH)):
            store(process.store.session(), batch, process.settings.base_url)
    return time.monotonic() - started


def _load(folder: Path, url: str, number: int, size: int, stored: Any) -> None:
    # Copies by turns, but hospitals and staff come with the first of ten: references are checked by nobody here.
    settings = settings_of(folder, url)
    with wiring.Process(settings) as process:
        session = process.store.session()
        source = islice(_of_loader(number), size)
        while batch := list(islice(source, BATCH)):
            store(session, batch, settings.base_url)
            with stored.get_lock():
                stored.value += len(batch)


def _of_loader(number: int) -> Iterator[Resource]:
    group = number
    while True:
        for copy in range(group * SHARERS, (group + 1) * SHARERS):
            yield from Copy(copy).resources()
        group += LOADERS


def store(session: Session, batch: Sequence[Resource], base: str) -> None:
    """One transaction of new resources under their own ids."""
    writes = [written(resource, "PUT", resource["id"], None, base, 0) for resource in batch]
    session.write_all(writes, integrity=Integrity(targets=False, referrers=False))


# --- What is kept


@dataclass(frozen=True, slots=True)
class Record:
    """A loaded database, the folder with its keys, its size, and how long it took (0: it was there)."""

    url: str
    folder: Path
    size: int
    seconds: float = 0.0

    @property
    def settings(self) -> Settings:
        return settings_of(self.folder, self.url)


def kept(keep: Path, size: int, say: Callable[[str], object] = lambda text: None) -> Record:
    """The record of ``size`` resources in the cluster under ``keep``, loaded when it is not there yet."""
    server = cluster.start(keep)
    name = f"scale_{size}"
    record = Record(urlunsplit(urlsplit(server)._replace(path=f"/{name}")), _owned(keep / name), size)
    with psycopg.connect(server, autocommit=True) as admin:
        if (record.folder / "loaded").exists():
            prepare(record.settings)  # it may be of an earlier release
            return record
        admin.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
        admin.execute(f"CREATE DATABASE {name}")
    return loaded(record, say)


def _owned(folder: Path) -> Path:
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return folder


def loaded(record: Record, say: Callable[[str], object] = lambda text: None) -> Record:
    """Fill it, and bring its statistics and visibility maps to what autovacuum would have made of it."""
    seconds = fill(record.folder, record.url, record.size, lambda stored: say(f"{stored} of {record.size}"))
    with psycopg.connect(record.url, autocommit=True) as admin:
        admin.execute("VACUUM (ANALYZE)")
    (record.folder / "loaded").write_text(f"{seconds:.0f}\n")
    return Record(record.url, record.folder, record.size, seconds)


@contextmanager
def record(profile: Profile, size: int, keep: Path | None = None) -> Iterator[Record]:
    """A record of ``size`` resources: of ``keep``, or a new one that goes away again. Raises Skipped."""
    if keep is not None:
        yield kept(keep, size)
        return
    if not profile.postgresql:
        raise Skipped("no PostgreSQL")
    with tempfile.TemporaryDirectory(prefix="hearth-scaled-") as folder, fresh(profile.postgresql, Path(folder)) as url:
        yield loaded(Record(url, Path(folder), size))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size", type=int, default=100_000)
    parser.add_argument("--keep", type=Path, required=True)
    arguments = parser.parse_args()
    last = [time.monotonic()]

    def say(text: str) -> None:
        if time.monotonic() - last[0] >= 30:
            last[0] = time.monotonic()
            print(time.strftime("%H:%M:%S"), text, flush=True)

    found = kept(arguments.keep, arguments.size, say)
    speed = f"{found.size / found.seconds:.0f} resources/s" if found.seconds else "it was there"
    print(f"{found.url} {speed}; keys under {found.folder}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
