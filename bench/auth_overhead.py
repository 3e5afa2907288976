"""What the restriction costs: the application in this process asked in turns by who may see all and by a patient.

SMART App Launch 2.2 (patient/ scopes). CPU of the request's thread, the callers asked in turns request by request; the
cheaper half of each counts, so that other work of the machine does not. Tokens are measured over HTTP by `bench.auth`.
"""

import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import fmean
from urllib.parse import quote

import psycopg

from bench.bar import Bar, Figure, Profile
from bench.layers import InProcess
from bench.workload import LOINC, Clinic
from fhir_server import wiring
from fhir_server.preparation import prepare
from fhir_server.settings import load
from resources.repository import WHOLE_RECORD, Caller, Grant, Grants

OBSERVATIONS, PATIENTS = 1_500, 30
ROUNDS, FIRST = 3_000, 50
"""Requests of each caller that are measured, and those before that are not."""
READ_MS, SEARCH_SHARE = 0.05, 0.30
WHOLE = Caller("open", grants=WHOLE_RECORD)


class _Turns:
    """One patient's record among others', and the paths that an app asks for."""

    def __init__(self, inside: InProcess) -> None:
        self.inside, self.caller = inside, WHOLE
        inside.application._caller_of = lambda request: self.caller
        for type, count in {"Patient": PATIENTS, "Encounter": PATIENTS, "Observation": OBSERVATIONS}.items():
            for _ in range(count):
                inside.create(type)
        stored = inside.clinic.stored["Observation"]
        self.patient = stored[0][2]["subject"]["reference"].partition("/")[2]
        self.own = [id for id, _, body in stored if body["subject"]["reference"] == f"Patient/{self.patient}"]
        code = stored[0][2]["code"]["coding"][0]["code"]
        self.work: dict[str, Callable[[], None]] = {
            "read": self._read,
            "search by patient": lambda: self._get("Observation", f"patient={self.patient}&_count=20"),
            "search by code": lambda: self._get("Observation", f"patient={self.patient}&code={LOINC}|{code}&_count=20"),
        }

    def _read(self) -> None:
        self._get(f"Observation/{self.inside.clinic.chance.choice(self.own)}", "")

    def _get(self, path: str, query: str) -> None:
        status, body = self.inside.call("GET", f"/fhir/{path}", quote(query, safe="=&:|%"))
        assert status == 200, body

    def milliseconds(self, work: Callable[[], None], callers: dict[str, Caller], rounds: int) -> dict[str, float]:
        """CPU milliseconds of one ``work`` for each caller."""
        times: dict[str, list[float]] = {name: [] for name in callers}
        for _ in range(FIRST + rounds):
            for name, self.caller in callers.items():
                started = time.thread_time()
                work()
                times[name].append(time.thread_time() - started)
        self.caller = WHOLE
        return {name: fmean(sorted(all[FIRST:])[: rounds // 2]) * 1000 for name, all in times.items()}


def _measure(profile: Profile) -> Figure:
    notes, met = [], True
    for name, database in profile.databases.items():
        with tempfile.TemporaryDirectory(prefix="hearth-overhead-") as folder:
            url = f"sqlite:///{Path(folder) / 'hearth.sqlite'}" if name == "sqlite" else _fresh(database)
            settings = load({"DATA_DIR": folder, "DATABASE": url, "OPEN": True, "LOG_LEVEL": "error"}, {})
            prepare(settings)
            with wiring.Process(settings) as process:
                turns = _Turns(InProcess(wiring.compose(process), Clinic(5)))
                good, lines = _compared(turns, profile)
        met = met and good
        notes += [f"{name}: {line}" for line in lines]
    return Figure("; ".join(notes), met)


def _compared(turns: _Turns, profile: Profile) -> tuple[bool, list[str]]:
    own = ("Patient", turns.patient)
    callers = {
        "whole": WHOLE,
        "patient": Caller("p", grants=Grants((Grant("*", "rs", compartment=own, confidential=True),))),
        "staff": Caller("s", grants=Grants((Grant("*", "cruds"),))),
    }
    good, lines = True, []
    for name, work in turns.work.items():
        found = turns.milliseconds(work, callers, profile.size(ROUNDS, 300))
        for who in ("patient", "staff"):
            more = found[who] - found["whole"]
            good = good and (more <= READ_MS if name == "read" else more <= SEARCH_SHARE * found["whole"])
            lines.append(f"{name} of {who} {found['whole']:.3f} {more:+.3f} ms ({more / found['whole']:+.0%})")
    return good, lines


def _fresh(server: str) -> str:
    with psycopg.connect(server, autocommit=True) as admin:
        admin.execute(b"DROP DATABASE IF EXISTS auth_overhead WITH (FORCE)")
        admin.execute(b"CREATE DATABASE auth_overhead")
    return server.rpartition("/")[0] + "/auth_overhead"


BARS = [
    Bar(
        "auth_overhead: restriction of a patient and of staff",
        "a read at most 0.05 ms, a search at most 30 % more CPU",
        _measure,
        timing=True,
    )
]
