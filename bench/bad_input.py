"""Bars of bad input: what is refused says why, costs little, stores nothing, and nothing at all is answered 500.

FHIR R4 RESTful API, status codes and OperationOutcome (https://hl7.org/fhir/R4/http.html#Status-Codes).
"""
# ruff: noqa: E501 rows of hostile values are kept one to a line

import json
import random
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from bench.attacks import BODIES, COSTLY, Attack
from bench.bar import Bar, Figure, Profile, Skipped
from bench.fuzz import fuzz, plant
from bench.fuzz_requests import BASE
from bench.fuzz_values import PLANTED
from bench.raw_http import Answer, Header, Sent, json_body, once
from bench.server import Server, serving
from bench.watch import Cost, cost_of

SECONDS = {"ci": 60.0, "full": 3600.0}
"""How long is fuzzed in all: half by our own fuzzer, half by schemathesis, on each database as long."""
SLOWEST, GROWTH = 10.0, 300.0
"""Seconds and megabytes that one hostile request may cost, and seconds that others may wait meanwhile."""
_MOST_TOLD = 20
_ID = re.compile(r'"request_id":"[^"]*"')


# --- Telling what is wrong ----------------------------------------------------------------------------------------


class Case(NamedTuple):
    """A request, the status it must get, and a pattern that headers and body together must match."""

    name: str
    sent: Sent
    status: int
    pattern: str = ""

    def complaint(self, answer: Answer) -> str:
        """What is wrong with ``answer``, or ''."""
        text = "\n".join(f"{name}: {value}" for name, value in answer.headers.items()) + "\n\n"
        if answer.status != self.status:
            return f"{self.name}: {answer.status} instead of {self.status}"
        found = re.search(self.pattern, text + answer.body.decode("utf-8", "replace"))
        return "" if found else f"{self.name}: nothing like {self.pattern!r} in {answer.body[:300]!r}"


def _post(body: str, target: str = "Patient", *headers: Header) -> Sent:
    return Sent("POST", f"{BASE}/{target}".rstrip("/"), headers or json_body(), body.encode("utf-8", "surrogatepass"))


def _get(target: str, *headers: Header, method: str = "GET") -> Sent:
    return Sent(method, f"{BASE}/{target}", headers)


_XML = json_body(kind="application/fhir+xml")
_PATIENT = '{"resourceType":"Patient"%s}'
_PLACE = r"line \d+, column \d+"

