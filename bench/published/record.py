"""The record a workload runs on: kept in each size on each database, copied for every run; and what is known of it.

Resources are those of ``bench/scaled.py``: the sample data copied with ids, dates and names of its own.
"""

import random
import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit, urlunsplit

import psycopg

from bench import scaled
from bench.clusters import pin
from bench.scaled import Record, Templates
from bench.search_shapes import known
from bench.server import fresh
from deploy import postgres_cluster as cluster
from fhir_server import wiring
from fhir_server.preparation import prepare
from fhir_server.store import Session
from resources import json_codec

Resource = dict[str, Any]
DATABASES = ("sqlite", "postgresql")
KEPT = cluster.FOLDER.with_name(f"{cluster.FOLDER.name}-bench")
SMALL = 1_000
"""Up to here the record is of our own patients: reading the sample data would take longer than the workloads."""
DRAWN = 6_000
"""So many resources are drawn from the record, to be asked for."""
VALUES = 50
"""So many sets of values are drawn, each of a patient."""


# --- The record


@contextmanager
def fresh_copy(database: str, size: int, keep: Path, say: Callable[[str], object]) -> Iterator[Record]:
    """A copy of the kept record, which is made first when there is none."""
    with _COPIES[database](keep, size, say) as found:
        yield found


@contextmanager
def _sqlite(keep: Path, size: int, say: Callable[[str], object]) -> Iterator[Record]:
    kept = keep / f"sqlite_{size}"
    if not (kept / "loaded").exists():
        shutil.rmtree(kept, ignore_errors=True)
        kept.mkdir(mode=0o700, parents=True)
        seconds = scaled.fill(kept, _file(kept), size, lambda stored: say(f"{stored} of {size}"))
        (kept / "loaded").write_text(f"{seconds:.0f}\n")
    folder = keep / f"sqlite_{size}_run"
    with _folder_copy(kept, folder):
        yield Record(_file(folder), folder, size)


def _file(folder: Path) -> str:
    return f"sqlite:///{folder / 'hearth.sqlite'}"


@contextmanager
def _postgresql(keep: Path, size: int, say: Callable[[str], object]) -> Iterator[Record]:
    was_running = cluster.is_running(keep)
    try:
        kept = scaled.kept(keep, size, say)
        pin(kept.url)
        with _folder_copy(kept.folder, keep / f"scale_{size}_run") as folder, _database_copy(kept.url) as url:
            yield Record(url, folder, size)
    finally:
        if not was_running:
            cluster.stop(keep)


@contextmanager
def _folder_copy(source: Path, target: Path) -> Iterator[Path]:
    shutil.rmtree(target, ignore_errors=True)
    shutil.copytree(source, target)
    try:
        yield target
    finally:
        shutil.rmtree(target)


@contextmanager
def _database_copy(url: str) -> Iterator[str]:
    parts = urlsplit(url)
    name = parts.path.removeprefix("/")
    with psycopg.connect(urlunsplit(parts._replace(path="/postgres")), autocommit=True) as admin:
        admin.execute(f"DROP DATABASE IF EXISTS {name}_run WITH (FORCE)")
        admin.execute(f"CREATE DATABASE {name}_run TEMPLATE {name} STRATEGY file_copy")
        try:
            yield urlunsplit(parts._replace(path=f"/{name}_run"))
        finally:
            admin.execute(f"DROP DATABASE {name}_run WITH (FORCE)")


_COPIES = {"sqlite": _sqlite, "postgresql": _postgresql}


@contextmanager
def small(url: str, size: int) -> Iterator[Record]:
    """A record of our own patients on SQLite (``url`` is ``sqlite``) or a PostgreSQL server, gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="hearth-bench-") as name, fresh(url, folder := Path(name)) as own:
        found = Record(own, folder, size)
        prepare(found.settings)
        scaled.store_all(found.settings, islice(scaled.resources(scaled.own_templates()), size))
        yield found


# --- What is known of it


@dataclass(frozen=True, slots=True)
class Sample:
    """Resources of the record by type, values that it holds, the templates of new ones, and whose they are."""

    found: dict[str, list[Resource]]
    known: Sequence[dict[str, str]]
    templates: Templates
    source: str


def sample(of: Record) -> Sample:
    """Drawn by chance, the same whenever it is drawn from the same record."""
    chance = random.Random(of.size)
    prepare(of.settings)  # the record may have been kept since before a migration
    with wiring.Process(of.settings) as process:
        session = process.store.session()
        process.store.refresh_statistics()
        found = _drawn(session, chance)
        base = known(process.engine, session)
    sampled = of.size > SMALL and scaled.samples()
    templates = scaled.templates() if sampled else scaled.own_templates()
    source = "the sample data (Synthea)" if sampled else "patients of our own"
    return Sample(found, [base | _values(found, chance) for _ in range(VALUES)], templates, source)


def _drawn(session: Session, chance: random.Random) -> dict[str, list[Resource]]:
    """Resources of all types, and the patients whom the drawn encounters are of, by type and id."""
    ((low, high),) = session.query("SELECT min(rid), max(rid) FROM resource")
    rids = sorted(chance.sample(range(low, high + 1), min(DRAWN, high + 1 - low)))
    refs = []
    for first in range(0, len(rids), 500):
        numbers = ",".join(map(str, rids[first : first + 500]))
        refs += session.query(f"SELECT type, id FROM resource WHERE rid IN ({numbers})")
    found = _by_type(session, refs)
    subjects = {encounter["subject"]["reference"].partition("/")[2] for encounter in found["Encounter"]}
    return found | _by_type(session, [("Patient", id) for id in subjects])


def _by_type(session: Session, refs: Sequence[tuple[str, str]]) -> dict[str, list[Resource]]:
    found: dict[str, list[Resource]] = {}
    for (type, _), stored in sorted(session.read_many(refs).items()):
        found.setdefault(type, []).append(json_codec.decode_stored(stored.doc))
    return found


def _values(found: dict[str, list[Resource]], chance: random.Random) -> dict[str, str]:
    """Of one encounter or prescription, another patient's names, and codes; what is not there is left out."""
    patient = chance.choice(found["Patient"])
    name = patient["name"][0]
    values = _about(chance.choice(found[chance.choice(("Encounter", "MedicationRequest"))])) | {
        "family": name["family"],
        "given": name["given"][0],
        "city": patient.get("address", [{}])[0].get("city"),
        "condition": _code(found, "Condition", chance),
        "procedure": _code(found, "Procedure", chance),
        "organization": chance.choice(found.get("Organization", [{}])).get("name"),
    }
    return {key: value for key, value in values.items() if value}


def _about(resource: Resource) -> dict[str, Any]:
    """Ids of the encounter, and of whom and where an encounter or a prescription names."""
    people = [each.get("individual") for each in resource.get("participant", ())]
    places = [each.get("location") for each in resource.get("location", ())]
    return {
        "encounter": _id(resource.get("encounter")) or resource["id"],
        "patient": _id(resource["subject"]),
        "practitioner": _id(next(iter(people), None) or resource.get("requester")),
        "location": _id(next(iter(places), None)),
    }


def _id(reference: dict[str, str] | None) -> str:
    return (reference or {}).get("reference", "").rpartition("/")[2]


def _code(found: dict[str, list[Resource]], type: str, chance: random.Random) -> str:
    return str(chance.choice(found[type])["code"]["coding"][0]["code"]) if type in found else ""


def address(query: str) -> str:
    """A search as it is sent."""
    return quote(query, safe="/?&=:|%,$")
