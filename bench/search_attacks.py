"""Searches that nobody means well: each is refused with 4xx or answered within bounds, and never with another's data.

OWASP ASVS 5.0 V1.2 (injection), V2.4 (resource exhaustion); `make bars ONLY="search: bad input"`.
"""

import random
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

from bench.bar import Bar, Figure, Profile
from bench.server import fresh
from fhir_server.conftest import BASE, Client
from fhir_server.preparation import prepare
from fhir_server.search.parameters import known
from fhir_server.settings import load
from fhir_server.wiring import Process, compose
from resources.definitions import RESOURCE_TYPES
from resources.repository import WHOLE_RECORD, Caller, Grant, Grants

LARGEST = 4 * 1024 * 1024
"""Bytes of any answer: the record of this bar is smaller than that."""
LONGEST = 20.0
"""Seconds that any one may take on a busy machine; the time limit of statements is 10."""
SLOWEST_SHOWN = 3
_VALUES = (
    "' OR 1=1 --", "x'); DROP TABLE resource; --", '"; SELECT pg_sleep(30); --', "%27%20UNION%20SELECT%20doc",
    "\x00", "a\x00b", "\udcff", "\ud83d", "\u202e", "%", "_", "\\", "\\,\\", "|", "||", "|||", "$", "a$b$c$d", ",,",
    "1e400", "-1e400", "1e-400", "9" * 400, "ge" * 50, "gt", "0000-00-00", "9999-12-31T23:59:60+14:00", "2020-02-30",
    "Patient/" * 30, "https://" + "a" * 3000, "javascript:alert(1)", "../../../../etc/passwd", "{{7*7}}",
    "${jndi:ldap://x}", "a" * 20_000, "(" * 500, "ab" * 40 + "!", "\u00e5" * 500, "\u0000\u0001\u0002", "NaN",
)  # fmt: skip
_RESULT = (
    "_sort", "_count", "_include", "_revinclude", "_elements", "_summary", "_total", "_cursor", "_filter", "_has",
    "_list", "_text", "_content", "_type", "_source", "_query", "_contained", "_explain", "_format", "_pretty",
)  # fmt: skip


def crafted() -> Iterator[str]:
    """Queries whose shape is the attack."""
    yield "Patient?name=" + ",".join(f"n{n}" for n in range(10_000))
    yield "Patient?_id=" + ",".join(f"n{n}" for n in range(10_000))
    yield "Observation?" + "patient.link." * 50 + "name=x"
    yield "Patient?" + "_has:Observation:patient:" * 50 + "code=x"
    yield "Observation?" + "&".join(f"code=c{n}" for n in range(200))
    yield "Observation?" + "&".join(f"code=c{n}" for n in range(5_000))
    yield from (f"Patient?_count={count}" for count in ("1e9", "1000000000", "-1", "0x10", "", "١٢"))
    yield "Patient?_sort=" + ",".join(["name", "-birthdate"] * 500)
    yield "Patient?_include=*&_include:iterate=*&_revinclude=*&_revinclude:iterate=*"
    yield "Patient?" + "&".join("_include:iterate=Patient:link" for _ in range(300))
    yield "Patient?_filter=" + "(" * 2_000 + "name eq x" + ")" * 2_000
    yield "Patient?_filter=" + " or ".join("name co a" for _ in range(2_000))
    yield "Patient?_filter=" + "not(" * 500 + "name eq a" + ")" * 500
    yield "Patient?_text=" + " ".join(f"w{n}" for n in range(20_000))
    yield "Patient?name:contains=" + ",".join("ab" for _ in range(400))
    yield "Location?near=" + ",".join("90|180|20000|km" for _ in range(200))
    yield "Location?near=NaN|NaN|NaN|NaN"
    yield "Observation?_content=" + "x*" * 5_000
    yield "?_type=" + ",".join(sorted(RESOURCE_TYPES)) + "&_id=a"
    yield "?name=x"
    yield "Patient?" + "a" * 100_000 + "=1"


OPEN = Caller("open", grants=WHOLE_RECORD)
SECRET = "Quarantelli"
"""The name in the chart that the confined caller must not see."""