SYNTAX: tuple[Case, ...] = (
    Case("a missing comma", _post('{"resourceType":"Patient"\n "active":true}'), 400, "line 2, column 2"),
    Case("a trailing comma", _post('{\n"resourceType":"Patient",\n}'), 400, "line [23], column"),
    Case("a bare word", _post('{"resourceType":"Patient","active":yes}'), 400, "line 1, column 36"),
    Case("an open string", _post('{"resourceType":"Patient","id":"x'), 400, _PLACE),
    Case("the end missing", _post('{"resourceType":"Patient",'), 400, _PLACE),
    Case("two values", _post('{"resourceType":"Patient"}{}'), 400, _PLACE),
    Case("NaN", _post(_PATIENT % ',"x":NaN'), 400, _PLACE),
    Case("a duplicate key", _post(_PATIENT % ',"active":true,\n"active":false'), 400, "'active'.*line 2, column 1"),
    Case("half a surrogate pair", _post(_PATIENT % ',"id":"\\ud800"'), 400, _PLACE),
    Case("no UTF-8", Sent("POST", f"{BASE}/Patient", json_body(), b'{"resourceType":"Patient\xff"}'), 400, _PLACE),
    Case("an empty body", _post(""), 400, "empty"),
    Case("an array", _post("[]"), 400, "not a JSON object"),
    Case(
        "open XML", _post('<Patient xmlns="http://hl7.org/fhir">\n<active value="true">', "Patient", *_XML), 400, _PLACE
    ),
)
NAMES: tuple[Case, ...] = (
    Case("an element", _post(_PATIENT % ',"brithDate":"2020"'), 400, "birthDate"),
    Case("a nested element", _post(_PATIENT % ',"name":[{"famly":"x"}]'), 400, r"Patient\.name\[0\].*family"),
    Case(
        "a choice",
        _post('{"resourceType":"Observation","status":"final","code":{"text":"x"},"valueQuantiti":{}}', "Observation"),
        400,
        "valueQuantity",
    ),
    Case(
        "an XML element",
        _post('<Patient xmlns="http://hl7.org/fhir"><brithDate value="2020"/></Patient>', "Patient", *_XML),
        400,
        "birthDate",
    ),
    Case("a type", _get("Pateint/1"), 404, "Patient"),
    Case("a search parameter", _get("Patient?famly=x"), 400, "family"),
    Case("a sort key", _get("Patient?_sort=brithdate"), 400, "birthdate"),
    Case("an operation", _get("Patient/seed/$everythin"), 404, r"\$everything"),
    Case("a code", _post(_PATIENT % ',"gender":"femal"'), 400, "female"),
)
MEDIA: tuple[Case, ...] = (
    Case("text/plain", _post("{}", "Patient", ("Content-Type", "text/plain")), 415, "fhir.json"),
    Case("no Content-Type", Sent("POST", f"{BASE}/Patient", (("X-Y", "z"),), b"{}"), 415, "Content-Type"),
    Case("FHIR 5", _post("{}", "Patient", ("Content-Type", "application/fhir+json; fhirVersion=5.0")), 415),
    Case("UTF-16", _post("{}", "Patient", ("Content-Type", "application/fhir+json; charset=utf-16")), 415),
    Case("brotli", _post("{}", "Patient", *json_body(("Content-Encoding", "br"))), 415),
    Case("a patch of plain text", Sent("PATCH", f"{BASE}/Patient/seed", (("Content-Type", "text/plain"),), b"x"), 415),
    Case("text/turtle", _get("Patient/seed", ("Accept", "text/turtle")), 406, "fhir.json"),
    Case("_format=ttl", _get("Patient/seed?_format=ttl"), 406, "json"),
    Case("PUT of a type", _get("Patient", method="PUT"), 412),
    Case("POST of an instance", _get("Patient/seed", method="POST"), 405, "allow: .*GET.*PUT|allow: .*PUT.*GET"),
    Case("DELETE of metadata", _get("metadata", method="DELETE"), 405, "allow: .*GET"),
    Case("PATCH of a version", _get("Patient/seed/_history/1", method="PATCH"), 405, "allow: .*GET"),
    Case("an unknown method", _get("Patient/seed", method="BREW"), 405, "allow: .*GET"),
    Case("POST of health", Sent("POST", "/health/live"), 405, "allow: .*GET"),
)


def _told(cases: Iterable[Case]) -> Callable[[Profile], Figure]:
    rows = tuple(cases)

    def measure(profile: Profile) -> Figure:
        with _planted("sqlite") as server:
            wrong = [text for case in rows if (text := case.complaint(once(server.port, case.sent)))]
        return Figure(f"{len(rows) - len(wrong)} of {len(rows)}", not wrong, tuple(wrong))

    return measure


@contextmanager
def _planted(database: str) -> Iterator[Server]:
    with serving(database, pinned=False) as server:
        plant(server.port)
        yield server


# --- Failing transactions -----------------------------------------------------------------------------------------


def _entry(number: int, method: str = "POST", url: str = "Basic", resource: Any = None, **request: str) -> Any:
    resource = resource or {"resourceType": "Basic", "code": {"text": f"kept {number}"}}
    entry = {
        "fullUrl": f"urn:uuid:{number:08}-0000-4000-8000-000000000000",
        "request": {"method": method, "url": url, **request},
    }
    return entry if method in ("GET", "DELETE") else {**entry, "resource": resource}


