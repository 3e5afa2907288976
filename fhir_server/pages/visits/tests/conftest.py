"""A clinic at noon with a patient, two practitioners and an appointment, served in process on SQLite."""

import shutil
from base64 import b64decode
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from fhir_server.pages.tests.browser import Browser
from fhir_server.preparation import prepare
from fhir_server.settings import load
from fhir_server.wiring import Process, compose
from resources.instant import instant
from resources.json_codec import decode_stored
from resources.repository import WHOLE_RECORD, Caller, Put, SearchRequest

Json = dict[str, Any]
NOW = datetime.now(UTC).replace(microsecond=0)
ZONE = f"Etc/GMT{NOW.hour - 12:+d}"
"""Where it is noon, so that no test meets midnight."""
LOINC = "http://loinc.org"
MARKUP = '<img src=x onerror="alert(1)">'


def concept(text: str, code: str = "", system: str = LOINC) -> Json:
    return ({"text": text} if text else {}) | ({"coding": [{"system": system, "code": code}]} if code else {})


def at(minutes: int) -> str:
    return instant(int((NOW + timedelta(minutes=minutes)).timestamp() * 1000))


class House:
    """What the record has; everything has an id of its own choice."""

    def __init__(self, process: Process) -> None:
        self._repository = process.repository(Caller("test", grants=WHOLE_RECORD))

    def put(self, type: str, id: str, /, **of: Any) -> str:
        given = {name: value for name, value in of.items() if value is not None}
        self._repository.commit([Put({"resourceType": type, "id": id} | given, type, id)])
        return f"{type}/{id}"

    def people(self) -> None:
        self.put(
            "Patient", "ada", name=[{"given": ["Ada"], "family": "Okafor"}], birthDate="1980-02-28", gender="female"
        )
        self.put("Practitioner", "ben", name=[{"prefix": ["Dr"], "given": ["Ben"], "family": "Wolf"}])
        self.put("Practitioner", "eve", name=[{"prefix": ["Dr"], "family": "Stein"}])
        self.put("PractitionerRole", "eves", practitioner={"reference": "Practitioner/eve"})

    def booked(self, id: str, who: str = "Practitioner/ben", minutes: int = 0, **of: Any) -> str:
        people = [{"actor": {"reference": one}, "status": "accepted"} for one in ("Patient/ada", who)]
        virtual = [{"coding": [{"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "VR"}]}]
        made = {"status": "booked", "participant": people, "start": at(minutes), "end": at(minutes + 20)}
        return self.put("Appointment", id, **(made | {"serviceType": virtual, "reasonCode": [concept("Cough")]} | of))

    def visit(self, id: str = "visit", **of: Any) -> str:
        virtual = {"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "VR"}
        made = {"status": "in-progress", "class": virtual, "subject": {"reference": "Patient/ada"}}
        made["participant"] = [{"individual": {"reference": "Practitioner/ben"}}]
        return self.put("Encounter", id, **(made | {"period": {"start": at(-5)}} | of))

    def all(self, type: str, *params: tuple[str, str]) -> list[Json]:
        page = self._repository.search(SearchRequest(type, (*params, ("_count", "100"))))
        return [decode_stored(hit.version.doc) for hit in page.hits]

    def texts(self) -> list[str]:
        found = self.all("DocumentReference")
        return [b64decode(one["content"][0]["attachment"]["data"]).decode() for one in found]


@dataclass
class Rig:
    process: Process
    application: Any
    house: House

    @property
    def browser(self) -> Browser:
        return Browser(self.application)

    def audited(self, interaction: str) -> list[tuple[str, str]]:
        """(who, client) of the rows."""
        self.process.spool.drain(self.process.trail())
        rows = self.process.store.session().query(
            "SELECT who, client FROM audit WHERE interaction = $1 ORDER BY recorded, n", [interaction]
        )
        return [tuple(row) for row in rows]  # type: ignore[misc]


def rigged(folder: Path, **more: Any) -> Iterator[Rig]:
    given = {"DATA_DIR": str(folder), "DATABASE": f"sqlite:///{folder / 'hearth.db'}", "TIME_ZONE": ZONE}
    settings = load(given | {"VIDEO_PUBLIC_URL": "http://localhost:1"} | more, {})
    prepare(settings)
    with Process(settings) as process:
        rig = Rig(process, compose(process), House(process))
        rig.house.people()
        yield rig


@pytest.fixture
def folder(_migrated_sqlite: Path, tmp_path: Path) -> Path:
    """With a database that has its tables."""
    shutil.copy(_migrated_sqlite, tmp_path / "hearth.db")
    return tmp_path


@pytest.fixture
def rig(folder: Path) -> Iterator[Rig]:
    """Without authentication; nobody answers where the video process should be."""
    yield from rigged(folder, OPEN=True)


@pytest.fixture
def secured(folder: Path) -> Iterator[Rig]:
    yield from rigged(folder)
