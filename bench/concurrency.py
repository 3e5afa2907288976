"""Bars of concurrency: eight client processes against one server, on each database.

FHIR R4 http.html#ccreate, #concurrency, #transaction-integrity: nothing made twice, nothing lost, nothing dangling.
"""

import random
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

from bench import crash, held_open, serial
from bench.bar import Bar, Figure, Profile
from bench.clients import JSON_PATCH, PROCESSES, Client, Told, entry, failures, statuses, together, transaction
from bench.deployment import Deployment, deployed
from bench.envelope import envelope

Problems = list[str]
COUNTERS = 3
COUNT = "http://example.org/count"


def on_both(measured: Callable[[Deployment, Profile], tuple[str, Problems]]) -> Callable[[Profile], Figure]:
    """``measured`` on each database of the profile; deadlocks are counted everywhere."""

    def measure(profile: Profile) -> Figure:
        texts: list[str] = []
        problems: Problems = []
        for name, database in profile.databases.items():
            with deployed(database) as deployment:
                text, found = measured(deployment, profile)
                deployment.stop()
                if deployment.deadlocks():
                    found.append(f"{deployment.deadlocks()} deadlocks")
            texts.append(f"{name}: {text}")
            problems += [f"{name}: {problem}" for problem in found]
        return Figure("; ".join(texts), not problems, tuple(problems[:20]))

    return measure


def told_figure(told: Sequence[Told]) -> str:
    """``4000 answers (200: 3500, 201: 500)``."""
    counted = statuses(told)
    return f"{counted.total()} answers ({', '.join(f'{code}: {n}' for code, n in sorted(counted.items()))})"


# --- 1. conditional creates ---------------------------------------------------------------------------------------


def patient(number: int) -> dict[str, Any]:
    """A patient to be made once; found by identifier, name or telecom."""
    return {
        "resourceType": "Patient",
        "identifier": [{"system": "urn:bars", "value": str(number)}],
        "name": [{"family": f"Family{number}x"}],
        "telecom": [{"system": "email", "value": f"p{number}@example.org"}],
    }


CRITERIA = ("identifier=urn:bars|{}", "family:exact=Family{}x", "email=p{}@example.org")


def _create_once(client: Client, number: int, criteria: str) -> int:
    return client.send("POST", "Patient", patient(number), If_None_Exist=criteria).status


def _create_once_in_transaction(client: Client, number: int, criteria: str) -> int:
    bundle = transaction(entry("POST", "Patient", patient(number), ifNoneExist=criteria))
    answer = client.send("POST", "", bundle)
    return int(answer.json["entry"][0]["response"]["status"][:3]) if answer.status == 200 else answer.status


def _update_or_create(client: Client, number: int, criteria: str) -> int:
    return client.send("PUT", f"Patient?{criteria}", patient(number)).status


WAYS = (_create_once, _create_once_in_transaction, _update_or_create)


