"""An API and a video process as a user would start them, a patient, a doctor, and what the record has of their visits.

FHIR R4 Encounter, Appointment, Communication, AuditEvent; docs/adr/video-record.md.
"""

import json
import os
import random
import signal
import socket
import sqlite3
import subprocess
import time
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from bench.deployment import Deployment, deployed

Json = dict[str, Any]
PATIENCE, _UP_SECONDS = 90.0, 60.0
_WAITING = {"facts": "SELECT count(*) FROM fact WHERE state <> 1", "rooms": "SELECT count(*) FROM owed"}
_TOLD = ("joined", "waiting", "admitted", "ended")
_AUDITED = ("video-join", "video-admit", "video-leave", "video-end")


class Booked(NamedTuple):
    """A visit to come: references, and the address that opens it for each of the two."""

    encounter: str
    appointment: str
    patient: str
    doctor: str


@dataclass
class House:
    """``video`` is the process that holds the visits; it can be killed and started again beside the API."""

    api: Deployment
    port: int
    media: int
    video: "subprocess.Popen[bytes] | None" = None

    @property
    def page(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start_video(self) -> None:
        """Again as the supervisor does it, which prepared everything the first time."""
        again = ["--supervised"] if self.video is not None else []
        command = [*self.api.command("serve", "video"), "--open", "--port", str(self.api.port)]
        command += ["--media-port", str(self.media), *again]
        with self.api.log.open("ab") as log:
            self.video = subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True)
        if not self._comes_up():
            raise RuntimeError(f"the video process did not come up:\n{log_of(self)}")

    def _comes_up(self) -> bool:
        end = time.monotonic() + _UP_SECONDS
        while time.monotonic() < end and self.video is not None and self.video.poll() is None:
            if self.answers():
                return True
            time.sleep(0.05)
        return False

    def answers(self) -> bool:
        try:
            urllib.request.urlopen(f"{self.page}/visit/health", timeout=5).close()
            return True
        except OSError:
            return False

    def kill_video(self) -> None:
        """kill -9 of the process and of the one that writes the record."""
        assert self.video is not None
        os.killpg(self.video.pid, signal.SIGKILL)
        self.video.wait(10)

    def stop_video(self) -> None:
        if self.video is not None and self.video.poll() is None:
            self.video.terminate()
            self.video.wait(60)

    # the record

    def ask(self, method: str, path: str, body: Json | None = None) -> Json:
        """What the API answers. Raises OSError while it is away, RuntimeError when it refuses."""
        headers = {"Content-Type": "application/fhir+json", "Accept": "application/fhir+json"}
        data = json.dumps(body).encode() if body is not None else (b"" if method == "POST" else None)
        url = f"http://127.0.0.1:{self.api.port}/fhir/{path}"
        request = urllib.request.Request(url, data, headers if data else {"Accept": headers["Accept"]}, method=method)
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                found: Json = json.load(answer)
                return found
        except urllib.error.HTTPError as error:
            raise RuntimeError(f"{method} {path}: {error.code} {error.read()[-300:]!r}") from None

    def create(self, type: str, **fields: Any) -> str:
        return f"{type}/{self.ask('POST', type, {'resourceType': type, **fields})['id']}"

    def book(self) -> Booked:
        """A patient, a doctor, their appointment, and its Encounter."""
        patient = self.create("Patient", name=[{"given": ["Ada"], "family": "Okafor"}])
        doctor = self.create("Practitioner", name=[{"prefix": ["Dr"], "family": "Bergmann"}])
        people = [{"actor": {"reference": who}, "status": "accepted"} for who in (patient, doctor)]
        times = {"start": "2026-01-05T10:00:00Z", "end": "2026-01-05T10:30:00Z"}
        appointment = self.create("Appointment", status="booked", participant=people, **times)
        encounter = self.ask("POST", f"{appointment}/$start-visit")["id"]
        return Booked(f"Encounter/{encounter}", appointment, patient, doctor)

    def url(self, booked: Booked, who: str) -> str:
        """The one-use address for ``who``; the ticket stands behind the =."""
        parts = self.ask("POST", f"{booked.appointment}/$join?participant={who}")["parameter"]
        return str(next(part["valueUrl"] for part in parts if part["name"] == "url"))

    def search(self, query: str) -> list[Json]:
        return [entry["resource"] for entry in self.ask("GET", f"{query}&_count=500").get("entry", ())]

    def owed(self) -> int:
        """Facts that the record does not have yet, wherever they wait."""
        found = 0
        for name, sql in _WAITING.items():
            with closing(sqlite3.connect(self.api.folder / "video" / f"{name}.sqlite", timeout=30)) as database:
                found += int(database.execute(sql).fetchone()[0])
        return found

    def wrong(self, booked: Booked, said: list[str]) -> list[str]:
        """What the record of a finished visit lacks or has twice; ``said`` are the messages of its chat."""
        until(lambda: not self.owed(), "facts still wait")
        return [*self._statuses(booked), *self._chat(booked, said), *self._numbers(), *self._audit(booked)]

    def _statuses(self, booked: Booked) -> list[str]:
        encounter, appointment = self.ask("GET", booked.encounter), self.ask("GET", booked.appointment)
        states = [turn["status"] for turn in encounter.get("statusHistory", ())]
        wanted = [state for state in ("arrived", "in-progress", "finished") if state not in states]
        found = [f"never {state}" for state in wanted]
        found += [] if encounter["status"] == "finished" else [f"Encounter {encounter['status']}"]
        found += [] if appointment["status"] == "fulfilled" else [f"Appointment {appointment['status']}"]
        stays = [entry for entry in encounter["participant"] if entry["id"].startswith("visit-")]
        came = {one.get("individual", {}).get("reference") for one in stays}
        found += [] if booked.doctor in came else ["the doctor was never there"]
        found += ["a stay without its times" for one in stays if one.get("period", {}).keys() != {"start", "end"}]
        return found

    def _chat(self, booked: Booked, said: list[str]) -> list[str]:
        messages = self.search(f"Communication?encounter={booked.encounter}")
        there = Counter(str(one["payload"][0]["contentString"]) for one in messages)
        lost = [f"lost: {text}" for text in said if not there[text]]
        return lost + [f"{count} times: {text}" for text, count in there.items() if count > 1 or text not in said]

    def _numbers(self) -> list[str]:
        """Every room's facts are 1 to n, each written in one transaction."""
        rooms: dict[str, list[int]] = {}
        for room, number in self.api.rows("SELECT room, number FROM video_fact ORDER BY room, number"):
            rooms.setdefault(str(room), []).append(int(number))
        return [f"facts {found} of a room" for found in rooms.values() if found != list(range(1, len(found) + 1))]

    def _audit(self, booked: Booked) -> list[str]:
        """A fact is told to the trail once; the patient's waiting, the admission and the end are there."""
        told, kinds = Counter[str](), Counter[str]()
        for word in _AUDITED:
            for event in self.search(f"AuditEvent?subtype={word}"):
                what = [one.get("what", {}) for one in event.get("entity", ())]
                if event["outcome"] == "0" and {"reference": booked.encounter} in what:
                    told.update(one["identifier"]["value"] for one in what if "identifier" in one)
                    kinds[event["outcomeDesc"].split()[0]] += 1
        lacking = [f"not in the audit trail: {kind}" for kind in _TOLD if not kinds[kind]]
        return lacking + [f"{count} times in the audit trail" for count in told.values() if count > 1]


