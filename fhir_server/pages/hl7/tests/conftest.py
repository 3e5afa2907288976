"""A whole server in process with a site kit, on SQLite and then on PostgreSQL, and what its journal is fed with."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from time import time
from typing import Any

import pytest

from fhir_server.hl7_applying import applier_of
from fhir_server.pages.tests.browser import BASE, Browser
from fhir_server.preparation import prepare
from fhir_server.settings import load
from fhir_server.wiring import Process, compose
from hl7_bridge.door import Caps, arrive, incoming
from hl7_bridge.ports import Incoming
from hl7_bridge.site.files import read_site
from resources.repository import WHOLE_RECORD, Caller, SearchRequest

__all__ = ["BASE", "Browser"]
SITE = {
    "senders/lab.toml": 'applications = ["LAB"]\nauthority = "urn:oid:1.2.3"\nsilence_minutes = 30\n',
    "senders/adt.toml": 'applications = ["ADT"]\nauthority = "urn:oid:1.2.3"\n',
    "receivers/pharmacy.toml": 'host = "127.0.0.1"\nport = 2599\n[[routes]]\ntype = "MedicationRequest"\n'
    'message = "RDE^O11"\n',
}
ORU = (
    "MSH|^~\\&|LAB|A|||20260101||ORU^R01|{id}|P|2.5.1\r"
    "PID|||{patient}^^^HOSP||Okafor^Ada\r"
    "ORC|RE|P{id}|F{id}\r"
    "OBR|1|P{id}^A|F{id}^B|718-7^Hb^LN|||20260101||||||||||||||||||F\r"
    "OBX|1|{kind}|718-7^Hb^LN||13.5|g/dL^^UCUM||{flag}|||F\r"
)


@dataclass
class Rig:
    """The server, and hands that put messages into its journal."""

    process: Process
    browser: Browser
    apply: Callable[[Any], Any]
    browsers: Callable[[], Browser]
    numbers: list[int] = field(default_factory=list)

    def take(self, id: str = "1", *, patient: str = "5", kind: str = "NM", flag: str = "", ago: int = 0) -> int:
        """A message comes; its number."""
        return self.take_raw(ORU.format(id=id, patient=patient, kind=kind, flag=flag).encode(), ago)

    def take_raw(self, raw: bytes, ago: int = 0) -> int:
        sender = self.process.console.senders()("lab")
        arrival = arrive(raw, lambda *_: sender, Caps())
        return self._receive(incoming(arrival, int(time() * 1000) - ago * 1000))

    def queue(self, id: str = "1") -> int:
        """A message to the pharmacy waits; its number."""
        raw = f"MSH|^~\\&|HEARTH||||20260101||RDE^O11|{id}|P|2.5.1\r".encode()
        now = int(time() * 1000)
        return self._receive(Incoming("pharmacy", raw, now, id, "RDE", "O11", "2.5.1", (), direction="out"))

    def _receive(self, incoming: Incoming) -> int:
        self.numbers.append(self.process.journal.receive([incoming])[0].id)
        return self.numbers[-1]

    def work(self) -> None:
        """Everything that came in and waits is applied, or comes to another end."""
        while claimed := self.process.journal.claim(100, 60):
            for work in claimed:
                self.apply(work)

    def state(self, id: int) -> str:
        entry = self.process.journal.read(id)
        assert entry
        return entry.state.value

    def audited(self) -> list[tuple[str, str, str]]:
        """(who, what, detail) of the rows about messages."""
        self.process.spool.drain(self.process.trail())
        rows = self.process.store.session().query(
            "SELECT who, entity, detail FROM audit WHERE interaction = 'hl7-message' ORDER BY recorded, n"
        )
        return [tuple(row) for row in rows]  # type: ignore[misc]

    def search(self, type: str, *params: tuple[str, str]) -> int:
        repository = self.process.repository(Caller("test", grants=WHOLE_RECORD))
        return len(repository.search(SearchRequest(type, params)).hits)


def write_site(folder: Path) -> None:
    for name, text in SITE.items():
        path = folder / "hl7" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def _rig(url: str, folder: Path, **more: Any) -> Iterator[Rig]:
    write_site(folder)
    settings = load({"DATA_DIR": str(folder), "DATABASE": url, **more}, {})
    prepare(settings)
    with Process(settings) as process:
        application = compose(process)
        applier, _ = applier_of(process, read_site(settings.hl7_site))
        yield Rig(process, Browser(application), applier.apply, lambda: Browser(application))


@pytest.fixture
def rig(database_url: str, tmp_path: Path) -> Iterator[Rig]:
    """Without authentication."""
    yield from _rig(database_url, tmp_path, OPEN=True)


@pytest.fixture
def secured(database_url: str, tmp_path: Path) -> Iterator[Rig]:
    yield from _rig(database_url, tmp_path)
