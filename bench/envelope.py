"""AT_REST=envelope: the same answers as without, and no name of a patient in any stored document.

docs/adr/keys-and-documents-at-rest.md; run on a fresh database, and on one that held plain documents before.
"""

import random
import re
from typing import Any

from bench.bar import Figure, Profile
from bench.clients import JSON_PATCH, Client, Told, entry, failures, together, transaction
from bench.deployment import Deployment, deployed

NAME = "Quetzalcoatlus"
WORKERS = ("--workers", "2", "--threads", "4")
SEALED = (*WORKERS, "--at-rest", "envelope")
DOCUMENTS = "SELECT doc FROM resource UNION ALL SELECT doc FROM history"
MIXED = 8
"""Patients of the plain time that many transactions write to at once."""
_CHANGING = re.compile(r"[0-9a-f]{8}-[0-9a-f-]{27}|\d{4}-\d\d-\d\dT[\d:.]+Z|_cursor=[^\"&]+|127\.0\.0\.1:\d+")


def _script(client: Client, index: int, barrier: Any, rounds: int) -> list[str]:
    """A small mix of every interaction; the answers without what differs from run to run."""
    said: list[str] = []

    def say(method: str, path: str, body: Any = None, type: str = "application/fhir+json", **headers: str) -> Any:
        answer = client.send(method, path, body, type, **headers)
        said.append(f"{method} {answer.status} " + _CHANGING.sub("*", repr(answer.json)))
        return answer.json

    for number in range(rounds):
        key = f"{NAME}{index}x{number}"
        patient = {"resourceType": "Patient", "identifier": [{"value": key}], "name": [{"family": key}]}
        id = say("POST", "Patient", patient, If_None_Exist=f"identifier={key}")["id"]
        say("POST", "Patient", patient, If_None_Exist=f"identifier={key}")
        say("PUT", f"Patient/{id}", patient | {"id": id, "active": True}, If_Match='W/"1"')
        say("PATCH", f"Patient/{id}", [{"op": "add", "path": "/gender", "value": "female"}], JSON_PATCH)
        about = {"reference": f"Patient/{id}", "display": key}
        seen = {"resourceType": "Observation", "status": "final", "code": {"text": key}, "subject": about}
        say("POST", "", transaction(entry("POST", "Observation", seen), entry("POST", "Organization", _other(key))))
        for path in (f"Patient/{id}", f"Patient/{id}/_history/1", f"Patient/{id}/_history", f"Patient?family={key}"):
            say("GET", path)
        say("GET", f"Observation?subject=Patient/{id}&_include=Observation:subject")
        say("DELETE", f"Patient/{id}")
    return said


def _other(key: str) -> dict[str, Any]:
    return {"resourceType": "Organization", "name": key}


def _shuffled(client: Client, index: int, barrier: Any, rounds: int) -> None:
    """Transactions over patients that have no key yet, in any order; all clients at once."""
    chance = random.Random(index)
    for number in range(rounds):
        ids = chance.sample(range(number * MIXED, (number + 1) * MIXED), MIXED)
        barrier.wait()
        entries = [entry("POST", "Basic", _basic(f"Patient/mixed-{id}")) for id in ids]
        client.send("POST", "", transaction(*entries, entry("POST", "Organization", _other(NAME))))


def _basic(reference: str) -> dict[str, Any]:
    subject = {"reference": reference, "display": NAME}
    return {"resourceType": "Basic", "code": {"text": "x"}, "subject": subject}


def envelope(profile: Profile) -> Figure:
    """On both databases."""
    texts: list[str] = []
    problems: list[str] = []
    for name, database in profile.databases.items():
        text, found = _compared(database, profile.size(60, 5))
        texts.append(f"{name}: {text}")
        problems += [f"{name}: {problem}" for problem in found + _turned(database, profile.size(40, 5))]
    return Figure("; ".join(texts), not problems, tuple(problems[:20]))


def _compared(database: str, rounds: int) -> tuple[str, list[str]]:
    with deployed(database, *WORKERS) as plain:
        expected = together(plain.port, _script, rounds)
    with deployed(database, *SEALED) as sealed:
        told = together(sealed.port, _script, rounds)
        readable, count = _readable(sealed)
    problems = failures(told) + _differences(expected, told)
    problems += [f"{readable} of {count} documents can be read"] if readable else []
    return f"{sum(len(one.value) for one in told)} answers the same, {count} documents sealed", problems


def _differences(expected: list[Told], told: list[Told]) -> list[str]:
    pairs = [pair for a, b in zip(expected, told, strict=True) for pair in zip(a.value, b.value, strict=True)]
    return [f"plain: {a[:200]} / envelope: {b[:200]}" for a, b in pairs if a != b]


def _readable(deployment: Deployment) -> tuple[int, int]:
    """(documents with the name or any JSON in plain text, documents)."""
    documents = [bytes(row[0]) for row in deployment.rows(DOCUMENTS) if row[0]]
    return sum(NAME.encode() in doc or b"resourceType" in doc for doc in documents), len(documents)


def _turned(database: str, rounds: int) -> list[str]:
    """Plain at first, envelope later: old documents stay readable, new ones are sealed, nobody deadlocks."""
    with deployed(database, *WORKERS) as deployment:
        client = Client(deployment.port, "check")
        patients = [{"resourceType": "Patient", "id": f"mixed-{n}"} for n in range(rounds * MIXED)]
        client.send("POST", "", transaction(*(entry("PUT", f"Patient/{one['id']}", one) for one in patients)))
        deployment.stop()
        deployment.options = SEALED
        deployment.start()
        told = together(deployment.port, _shuffled, rounds)
        client = Client(deployment.port, "check")
        problems = failures(told)
        total = len(client.found("Basic?_count=1000"))
        if total != rounds * MIXED * len(told) or client.total("Patient") != len(patients):
            problems.append(f"{total} of {rounds * MIXED * len(told)} resources can be read")
        deployment.stop()
        if deployment.deadlocks():
            problems.append(f"{deployment.deadlocks()} deadlocks when patients got their keys")
    return problems
