"""Bars of authorization over HTTP: what a token costs, how soon a revoked one is refused, who wins a race.

SMART App Launch 2.2, RFC 7009, RFC 9700 section 4.14.2. Open and secured servers hold the same record and are asked in
turns, in small batches; the cheaper half of each counts, so that other work of the machine does not.
"""

import json
import time
from base64 import urlsafe_b64encode
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from pathlib import Path
from statistics import fmean
from threading import Barrier
from typing import Any
from urllib.parse import urlencode

from bench.bar import Bar, Figure, Profile
from bench.processes import descendants
from bench.secured import Line, Secured, secured
from bench.server import Server, serving
from smart_auth.model import Approval, Client, Code, Person, RefreshToken
from smart_auth.people.secret import digest, fresh

OBSERVATIONS = 60
BATCHES, BATCH = 200, 40
READ_MS, SEARCH_SHARE = 0.05, 0.30
TRIALS, SOONEST = 100, 1.0
THREADS, REPETITIONS = 20, 200
VERIFIER = "v" * 43
CHALLENGE = urlsafe_b64encode(sha256(VERIFIER.encode()).digest()).decode().rstrip("=")
REDIRECT = "https://app.example/back"
_FORM = "application/x-www-form-urlencoded"


# --- (a) what a token costs -------------------------------------------------------------------------------------------


def _record() -> list[dict[str, Any]]:
    """Two patients and their observations."""
    patients = [{"resourceType": "Patient", "id": id, "name": [{"family": id}]} for id in ("ada", "bob")]
    code = {"coding": [{"system": "http://loinc.org", "code": "8867-4"}]}
    observations = [
        {
            "resourceType": "Observation",
            "id": f"{patient['id']}-{n}",
            "status": "final",
            "code": code,
            "subject": {"reference": f"Patient/{patient['id']}"},
            "effectiveDateTime": f"2026-01-{n % 28 + 1:02}",
        }
        for n in range(OBSERVATIONS)
        for patient in patients
    ]
    return [*patients, *observations]


def _fill(port: int, token: str = "") -> None:
    line = Line(port, token)
    entries = [
        {"resource": each, "request": {"method": "PUT", "url": f"{each['resourceType']}/{each['id']}"}}
        for each in _record()
    ]
    bundle = {"resourceType": "Bundle", "type": "transaction", "entry": entries}
    status, body = line.send("POST", "/fhir", json.dumps(bundle).encode())
    assert status == 200, body
    line.close()


def _cpu(server: Server) -> float:
    """CPU seconds of the server's processes so far, to the nanosecond (ticks are too coarse for a batch)."""
    tasks = [task for pid in (server.pid, *descendants(server.pid)) for task in Path(f"/proc/{pid}/task").glob("*")]
    return sum(int((task / "schedstat").read_text().split()[0]) for task in tasks) / 1e9


WORK: dict[str, Callable[[int], str]] = {
    "read": lambda n: f"/fhir/Observation/ada-{n % OBSERVATIONS}",
    "search": lambda n: f"/fhir/Observation?patient=ada&code=8867-4&_count=20&date=ge2026-01-{n % 20 + 1:02}",
}


def _batch(server: Server, line: Line, work: Callable[[int], str], size: int) -> float:
    """CPU milliseconds of the server for one request."""
    before = _cpu(server)
    for n in range(size):
        status, body = line.get(work(n))
        assert status == 200, body
    return (_cpu(server) - before) / size * 1000


def _costs(database: str, profile: Profile) -> dict[str, dict[str, float]]:
    """CPU milliseconds by kind of request and kind of caller."""
    quiet = ("--log-level", "warning", "--workers", "1")
    with serving(database, *quiet, pinned=False) as plain, secured(database, *quiet) as closed:
        _fill(plain.port)
        _fill(closed.server.port, closed.token("user/*.cruds"))
        lines = {
            "open": (plain, Line(plain.port)),
            "user": (closed.server, Line(closed.server.port, closed.token("user/*.rs"))),
            "patient": (closed.server, Line(closed.server.port, closed.token("patient/*.rs", "ada"))),
        }
        found: dict[str, dict[str, list[float]]] = {name: {who: [] for who in lines} for name in WORK}
        for _ in range(profile.size(BATCHES, 20)):
            for name, work in WORK.items():
                for who, (server, line) in lines.items():
                    found[name][who].append(_batch(server, line, work, BATCH))
        return {name: {who: _cheaper_half(some) for who, some in by.items()} for name, by in found.items()}


