"""The primary dies under load and its standby is promoted: nothing that was answered is lost, nothing is done twice.

PostgreSQL 15 chapter 27.2.8, docs/adr/synchronous-commit.md. Clients send each change once: what is answered 503 as
refused must not be there, what is answered 503 as unknown may be there once.
"""

import random
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from bench.bar import Bar, Figure, Profile, Skipped
from bench.clients import Client, Launched, Told, Unanswered, entry, failures, finished, launched, transaction
from bench.crash import unaudited
from bench.deployment import Deployment, deployed
from bench.hl7_bridge import Wire
from bench.hl7_kill import send, wrong
from bench.server import free_port
from deploy.postgres_cluster import NoPostgres
from deploy.postgres_pair import Pair, pair

CLIENTS, PEERS = 6, 3
SYSTEM = "urn:failover"
TOGETHER = 3
"""Resources of one transaction."""
ROUNDS = 3
_AWAY = 1.0
"""Seconds from the death of the primary to the promotion."""
_NAP = 0.02
_UP_SECONDS = 60.0
DONE, REFUSED, UNKNOWN = "done", "refused", "unknown"


class Sent(NamedTuple):
    """A change: how it was sent (create, transaction, update), its mark, what was answered and as which version."""

    kind: str
    tag: str
    end: str
    version: int = 0


def _resource(type: str, tag: str) -> dict[str, Any]:
    made: dict[str, Any] = {"resourceType": type, "identifier": [{"system": SYSTEM, "value": tag}]}
    return made | ({"code": {"text": tag}} if type == "Basic" else {"name": tag})


def _create(client: Client, tag: str, own: str) -> Any:
    return client.send("POST", "Basic", _resource("Basic", tag))


def _transaction(client: Client, tag: str, own: str) -> Any:
    types = ("Basic", "Organization", "Basic")
    return client.send("POST", "", transaction(*(entry("POST", type, _resource(type, tag)) for type in types)))


def _update(client: Client, tag: str, own: str) -> Any:
    return client.send("PUT", f"Basic/{own}", {"resourceType": "Basic", "id": own, "code": {"text": tag}})


KINDS = {"create": _create, "transaction": _transaction, "update": _update}


def work(client: Client, index: int, barrier: Any, until: float) -> list[Sent]:
    """Changes until the clock says ``until``, each sent once, and reads of what was answered."""
    chance, own = random.Random(index), f"own-{index}"
    sent: list[Sent] = []
    barrier.wait()
    while time.time() < until:
        kind = chance.choice(tuple(KINDS))
        tag = f"{kind}-{index}-{len(sent)}"
        try:
            answer = KINDS[kind](client, tag, own)
            end = _end(client, answer, tag)
        except Unanswered:
            answer, end = None, UNKNOWN
        version = int(answer.version[3:-1]) if end == DONE and kind == "update" else 0
        sent.append(Sent(kind, tag, end, version))
        _look(client, own, max(each.version for each in sent))
        time.sleep(0 if end == DONE else _NAP)
    return sent


def _end(client: Client, answer: Any, tag: str) -> str:
    """What an answer says of the change. Anything else than done and 503 is a failure."""
    if answer.status in (200, 201):
        return DONE
    issue = (answer.json or {}).get("issue", [{}])[0]
    if answer.status == 503 and issue.get("code") == "timeout" and "Look whether" in issue["diagnostics"]:
        return UNKNOWN
    if answer.status != 503 or issue.get("code") != "transient" or not answer.headers.get("retry-after"):
        client.told.failures.append(f"{tag}: answered {answer.status} {answer.json} without what a refusal says")
    return REFUSED


def _look(client: Client, own: str, version: int) -> None:
    """The client sees at least the version that was answered to it."""
    if not version:
        return
    try:
        answer = client.send("GET", f"Basic/{own}")
    except Unanswered:
        return
    if answer.status != 503 and (answer.status != 200 or int(answer.version[3:-1]) < version):
        client.told.failures.append(f"{own}: version {version} was answered, then {answer.status} {answer.version}")


@dataclass
class Peers:
    """Senders of HL7 v2 messages, each sent until it is acknowledged, until the clock says ``until``."""

    port: int
    until: float
    told: Counter[str] = field(default_factory=Counter)
    failed: list[str] = field(default_factory=list)
    ids: list[str] = field(default_factory=list)

    def start(self) -> "list[threading.Thread]":
        threads = [
            threading.Thread(target=send, args=(self.port, self._ids(n), self.told, self.failed), daemon=True)
            for n in range(PEERS)
        ]
        for thread in threads:
            thread.start()
        return threads

    def _ids(self, peer: int) -> Iterator[str]:
        n = 0
        while time.time() < self.until:
            n += 1
            self.ids.append(f"M{peer}-{n}")
            yield self.ids[-1]