def _rounds(client: Client, index: int, barrier: Any, rounds: int) -> list[int]:
    found = []
    for number in range(rounds):
        way, criteria = WAYS[number % len(WAYS)], CRITERIA[number // len(WAYS) % len(CRITERIA)]
        barrier.wait()
        found.append(way(client, number, criteria.format(number)))
    return found


def one_each(deployment: Deployment, profile: Profile) -> tuple[str, Problems]:
    """Every round all clients ask for the same patient to be made unless it exists."""
    rounds = profile.size(720, 36)
    told = together(deployment.port, _rounds, rounds)
    client = Client(deployment.port, "check")
    problems = failures(told)
    for number in range(rounds):
        answers = Counter(one.value[number] for one in told)
        if answers != {201: 1, 200: PROCESSES - 1}:
            problems.append(f"round {number}: answers {dict(answers)}")
        made = client.total(f"Patient?identifier=urn:bars|{number}")
        if made != 1:
            problems.append(f"round {number}: {made} patients")
    return f"{rounds} rounds, {told_figure(told)}", problems


# --- 2. updates with If-Match -------------------------------------------------------------------------------------


def counter(value: int) -> dict[str, Any]:
    """A Basic that counts."""
    return {"resourceType": "Basic", "code": {"text": "counter"}, "extension": [{"url": COUNT, "valueInteger": value}]}


def _increment(client: Client, id: str) -> int:
    read = client.send("GET", f"Basic/{id}")
    value = read.json["extension"][0]["valueInteger"] + 1
    return client.send("PUT", f"Basic/{id}", counter(value) | {"id": id}, If_Match=read.version).status


def _increment_by_patch(client: Client, id: str) -> int:
    read = client.send("GET", f"Basic/{id}")
    value = read.json["extension"][0]["valueInteger"] + 1
    patch = [{"op": "replace", "path": "/extension/0/valueInteger", "value": value}]
    return client.send("PATCH", f"Basic/{id}", patch, JSON_PATCH, If_Match=read.version).status


def _increment_in_transaction(client: Client, id: str) -> int:
    read = client.send("GET", f"Basic/{id}")
    value = read.json["extension"][0]["valueInteger"] + 1
    bundle = transaction(entry("PUT", f"Basic/{id}", counter(value) | {"id": id}, ifMatch=read.version))
    return client.send("POST", "", bundle).status


INCREMENTS = (_increment, _increment_by_patch, _increment_in_transaction)


def _increments(client: Client, index: int, barrier: Any, rounds: int) -> list[tuple[str, int]]:
    chance = random.Random(index)
    barrier.wait()
    found = []
    for _ in range(rounds):
        id = f"counter-{chance.randrange(COUNTERS)}"
        found.append((id, chance.choice(INCREMENTS)(client, id)))
    return found


def _appends(client: Client, index: int, barrier: Any, rounds: int) -> int:
    """Patches without If-Match, which the server tries again itself."""
    done = 0
    barrier.wait()
    for number in range(rounds):
        value = {"url": COUNT, "valueInteger": number}
        answer = client.send("PATCH", "Basic/list", [{"op": "add", "path": "/extension/-", "value": value}], JSON_PATCH)
        done += answer.status == 200
    return done


def none_lost(deployment: Deployment, profile: Profile) -> tuple[str, Problems]:
    """Read, add one, write with If-Match; the sum is what was answered 200, everything else was 412."""
    client = Client(deployment.port, "check")
    for name in [*(f"counter-{n}" for n in range(COUNTERS)), "list"]:
        client.send("PUT", f"Basic/{name}", counter(0) | {"id": name})
    told = together(deployment.port, _increments, profile.size(600, 30))
    appended = together(deployment.port, _appends, profile.size(40, 8))
    problems = failures([*told, *appended])
    done = Counter(id for one in told for id, status in one.value if status == 200)
    problems += [f"{n} updates answered {s}" for s, n in statuses(told).items() if s not in (200, 412)]
    for id, expected in done.items():
        end = client.send("GET", f"Basic/{id}")
        value, version = end.json["extension"][0]["valueInteger"], int(end.json["meta"]["versionId"])
        if not value == expected == version - 1:
            problems.append(f"{id}: {expected} were answered 200, it counts {value}, its version is {version}")
    length = len(client.send("GET", "Basic/list").json["extension"]) - 1
    if length != sum(one.value for one in appended):
        problems.append(f"list: {sum(one.value for one in appended)} were answered 200, {length} are there")
    return f"{done.total()} increments of {told_figure(told)}, {length} appended", problems


# --- 4. references against deletions ------------------------------------------------------------------------------


def _referrer(number: int, index: int) -> dict[str, Any]:
    author = {"reference": f"Practitioner/race-{number}"}
    return {"resourceType": "Basic", "id": f"ref-{number}-{index}", "code": {"text": "r"}, "author": author}


def _refer(client: Client, number: int, index: int) -> None:
    made = _referrer(number, index)
    if number % 3 == 0:
        client.send("POST", "Basic", {name: value for name, value in made.items() if name != "id"})
    elif number % 3 == 1:
        client.send("PUT", f"Basic/{made['id']}", made)
    else:
        if index % 4:
            made["author"]["reference"] = f"Practitioner?identifier=urn:race|{number}"
        client.send("POST", "", transaction(entry("PUT", f"Basic/{made['id']}", made), entry("GET", "Basic?_count=1")))


def _remove(client: Client, number: int, index: int) -> None:
    if number % 2:
        client.send("DELETE", f"Practitioner/race-{number}")
    elif number % 4:
        client.send("DELETE", f"Practitioner?identifier=urn:race|{number}")
    else:
        client.send("POST", "", transaction(entry("DELETE", f"Practitioner/race-{number}")))


def _race(client: Client, index: int, barrier: Any, rounds: int) -> None:
    chance = random.Random(index)
    for number in range(rounds):
        barrier.wait()
        (_remove if index < 2 else _refer)(client, number, index)
        if chance.random() < 0.2:
            client.send("GET", f"Practitioner/race-{number}")


def no_dangling(deployment: Deployment, profile: Profile) -> tuple[str, Problems]:
    """In every round some clients refer to a practitioner while others delete it."""
    rounds = profile.size(600, 30)
    client = Client(deployment.port, "check")
    for number in range(rounds):
        identifier = [{"system": "urn:race", "value": str(number)}]
        made = {"resourceType": "Practitioner", "id": f"race-{number}", "identifier": identifier}
        client.send("PUT", f"Practitioner/race-{number}", made)
    told = together(deployment.port, _race, rounds)
    problems = failures(told)
    alive = {one["id"] for one in client.found("Practitioner?_count=500")}
    basics = client.found("Basic?_count=500")
    for basic in basics:
        target = basic["author"]["reference"].removeprefix("Practitioner/")
        if target not in alive:
            problems.append(f"Basic/{basic['id']} refers to Practitioner/{target}, which was deleted")
    return f"{rounds} rounds, {len(basics)} referrers, {len(alive)} targets left, {told_figure(told)}", problems


BARS: tuple[Bar, ...] = (
    Bar("concurrency: If-None-Exist", "each round makes one resource, 0 answers of 500", on_both(one_each)),
    Bar("concurrency: If-Match", "sum of increments = answers of 200, the rest 412", on_both(none_lost)),
    Bar("concurrency: transactions", "serialisable, 0 deadlocks, 0 answers of 500", on_both(serial.serialisable)),
    Bar("concurrency: reference against delete", "0 dangling references, 0 deadlocks", on_both(no_dangling)),
    Bar("concurrency: kill -9", "whole transactions, valid audit chain, all audited", crash.measure),
    Bar("concurrency: a transaction held open", "readers skip nothing", held_open.measure),
    Bar("concurrency: AT_REST=envelope", "same answers as plain, no name in a document", envelope),
)