_BROKEN: dict[str, Any] = {
    "an unknown element": _entry(9, resource={"resourceType": "Basic", "code": {"text": "x"}, "cod": 1}),
    "a missing element": _entry(9, resource={"resourceType": "Basic"}),
    "another type than the URL": _entry(9, url="Patient"),
    "a dangling reference": _entry(
        9, resource={"resourceType": "Basic", "code": {"text": "x"}, "subject": {"reference": "Patient/none"}}
    ),
    "a dangling urn": _entry(
        9,
        resource={
            "resourceType": "Basic",
            "code": {"text": "x"},
            "subject": {"reference": "urn:uuid:99999999-9999-4999-8999-999999999999"},
        },
    ),
    "an old version": _entry(9, "PUT", "Patient/seed", {"resourceType": "Patient", "id": "seed"}, ifMatch='W/"77"'),
    "a resource still referred to": _entry(9, "DELETE", "Patient/seed"),
    "several matches": _entry(9, "PUT", "Basic?_lastUpdated=gt2000"),
    "malformed criteria": _entry(9, "PUT", "Basic?nonsense=1"),
    "a missing method": {"resource": {"resourceType": "Basic", "code": {"text": "x"}}, "request": {"url": "Basic"}},
    "no request": {"resource": {"resourceType": "Basic", "code": {"text": "x"}}},
    "an unknown path": _entry(9, "DELETE", "Nothing/1/2/3"),
    "a read of nothing": _entry(9, "GET", "Patient/none"),
}


def _transactions(profile: Profile) -> Figure:
    wrong: list[str] = []
    for name, database in profile.databases.items():
        with _planted(database) as server:
            for number in range(2):
                body = json.dumps(
                    {"resourceType": "Basic", "code": {"text": str(number)}, "subject": {"reference": "Patient/seed"}}
                )
                once(server.port, _post(body, "Basic"))
            wrong += [f"{name}: {text}" for row in _BROKEN.items() if (text := _stored_by(server.port, *row))]
    count = len(_BROKEN) * len(profile.databases)
    return Figure(f"{count - len(wrong)} of {count}", not wrong, tuple(wrong))


def _stored_by(port: int, name: str, broken: Any) -> str:
    """What is wrong with how a transaction of which one entry is broken was refused, or ''."""
    before = _versions(port)
    bundle = {"resourceType": "Bundle", "type": "transaction", "entry": [_entry(0), _entry(1), broken, _entry(3)]}
    answer = once(port, _post(json.dumps(bundle), ""))
    if not 400 <= answer.status < 500:
        return f"{name}: {answer.status} {answer.body[:200]!r}"
    if b"Bundle.entry[2]" not in answer.body:
        return f"{name}: the entry is not named in {answer.body[:300]!r}"
    after = _versions(port)
    return "" if after == before else f"{name}: {after - before} versions were stored"


def _versions(port: int) -> int:
    return len(json.loads(once(port, _get("_history?_count=1000")).body).get("entry", ()))


# --- Bounded time and memory --------------------------------------------------------------------------------------


def _bounded(attacks: tuple[Attack, ...], *only: str) -> Callable[[Profile], Figure]:
    """Measure on each database, or on ``only`` some: a refused body never reaches one."""

    def measure(profile: Profile) -> Figure:
        costs: list[Cost] = []
        wrong: list[str] = []
        for name, database in profile.databases.items():
            if only and name not in only:
                continue
            with _planted(database) as server:
                for attack in attacks:
                    costs.append(cost_of(server, attack.make()))
                    wrong += [f"{name}: {attack.name}: {text}" for text in _excess(attack, costs[-1])]
        return Figure(_worst(costs), not wrong, tuple(wrong[:_MOST_TOLD]))

    return measure


def _excess(attack: Attack, cost: Cost) -> Iterator[str]:
    if cost.answer.status not in attack.statuses:
        yield f"answered {cost.answer.status}"
    if cost.seconds > SLOWEST or cost.growth > GROWTH or cost.waited > SLOWEST or cost.unanswered:
        yield f"{cost.seconds:.1f} s, {cost.growth:.0f} MB, others waited {cost.waited:.1f} s, {cost.unanswered} refused"


