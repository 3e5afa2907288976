"""`hearth serve` with the HL7 v2 bridge in it, a site kit written as an operator does, and what it keeps."""

import os
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from conformance_tests.client import Client, Json
from conformance_tests.hl7.wire import Wire
from conformance_tests.process import free_port, stop, wait
from conformance_tests.smart.hearth import PROGRAM, Hearth

Kit = Mapping[str, str]
"""The site kit: file below its folder to text."""

AUTHORITIES = '[authorities]\nHOSP = "urn:oid:2.16.840.1.113883.19.4.6"\n'
KIT: Kit = {
    "site.toml": f'application = "HEARTH"\nfacility = "EAST"\n{AUTHORITIES}',
    "senders/lab.toml": 'applications = ["LAB"]\nauthority = "urn:oid:2.16.840.1.113883.19.4.6"\n',
    "senders/later.toml": 'applications = ["LATER"]\nack = "stored"\n',
    "senders/narrow.toml": 'applications = ["NARROW"]\ntypes = ["ORU^R01", "ADT"]\nprocessing_ids = ["P", "T"]\n',
    "senders/western.toml": 'applications = ["WESTERN"]\ncharset = "cp1252"\n',
    "senders/bare.toml": 'applications = ["BARE"]\n',
}


@dataclass
class Bridge:
    """A running server: ``port`` takes MLLP. ``start`` and ``stop`` may be called again; the data stay."""

    hearth: Hearth
    port: int
    options: tuple[str, ...] = ()
    child: "subprocess.Popen[bytes] | None" = None
    _clients: list[Client] = field(default_factory=list)

    def start(self) -> None:
        port = self.hearth.base.split(":")[2].split("/")[0]
        command = [str(PROGRAM), "serve", "--port", port, "--hl7-port", str(self.port)]
        command += ["--hl7-answer-seconds", "60"]  # AA says applied, however busy the machine is
        command += ["--data-dir", str(self.hearth.folder), *self.options]
        command += ["--database", self.hearth.database] if self.hearth.database else []
        environment = {name: value for name, value in os.environ.items() if not name.startswith("HEARTH_")}
        with (self.hearth.folder / "log").open("ab") as log:
            self.child = subprocess.Popen(command, stdout=log, stderr=log, env=environment)
        wait(self.child, f"http://127.0.0.1:{port}/health/ready", self.hearth.folder / "log")
        until(self._listens)

    def _listens(self) -> bool:
        try:
            Wire(self.port).close()
        except OSError:
            return False
        return True

    def stop(self) -> None:
        for client in self._clients:
            client.close()
        self._clients.clear()
        if self.child is not None:
            stop(self.child)

    def wire(self) -> Wire:
        return Wire(self.port)

    def client(self) -> Client:
        """One that may do everything."""
        made = Client(self.hearth.base, lambda: self.hearth.token("system/*.cruds"))
        self._clients.append(made)
        return made

    def hl7(self, action: str, *arguments: str) -> str:
        """What ``hearth hl7`` prints."""
        return self.hearth.run("hl7", action, *arguments)

    def printed(self) -> str:
        return self.hearth.printed()


@contextmanager
def bridged(folder: Path, database: str = "", *options: str, kit: Kit = KIT, port: int = 0) -> Iterator[Bridge]:
    """`hearth serve` with its data in ``folder``, until the block ends."""
    for name, text in kit.items():
        path = folder / "hl7" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    bridge = Bridge(Hearth(f"http://127.0.0.1:{free_port()}/fhir", folder, database), port or free_port(), options)
    try:
        bridge.start()
        yield bridge
    finally:
        bridge.stop()


def until(true: Callable[[], bool], seconds: float = 30.0) -> None:
    """Returns once ``true`` is. Raises AssertionError when that takes too long."""
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, f"not within {seconds} s: {true}"
        time.sleep(0.1)


def found(fhir: Client, type: str, **query: str) -> list[Json]:
    """The resources a search finds; ``code_value`` style names are written with a hyphen."""
    asked = {name.replace("_", "-") if not name.startswith("_") else name: value for name, value in query.items()}
    bundle = fhir.get(type, query={"_count": "200", **asked}).json()
    return [entry["resource"] for entry in bundle.get("entry", ()) if entry["search"]["mode"] == "match"]