def _cheaper_half(times: list[float]) -> float:
    return fmean(sorted(times)[: (len(times) + 1) // 2])


def _token_costs(profile: Profile) -> Figure:
    texts, problems = [], []
    for name, database in profile.databases.items():
        for work, costs in _costs(database, profile).items():
            base = costs.pop("open")
            for who, cost in costs.items():
                text = f"{name} {work} {who}: {base:.3f} + {cost - base:.3f} ms ({cost / base - 1:+.0%})"
                dear = cost - base > READ_MS if work == "read" else cost / base - 1 > SEARCH_SHARE
                texts.append(text)
                problems += [text] if dear else []
    return Figure(f"{len(texts) - len(problems)} of {len(texts)} within", not problems, tuple(texts))


# --- (b) how soon a revoked token is refused ------------------------------------------------------------------------


def _revoked_after(closed: Secured, lines: int) -> float:
    """Seconds from the revocation, in another process, until every connection to every worker is refused."""
    token = closed.token("user/*.rs")
    claims = closed.service.verifier._verified(token).claims
    opened = [Line(closed.server.port, token) for _ in range(lines)]
    assert all(line.get("/fhir/Patient?_count=0")[0] == 200 for line in opened)
    closed.service.records.revoke_family(claims.family, closed.service.now(), claims.expires)
    started = time.perf_counter()
    waiting = list(opened)
    while waiting and time.perf_counter() - started < 10:
        waiting = [line for line in waiting if line.get("/fhir/Patient?_count=0")[0] != 401]
    taken = time.perf_counter() - started
    for line in opened:
        line.close()
    return taken


def _revocation(profile: Profile) -> Figure:
    texts, worst = [], 0.0
    for name, database in profile.databases.items():
        with secured(database, "--workers", "2", "--threads", "4", "--log-level", "warning") as closed:
            times = sorted(_revoked_after(closed, 12) for _ in range(profile.size(TRIALS)))
        worst = max(worst, times[-1])
        texts.append(f"{name}: median {times[len(times) // 2]:.2f} s, worst {times[-1]:.2f} s of {len(times)}")
    return Figure("; ".join(texts), worst < SOONEST)


# --- (c) who wins a race --------------------------------------------------------------------------------------------


def _families(closed: Secured, repetitions: int) -> Iterator[tuple[dict[str, str], dict[str, str]]]:
    """For each repetition a form that redeems a fresh code and one that uses a fresh refresh token."""
    records, now = closed.service.records, closed.service.now()
    scopes = "openid offline_access patient/*.rs user/*.rs"
    records.put_client(Client(id="app", name="App", redirect_uris=(REDIRECT,), scopes=scopes, created=now))
    records.put_person(Person(id="p", login="grace", name="Grace", fhir_user="Practitioner/1", created=now))
    base = {"client_id": "app", "redirect_uri": REDIRECT, "code_verifier": VERIFIER}
    for _ in range(repetitions):
        code, token, ids = fresh(), fresh(), (fresh(), fresh())
        families = [
            Approval(id=id, client="app", person="p", scopes=scopes, offline=True, created=now, last_used=now)
            for id in ids
        ]
        expires = closed.service.now() + 600
        row = Code(
            code_hash=digest(code),
            approval=ids[0],
            client="app",
            redirect_uri=REDIRECT,
            challenge=CHALLENGE,
            expires=expires,
        )
        records.put_approval(families[0], row)
        refresh = RefreshToken(token_hash=digest(token), approval=ids[1], client="app", expires=expires)
        records.put_approval(families[1], refresh=refresh)
        yield (
            base | {"grant_type": "authorization_code", "code": code},
            {"grant_type": "refresh_token", "refresh_token": token, "client_id": "app"},
        )


def _raced(port: int, forms: list[dict[str, str]]) -> Counter[int]:
    """How many forms had how many winners among the threads that sent each at once."""
    barrier = Barrier(THREADS, timeout=120)

    def run(_: int) -> list[bool]:
        line, won = Line(port), []
        for form in forms:
            barrier.wait()
            status, body = line.send("POST", "/auth/token", urlencode(form).encode(), _FORM)
            assert status in (200, 400), body
            won.append(status == 200)
        line.close()
        return won

    with ThreadPoolExecutor(THREADS) as pool:
        return Counter(map(sum, zip(*pool.map(run, range(THREADS)), strict=True)))


def _races(profile: Profile) -> Figure:
    texts, problems = [], []
    for name, database in profile.databases.items():
        with secured(database, "--workers", "2", "--threads", "10", "--log-level", "warning") as closed:
            pairs = list(_families(closed, profile.size(REPETITIONS)))
            for kind, forms in (("code", [pair[0] for pair in pairs]), ("refresh token", [pair[1] for pair in pairs])):
                found = _raced(closed.server.port, forms)
                texts.append(f"{name} {kind}: one winner in {found[1]} of {found.total()}")
                problems += [] if found[1] == found.total() else [f"{name} {kind}: {dict(found)}"]
    return Figure("; ".join(texts), not problems, tuple(problems))


BARS: tuple[Bar, ...] = (
    Bar("auth: HTTP races of 20 for a code, a refresh token", "exactly one succeeds, 200 times", _races),
    Bar("auth: a revoked token is refused by every worker", "< 1 s, 100 times", _revocation, alone=True),
    Bar("auth: cost of a token", "read +0.05 ms CPU, search +30 % at most", _token_costs, timing=True),
)