def until(true: Callable[[], Any], words: str, seconds: float = PATIENCE) -> Any:
    """What ``true`` gives once it is so. Raises RuntimeError with ``words``."""
    end = time.monotonic() + seconds
    while not (found := true()):
        if time.monotonic() > end:
            raise RuntimeError(words)
        time.sleep(0.05)
    return found


def quiet_port(kind: socket.SocketKind) -> int:
    """A port below those that connections of others are given while the API starts."""
    while True:
        port = random.SystemRandom().randrange(20_000, 30_000)
        with suppress(OSError), socket.socket(socket.AF_INET, kind) as probe:
            probe.bind(("127.0.0.1", port))
            return port


@contextmanager
def house(database: str, *options: str) -> Iterator[House]:
    """Both processes on a fresh database: ``sqlite``, or the URL of a PostgreSQL server to make one on."""
    port, words = (
        quiet_port(socket.SOCK_STREAM),
        ("--workers", "1", "--threads", "4", "--log-level", "warning", *options),
    )
    with deployed(database, *words, "--video-port", str(port)) as api:
        made = House(api, port, quiet_port(socket.SOCK_DGRAM))
        try:
            made.start_video()
            yield made
        finally:
            made.stop_video()


def log_of(made: House) -> str:
    """The end of what both processes said, for who looks for a fault."""
    return Path(made.api.log).read_text(errors="replace")[-2000:]