class Attacker:
    """Sends and judges, in turn as who may see all and as a patient, whose answers must not tell of the other chart."""

    def __init__(self, client: Client) -> None:
        self.client, self.caller = client, OPEN
        client.application._caller_of = lambda request: self.caller
        self.statuses: Counter[int] = Counter()
        self.slowest: list[tuple[float, str]] = []
        self.problems: list[str] = []
        subject = client.create({"resourceType": "Patient", "name": [{"family": "Okafor"}], "birthDate": "1980-02-28"})
        other = client.create({"resourceType": "Patient", "name": [{"family": SECRET}], "birthDate": "1970-01-31"})
        for n in range(40):
            client.create(_observation(subject, n))
            client.create({**_observation(other, n), "note": [{"text": SECRET}]})
        own = Grant("*", "cruds", compartment=("Patient", subject), confidential=True)
        self.patient = Caller(f"Patient/{subject}", grants=Grants((own,)))

    def ask(self, query: str) -> None:
        """By each of the two."""
        self.turn(query)
        self.turn(query)

    def turn(self, query: str) -> None:
        """By one of the two, the other next time."""
        self.caller = self.patient if self.caller is OPEN else OPEN
        self._judge(query)

    def _judge(self, query: str) -> None:
        started = time.perf_counter()
        answer = self.client.send("GET", query)
        seconds = time.perf_counter() - started
        self.statuses[answer.status] += 1
        self.slowest = sorted([*self.slowest, (seconds, query[:60])], reverse=True)[:SLOWEST_SHOWN]
        if self.caller is self.patient and SECRET.encode() in answer.body:
            self.problems.append(f"told of another's chart: {query[:150]!r}")
        if answer.status >= 500 or len(answer.body) > LARGEST or seconds > LONGEST:
            self.problems.append(f"{answer.status} {len(answer.body)} bytes {seconds:.1f} s: {query[:150]!r}")
        elif answer.status >= 400 and answer.json["resourceType"] != "OperationOutcome":
            self.problems.append(f"{answer.status} without an outcome: {query[:150]!r}")

    def links(self, chance: random.Random) -> None:
        """Page links, cut, changed, put together wrongly and of somebody else."""
        self.caller = OPEN
        page = self.client.send("GET", "Observation?_count=7&_sort=-date").json
        [link] = [each["url"].partition("/fhir/")[2] for each in page["link"] if each["relation"] == "next"]
        for n in range(len(link)):
            self.ask(link[:n] + chance.choice("AZaz09-_=%&") + link[n + 1 :])
        self.caller = self.patient
        if (status := self.client.send("GET", link).status) != 403:
            self.problems.append(f"{status} for a page link of another caller")
        self.ask(link.replace("Observation", "Patient"))
        self.ask(link + "&code=x")
        self.ask(link + link[link.index("?") + 1 :])


def _observation(subject: str, n: int) -> dict[str, Any]:
    return {
        "resourceType": "Observation",
        "status": "final",
        "code": {"coding": [{"system": "urn:c", "code": f"c{n % 5}"}]},
        "subject": {"reference": f"Patient/{subject}"},
        "effectiveDateTime": f"2020-01-{1 + n % 28:02}",
        "valueString": "x" * (n + 1),
    }


def positions(profile: Profile) -> Iterator[str]:
    """Every value under every parameter of every type, with and without a modifier; a share of them in CI."""
    chance = random.Random(3)
    for type in sorted(RESOURCE_TYPES):
        for name in (*sorted(known(type)), *_RESULT):
            for value in _VALUES:
                if chance.random() < profile.scale / 4:
                    modifier = chance.choice(("", "", ":exact", ":missing", ":not", ":of-type", ":'--", ":in"))
                    yield f"{type}?{name}{quote(modifier, safe=':')}={quote(value, errors='surrogatepass')}"


def _attacked(profile: Profile) -> Figure:
    texts, problems = list[str](), list[str]()
    for name, database in profile.databases.items():
        with tempfile.TemporaryDirectory(prefix="hearth-bars-") as folder, fresh(database, Path(folder)) as url:
            given = {"DATA_DIR": folder, "DATABASE": url, "OPEN": True, "PUBLIC_URL": BASE, "STATEMENT_TIMEOUT": 10}
            settings = load(given | {"LOG_LEVEL": "error"}, {})
            prepare(settings)
            with Process(settings) as process:
                attacker = Attacker(Client(compose(process)))
                for query in crafted():
                    attacker.ask(query)
                attacker.links(random.Random(1))
                for query in positions(profile):
                    attacker.turn(query)
        problems += [f"{name}: {problem}" for problem in attacker.problems]
        slowest = ", ".join(f"{seconds:.1f} s {query}" for seconds, query in attacker.slowest)
        texts.append(f"{name}: {attacker.statuses.total():,} searches, {dict(sorted(attacker.statuses.items()))}")
        texts.append(f"slowest {slowest}")
    return Figure("; ".join(texts), not problems, tuple(problems[:20]))


BARS = (Bar("search: bad input", "4xx or a bounded answer, never 5xx, nothing of another's chart", _attacked),)
