"""The house: the server under one folder, furnished and started by the commands that an operator uses."""

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout, suppress
from datetime import UTC, datetime, timedelta
from io import StringIO
from pathlib import Path
from typing import Any, NamedTuple

import httpx

from deploy.demo.clinic import MRN, TARIFF, clinic
from deploy.demo.phones import SECRET
from fhir_server.cli import main

PROGRAM = Path(sys.executable).with_name("hearth")
CLINICIAN, ADMINISTRATOR = "bergmann", "admin"
_PATIENCE = 60.0
_AHEAD = {"start": timedelta(minutes=3), "end": timedelta(days=2)}


class Ports(NamedTuple):
    """Of the API, the video service, the bridge; the laboratory, the pharmacy, the archive, the app, the telephones; of
    media (UDP)."""

    api: int = 8080
    video: int = 8081
    hl7: int = 2575
    lab: int = 2576
    pharmacy: int = 2577
    archive: int = 2578
    app: int = 8090
    phones: int = 8091
    media: int = 40000

    @property
    def base(self) -> str:
        return f"http://127.0.0.1:{self.api}/fhir"


class House:
    """The server under ``folder`` as its operator runs it."""

    def __init__(self, folder: Path, ports: Ports) -> None:
        self.folder, self.ports = folder, ports
        self._options = ["--data-dir", str(folder), "--port", str(ports.api)]

    def run(self, *words: str) -> str:
        """What a command of `hearth` prints, run here: a process for each would take most of the start. Raises
        SystemExit with its words when it fails."""
        with redirect_stdout(StringIO()) as told, redirect_stderr(told):
            status = main([*words, *self._options])
        if status:
            raise SystemExit(f"hearth {' '.join(words)}: {told.getvalue()}")
        return told.getvalue()

    def furnish(self) -> None:
        """The first time: the record, who logs in, the app, the peers."""
        done = self.folder / "furnished"
        if done.exists():
            return
        self._write_kit()
        (self.folder / "tariff.toml").write_text(TARIFF)
        record = self.folder / "clinic.json"
        record.write_text(json.dumps(clinic(datetime.now(UTC))))
        self.run("load", str(record), "--quiet")
        self.run("person", "add", CLINICIAN, "--name", "Dr Miriam Bergmann", "--fhir-user", "Practitioner/bergmann")
        self.run("person", "add", ADMINISTRATOR, "--name", "Administrator", "--administrator")
        self.run("person", "add", "ada", "--name", "Ada Okafor", "--fhir-user", "Patient/ada")
        scopes = "launch launch/patient openid fhirUser patient/Patient.rs patient/Observation.rs"
        where = f"http://127.0.0.1:{self.ports.app}/"
        app = ("--name", "Trends", "--kind", "public", "--redirect-uri", where, "--launch-uri", where)
        self.run("client", "add", "trends", *app, "--scopes", scopes)
        done.touch()

    def _write_kit(self) -> None:
        kit, ports = self.folder / "hl7", self.ports
        files = {"site.toml": f'application = "HEARTH"\nfacility = "CLINIC"\n[authorities]\nCLINIC = "{MRN}"\n'}
        for name, port, type, message in (
            ("lab", ports.lab, "ServiceRequest", "OML^O21"),
            ("pharmacy", ports.pharmacy, "MedicationRequest", "RDE^O11"),
            ("archive", ports.archive, "DocumentReference", "MDM^T02"),
        ):
            files[f"senders/{name}.toml"] = f'applications = ["{name.upper()}"]\nauthority = "{MRN}"\n'
            route = f'[[routes]]\ntype = "{type}"\nmessage = "{message}"\n'
            receiver = f'host = "127.0.0.1"\nport = {port}\napplication = "{name.upper()}"\nsender = "{name}"\n{route}'
            files[f"receivers/{name}.toml"] = receiver
        for name, text in files.items():
            (kit / name).parent.mkdir(parents=True, exist_ok=True)
            (kit / name).write_text(text)

    def link(self, login: str) -> str:
        """By which ``login`` chooses a password, once."""
        return next(word for word in self.run("person", "reset", login).split() if word.startswith("http"))

    @contextmanager
    def serving(self) -> Iterator[None]:
        """`hearth serve` with all its processes, until the block ends."""
        ports = self.ports
        more = ("--hl7-port", ports.hl7, "--video-port", ports.video, "--video-media-port", ports.media)
        letters = ("--webhook-url", f"http://127.0.0.1:{ports.phones}/", "--webhook-secret", SECRET)
        command = [str(PROGRAM), "serve", *self._options, *map(str, more), *letters, "--video-recording"]
        with (self.folder / "log").open("ab") as log:
            # A group of its own: Ctrl-C reaches this process, which stops that one in order.
            child = subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True)
        try:
            self._wait(child)
            yield
        finally:
            child.terminate()
            child.wait(_PATIENCE)

    def _wait(self, child: "subprocess.Popen[bytes]") -> None:
        end = time.monotonic() + _PATIENCE
        while time.monotonic() < end and child.poll() is None:
            with suppress(httpx.TransportError):
                if httpx.get(f"http://127.0.0.1:{self.ports.api}/health/ready").status_code == 200:
                    return
            time.sleep(0.2)
        raise SystemExit(f"The server did not start; {self.folder / 'log'} says why.")

    def book(self) -> str:
        """A visit by video with Dr Bergmann, as soon as there is a time; the patient's link."""
        token = self.run("token", "--scope", "system/*.cruds").splitlines()[-1]
        with httpx.Client(headers={"Authorization": f"Bearer {token}"}, base_url=self.ports.base) as client:
            start = _first_free(client)
            asked = {"schedule": "Schedule/bergmann", "start": start, "patient": "Patient/ada", "virtual": True}
            body = {"resourceType": "Parameters", "parameter": [_parameter(*one) for one in asked.items()]}
            answer = client.post(
                "/Appointment/$book", json=body | {}, headers={"Content-Type": "application/fhir+json"}
            )
            told: dict[str, Any] = answer.json()
        if answer.status_code != 200:
            raise SystemExit(f"No visit could be booked: {told['issue'][0]['details']['text']}")
        return next(part["valueUrl"] for part in told["parameter"] if part["name"] == "visit")


def _parameter(name: str, value: "str | bool") -> dict[str, Any]:
    return {"name": name, "valueBoolean" if isinstance(value, bool) else "valueString": value}


def _first_free(client: httpx.Client) -> str:
    """Some minutes ahead: of a visit whose time has come nobody is told any more."""
    now = datetime.now(UTC)
    window = {name: f"{now + ahead:%Y-%m-%dT%H:%M:%SZ}" for name, ahead in _AHEAD.items()}
    found = client.get("/Schedule/bergmann/$find", params={**window, "count": "1"}).json()
    return str(found["entry"][0]["resource"]["start"])
