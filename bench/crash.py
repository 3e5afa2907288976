"""kill -9 in the middle of transactions and reads: what is left, and what the audit trail knows.

FHIR R4 http.html#transaction, docs/adr/audit-chain.md: all or nothing; what was answered was audited before.
"""

import os
import random
import signal
import time
from collections import Counter
from typing import Any

from bench.bar import Figure, Profile
from bench.clients import Client, Launched, Told, Unanswered, entry, finished, launched, transaction
from bench.deployment import Deployment, deployed

EACH = 5
"""Resources of one transaction."""
DOWN_SECONDS = 60.0


def _bundle(tag: str, chance: random.Random) -> Any:
    """EACH resources of four types with one identifier, the last of which refer to the first."""
    identifier = [{"system": "urn:crash", "value": tag}]
    url = f"urn:uuid:00000000-0000-4000-8000-{chance.getrandbits(48):012x}"
    about = {"identifier": identifier, "subject": {"reference": url}, "status": "final", "code": {"text": "x"}}
    resources = [
        entry("POST", "Patient", {"resourceType": "Patient", "identifier": identifier}, url),
        entry("POST", "Basic", {"resourceType": "Basic", "identifier": identifier, "code": {"text": "x"}}),
        entry("POST", "Organization", {"resourceType": "Organization", "identifier": identifier}),
        *(entry("POST", "Observation", {"resourceType": "Observation", **about}) for _ in range(EACH - 3)),
    ]
    chance.shuffle(resources)
    return transaction(*resources)


def _work(client: Client, index: int, barrier: Any, until: float) -> dict[str, bool]:
    """Transactions and reads until the clock says ``until``; for each tag whether its transaction was answered 200."""
    chance = random.Random(index)
    tags: dict[str, bool] = {}
    made: list[str] = []
    barrier.wait()
    while time.time() < until:
        tag = f"t{index}-{len(tags)}"
        tags[tag] = False
        try:
            answer = client.send("POST", "", _bundle(tag, chance))
            tags[tag] = answer.status == 200
            made += [one["response"]["location"] for one in answer.json["entry"]] if tags[tag] else []
            _look(client, chance, made, tag)
        except Unanswered:
            _wait(client)
    return tags


def _look(client: Client, chance: random.Random, made: list[str], tag: str) -> None:
    for location in chance.sample(made, min(3, len(made))):
        client.send("GET", location.partition("/_history")[0])
    client.send("GET", f"Observation?identifier=urn:crash|{tag}")
    client.send("PUT", f"Patient/own-{tag}", {"resourceType": "Patient", "id": f"own-{tag}"})
    client.send("GET", f"Patient/own-{tag}/_history")
    client.send("GET", f"Patient/absent-{tag}")


def _wait(client: Client) -> None:
    """Until the server answers again."""
    deadline = time.monotonic() + DOWN_SECONDS
    while time.monotonic() < deadline:
        try:
            client.send("GET", "metadata?_summary=true")
            return
        except Unanswered:
            time.sleep(0.1)
    raise RuntimeError(f"no answer for {DOWN_SECONDS:.0f} seconds")


def _kill_some(deployment: Deployment, until: float, chance: random.Random) -> Counter[str]:
    """Kill a worker now and then, sometimes the whole tree, which is then started again."""
    killed: Counter[str] = Counter()
    while time.time() < until - 3:
        time.sleep(chance.uniform(1.0, 2.5))
        if killed.total() % 3 == 2:
            deployment.kill()
            killed["trees"] += 1
            deployment.start("")
        else:
            victims = deployment.children()
            os.kill(chance.choice(victims), signal.SIGKILL)
            killed["processes"] += 1
    return killed


def measure(profile: Profile) -> Figure:
    """On both databases, under the whole `hearth serve`."""
    texts: list[str] = []
    problems: list[str] = []
    for name, database in profile.databases.items():
        with deployed(database, part="") as deployment:
            text, found = _crashed(deployment, profile.size(240, 25))
        texts.append(f"{name}: {text}")
        problems += [f"{name}: {problem}" for problem in found]
    return Figure("; ".join(texts), not problems, tuple(problems[:20]))


def _crashed(deployment: Deployment, seconds: int) -> tuple[str, list[str]]:
    until = time.time() + seconds
    running: Launched = launched(deployment.port, _work, until)
    killed = _kill_some(deployment, until, random.Random(seconds))
    told = finished(running)
    whole, broken, problems = _halves(deployment, told)
    verified, words = deployment.audit_verify()
    deployment.stop()
    problems += ["processes were left behind by a graceful stop"] if deployment.left else []
    problems += unaudited(deployment, told)
    after, words = deployment.audit_verify()
    if not (verified and after):
        problems.append(f"audit verify: {words}")
    kills = ", ".join(f"{n} {what}" for what, n in killed.items())
    return f"{kills} killed, {whole} transactions whole, {broken} unanswered and absent; {words}", problems


def _halves(deployment: Deployment, told: list[Told]) -> tuple[int, int, list[str]]:
    """(whole, absent, problems) of all transactions, by counting the resources of each tag."""
    client = Client(deployment.port, "check")
    _wait(client)
    counted: Counter[str] = Counter()
    for type in ("Patient", "Basic", "Organization", "Observation"):
        for resource in client.found(f"{type}?_count=1000"):
            counted.update(one["value"] for one in resource.get("identifier", ()))
    tags = {tag: answered for one in told for tag, answered in one.value.items()}
    problems = [f"{tag}: {counted[tag]} of {EACH} resources" for tag in tags if counted[tag] not in (0, EACH)]
    problems += [f"{tag}: answered 200, not there" for tag, answered in tags.items() if answered and not counted[tag]]
    problems += [text for one in told for text in one.failures if ": 500" in text]
    return sum(1 for tag in tags if counted[tag]), sum(1 for tag in tags if not counted[tag]), problems


def unaudited(deployment: Deployment, told: list[Told]) -> list[str]:
    """Requests that were answered and have no audit row; the CapabilityStatement is public."""
    known = {row[0] for row in deployment.rows("SELECT DISTINCT request FROM audit")}
    answered = {id for one in told for id in one.answered} - {id for one in told for id in one.public}
    missing = sorted(answered - known)
    return [f"{len(missing)} of {len(answered)} answered requests have no audit row: {missing[:5]}"] if missing else []