def _worst(costs: list[Cost]) -> str:
    seconds, growth = max(cost.seconds for cost in costs), max(cost.growth for cost in costs)
    waited = max(cost.waited for cost in costs)
    return f"{len(costs)} requests: at most {seconds:.1f} s, {growth:.0f} MB, others waited {waited:.1f} s"


# --- Fuzzing ------------------------------------------------------------------------------------------------------


def _fuzzed(profile: Profile) -> Figure:
    seed = random.randrange(1 << 30)
    seconds = SECONDS[profile.name] / 2 / len(profile.databases)
    requests, wrong = 0, [f"seed {seed}"]
    for name, database in profile.databases.items():
        with _planted(database) as server:
            found = fuzz(server.port, seconds, seed)
            requests += found.requests
            wrong += [f"{name}: {text}" for text in (*found.wrong[:_MOST_TOLD], *_disclosed(server.log))]
    return Figure(f"{requests} requests, {len(wrong) - 1} wrong", len(wrong) == 1, tuple(wrong))


def _disclosed(log: Path) -> list[str]:
    """Log lines that hold a name that was planted in resources; a request id is what the client chose."""
    lines = (_ID.sub("", line) for line in log.read_text(errors="replace").splitlines())
    return [f"logged: {line[:300]}" for line in lines if PLANTED in line]


def _schemathesis(profile: Profile) -> Figure:
    program = Path(sys.executable).with_name("schemathesis")
    if not program.exists():
        raise Skipped("schemathesis is not installed")
    seconds = round(SECONDS[profile.name] / 2 / len(profile.databases))
    told, wrong = [], []
    for name, database in profile.databases.items():
        with _planted(database) as server:
            good, tail = _generated(program, server.port, seconds)
        told.append(f"{name}: {tail[0] if tail else 'no summary'}")
        wrong += [] if good else [f"{name}: {line}" for line in tail[-60:]]
    return Figure("; ".join(told), not wrong, tuple(wrong))


_OPTIONS = ("--checks", "not_a_server_error", "--continue-on-failure", "--suppress-health-check", "all", "--no-color")


def _generated(program: Path, port: int, seconds: int) -> tuple[bool, list[str]]:
    """Run schemathesis on the server's own description; whether all was well, and its count and last lines."""
    place = f"http://127.0.0.1:{port}/openapi.json"
    with tempfile.TemporaryDirectory() as folder:
        command = [str(program), *_OPTIONS[-1:], "run", place, *_OPTIONS[:-1], "--max-time", str(seconds)]
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=seconds * 3 + 120)
    lines = [line.strip() for line in done.stdout.splitlines() if line.strip()]
    counts = [line for line in lines if "generated" in line and "passed" in line]
    return done.returncode == 0 and bool(counts), [*counts[-1:], *lines]


BARS: tuple[Bar, ...] = (
    Bar("malformed bodies", "each is told with line and column", _told(SYNTAX)),
    Bar("unknown names", "each is told with the nearest valid one", _told(NAMES)),
    Bar("media types and methods", "415, 406, and 405 with Allow", _told(MEDIA)),
    Bar("failing transactions", "the entry is named, nothing is stored", _transactions),
    Bar(
        "hostile bodies",
        f"refused within {SLOWEST:.0f} s and {GROWTH:.0f} MB, others answered",
        _bounded(BODIES, "sqlite"),
        alone=True,
    ),
    Bar(
        "costly requests",
        f"over within {SLOWEST:.0f} s and {GROWTH:.0f} MB, others answered",
        _bounded(COSTLY),
        alone=True,
    ),
    Bar("fuzzing", "no 500, none unanswered, no name in the log", _fuzzed, alone=True),
    Bar("schemathesis", "no 500", _schemathesis),
)