def measure(profile: Profile) -> Figure:
    """Failovers of a deployment with API, bridge and worker, each on a pair of its own."""
    if not profile.postgresql:
        raise Skipped("PostgreSQL is not there")
    texts: list[str] = []
    problems: list[str] = []
    for number in range(profile.size(ROUNDS)):
        try:
            with pair() as servers:
                text, found = _failed_over(servers, profile.size(60, 5))
        except NoPostgres as error:
            raise Skipped(str(error)) from None
        texts.append(text)
        problems += [f"{number + 1}: {problem}" for problem in found]
    return Figure("; ".join(texts), not problems, tuple(problems[:20]))


def _failed_over(servers: Pair, seconds: int) -> tuple[str, list[str]]:
    bridge = free_port()
    words = ("--workers", "2", "--threads", "4", "--hl7-port", str(bridge), "--log-level", "warning")
    with deployed(servers.url, *words, part="") as deployment:
        _listening(bridge)
        until = time.time() + seconds
        peers = Peers(bridge, until)
        threads = peers.start()
        running: Launched = launched(deployment.port, work, until, processes=CLIENTS)
        time.sleep(seconds / 3)
        servers.kill_primary()
        time.sleep(_AWAY)
        servers.promote()
        back = time.time()
        told = finished(running)
        for thread in threads:
            thread.join()
        problems = [*amiss(deployment.port, told), *_messages(deployment, peers)]
        met = sum(sent.end != DONE for one in told for sent in one.value)
        problems += [] if met else ["no change met the failover"]
        said, words_of_audit = deployment.audit_verify()
        problems += [] if said else [f"audit verify: {words_of_audit}"]
        deployment.stop()
        problems += unaudited(deployment, told)
    return f"{counts(told)}, {len(peers.ids)} messages acknowledged, {until - back:.0f} s on the standby", problems


def _listening(port: int) -> None:
    """Until the bridge takes connections."""
    deadline = time.monotonic() + _UP_SECONDS
    while True:
        try:
            return Wire(port).close()
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(_NAP)


def counts(told: Sequence[Told]) -> str:
    ends = Counter(sent.end for one in told for sent in one.value)
    return f"{ends[DONE]} changes answered, {ends[REFUSED]} refused and {ends[UNKNOWN]} unknown by 503"


def _messages(deployment: Deployment, peers: Peers) -> list[str]:
    deadline = time.monotonic() + 60
    waiting = "SELECT count(*) FROM hl7_message WHERE state = 'received'"
    while deployment.rows(waiting)[0][0] and time.monotonic() < deadline:
        time.sleep(0.1)
    return [*peers.failed, *wrong(deployment, peers.ids, peers.told)]


def amiss(port: int, told: Sequence[Told]) -> list[str]:
    """What the server at ``port`` does not have as it was answered to those who did `work`."""
    client = Client(port, "check")
    there: Counter[str] = Counter()
    for type in ("Basic", "Organization"):
        for resource in client.found(f"{type}?_count=1000"):
            there.update(one["value"] for one in resource.get("identifier", ()))
    problems = [text for text in failures(told) if ": 503 " not in text]
    for index, one in enumerate(told):
        problems += _updates(client, index, [sent for sent in one.value if sent.kind == "update"])
        for sent in one.value:
            if sent.kind != "update" and there[sent.tag] not in _allowed(sent):
                problems.append(f"{sent.tag}: {sent.end}, there {there[sent.tag]} times")
    return problems


def _allowed(sent: Sent) -> tuple[int, ...]:
    whole = TOGETHER if sent.kind == "transaction" else 1
    return {DONE: (whole,), REFUSED: (0,), UNKNOWN: (0, whole)}[sent.end]


def _updates(client: Client, index: int, sent: Sequence[Sent]) -> list[str]:
    """Each version is of one update, those that were answered as they were answered."""
    versions = {
        int(each["meta"]["versionId"]): each["code"]["text"]
        for each in client.found(f"Basic/own-{index}/_history?_count=1000")
    }
    tags = Counter(versions.values())
    problems = [f"{tag}: stored {count} times" for tag, count in tags.items() if count > 1]
    problems += [f"{each.tag}: refused, and there" for each in sent if each.end == REFUSED and tags[each.tag]]
    return problems + [
        f"{each.tag}: answered as version {each.version}, which is {versions.get(each.version)}"
        for each in sent
        if each.end == DONE and versions.get(each.version) != each.tag
    ]


BARS = (
    Bar(
        "failover: the standby is promoted under load",
        "0 answered changes and acknowledged messages lost or doubled, 0 answers but 200, 201 and 503",
        measure,
    ),
)
