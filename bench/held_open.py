"""A database transaction held open while writers go on: readers of history, changes and pages must skip nothing.

FHIR R4 http.html#history (`_since`, paging) and the order of seq by which outbox and subscriptions read.
"""

import multiprocessing
import random
import time
from collections.abc import Callable
from typing import Any

from bench.bar import Figure, Profile
from bench.clients import Client, Skipping, Told, entry, failures, finished, following, launched, transaction
from bench.deployment import Deployment, deployed
from fhir_server.settings import load
from fhir_server.wiring import Process
from resources.repository import WHOLE_RECORD, Caller, Create, Put

Made = tuple[str, str, int]
"""(type, id, version)"""
ALL = "SELECT type, id, version FROM resource UNION ALL SELECT type, id, version FROM history"
CHANGES = """SELECT type, id, version, seq FROM resource WHERE seq > $1 AND seq <= $2
    UNION ALL SELECT type, id, version, seq FROM history WHERE seq > $1 AND seq <= $2"""


def observation(key: str, day: int) -> dict[str, Any]:
    """An Observation of some day, so that it may belong on any page."""
    moment = f"20{10 + day % 15}-{1 + day % 12:02}-{1 + day % 28:02}T12:00:00Z"
    identifier = [{"system": "urn:held", "value": key}]
    made = {"resourceType": "Observation", "status": "final", "code": {"text": "x"}, "identifier": identifier}
    return made | {"effectiveDateTime": moment, "subject": {"reference": "Patient/held"}}


# --- writers ------------------------------------------------------------------------------------------------------


def _write(client: Client, index: int, until: float) -> None:
    """Creates, updates, deletions and transactions until the clock says so."""
    chance = random.Random(index)
    mine: list[str] = []
    for number in range(1 << 30):
        if time.time() >= until:
            return
        body = observation(f"w{index}-{number}", chance.randrange(10_000))
        drawn = chance.random()
        if drawn < 0.4 or not mine:
            mine.append(client.send("POST", "Observation", body).json["id"])
        elif drawn < 0.7:
            id = chance.choice(mine)
            client.send("PUT", f"Observation/{id}", body | {"id": id})
        elif drawn < 0.8:
            client.send("DELETE", f"Observation/{mine.pop(chance.randrange(len(mine)))}")
        else:
            basic = {"resourceType": "Basic", "code": {"text": "x"}, "subject": {"reference": "Patient/held"}}
            client.send("POST", "", transaction(entry("POST", "Observation", body), entry("POST", "Basic", basic)))


def _hold(client: Client, index: int, until: float, settings: dict[str, Any], seconds: float, pause: float) -> int:
    """Transactions that write, stay open for ``seconds``, write again, and only then end; how many."""
    done = 0
    with Process(load(settings, {})) as process:
        repository, session = process.repository(Caller("holder", grants=WHOLE_RECORD)), process.store.session()
        while time.time() < until - seconds or not done:
            with session.transaction():
                repository.commit([Create(observation(f"h{index}-{done}-{n}", done)) for n in range(2)])
                time.sleep(seconds)
                repository.commit([Put(observation(f"p{index}-{done}", done), "Observation", f"held-{index}-{done}")])
            done += 1
            time.sleep(pause)
    return done


def _hold_reading(client: Client, index: int, until: float, settings: dict[str, Any], seconds: float) -> int:
    """SQLite has one writer: there a snapshot is what can be open for long."""
    with Process(load(settings, {})) as process:
        session = process.store.session()
        with session.transaction(snapshot=True):
            session.query("SELECT count(*) FROM resource")
            time.sleep(seconds)
    return 1


# --- readers: each tells what it has seen, and ends with one more look when all writers have ended --------------------


def _made(one: dict[str, Any]) -> tuple[Made, str]:
    """An entry of a history Bundle, and when it was made."""
    type, id = one["fullUrl"].split("/")[-2:]
    return (type, id, int(one["response"]["etag"].strip('W/"'))), one["response"]["lastModified"]


def _poll_since(client: Client, index: int, ended: Any, path: str) -> set[Made]:
    """Again and again what is new since the newest instant seen."""
    seen: set[Made] = set()
    since = "2000-01-01T00:00:00Z"
    last = False
    while not last:
        last = ended.is_set()
        page = f"{path}?_since={since}&_count=100"
        while page:
            bundle = client.send("GET", page).json
            for one in bundle.get("entry", ()):
                made, moment = _made(one)
                seen.add(made)
                since = max(since, moment)
            page = following(bundle)
        time.sleep(0.02)
    return seen


def _read_pages(client: Client, index: int, ended: Any, path: str) -> set[Made]:
    """The whole history, page by page, each walk as long as the writers let it be; what all walks saw together,
    which must hold at every walk what the walk before it held."""
    seen: set[Made] = set()
    last = False
    while not last:
        last = ended.is_set()
        walk: set[Made] = set()
        page = f"{path}?_count=50"
        while page:
            bundle = client.send("GET", page).json
            walk.update(_made(one)[0] for one in bundle.get("entry", ()))
            page = following(bundle)
        if seen - walk:
            raise Skipping(f"{path}: {len(seen - walk)} versions of an earlier walk are missing")
        seen = walk
    return seen


def _follow_changes(client: Client, index: int, ended: Any, settings: dict[str, Any]) -> set[Made]:
    """As the outbox is read: from the last seq to the horizon. A version is seen once."""
    seen: set[Made] = set()
    at, last = 0, False
    with Process(load(settings, {})) as process:
        session = process.store.session()
        while not last:
            last = ended.is_set()
            horizon = session.horizon()
            new = {(type, id, version) for type, id, version, _ in session.query(CHANGES, (at, horizon))}
            if new & seen:
                raise Skipping(f"changes: {len(new & seen)} versions are there twice")
            seen |= new
            at = horizon
            time.sleep(0.01)
    return seen


def _search_pages(client: Client, index: int, ended: Any, query: str) -> int:
    """Page by page: what was there before a walk and unchanged after it is in it, and no version is in it twice."""
    walks = 0
    while not ended.is_set() or not walks:
        before = set(map(_version, client.found("Observation?_count=1000")))
        walk = list(map(_version, client.found(query)))
        stayed = before & set(map(_version, client.found("Observation?_count=1000")))
        if len(walk) > len(set(walk)):
            raise Skipping(f"{query}: {len(walk) - len(set(walk))} of {len(walk)} are there twice")
        if stayed - set(walk):
            raise Skipping(f"{query}: {len(stayed - set(walk))} of {len(stayed)} skipped")
        walks += 1
    return walks


def _version(resource: dict[str, Any]) -> tuple[str, str]:
    return resource["id"], resource["meta"]["versionId"]


# --- the bar ------------------------------------------------------------------------------------------------------

Task = tuple[Callable[..., Any], tuple[Any, ...]]


def _task(client: Client, index: int, barrier: Any, tasks: list[Task], end: Any) -> Any:
    work, given = tasks[index]
    return work(client, index, end, *given)


def _tasks(deployment: Deployment, held: float) -> tuple[list[Task], list[Task]]:
    """Those that write, and those that read."""
    settings = {
        "DATA_DIR": str(deployment.folder),
        "DATABASE": deployment.url,
        "PUBLIC_URL": f"http://127.0.0.1:{deployment.port}/fhir",
    }
    if deployment.url.startswith("sqlite"):
        holders: list[Task] = [(_hold_reading, (settings, held)), (_hold, (settings, 0.3, 0.5))]
    else:
        holders = [(_hold, (settings, held, 0.0)), (_hold, (settings, 0.2, 0.1))]
    writers: list[Task] = [(_write, ())] * 4
    readers: list[Task] = [
        (_poll_since, ("_history",)),
        (_poll_since, ("Observation/_history",)),
        (_read_pages, ("_history",)),
        (_follow_changes, (settings,)),
        (_search_pages, ("Observation?_count=20",)),
        (_search_pages, ("Observation?_count=20&_sort=-_lastUpdated",)),
        (_search_pages, ("Observation?_count=20&subject=Patient/held&_sort=date",)),
    ]
    return writers + holders, readers


def measure(profile: Profile) -> Figure:
    """On both databases."""
    texts: list[str] = []
    problems: list[str] = []
    held = max(3.0, 60.0 * profile.scale)
    for name, database in profile.databases.items():
        with deployed(database) as deployment:
            text, found = _measured(deployment, held)
        texts.append(f"{name}: {text}")
        problems += [f"{name}: {problem}" for problem in found]
    return Figure("; ".join(texts), not problems, tuple(problems[:20]))


def _measured(deployment: Deployment, held: float) -> tuple[str, list[str]]:
    client = Client(deployment.port, "check")
    client.send("PUT", "Patient/held", {"resourceType": "Patient", "id": "held"})
    writing, reading = _tasks(deployment, held)
    ended = multiprocessing.get_context("fork").Event()
    readers = launched(deployment.port, _task, reading, ended, processes=len(reading))
    until = time.time() + held + 2
    told = finished(launched(deployment.port, _task, writing, until, processes=len(writing)))
    ended.set()
    told += finished(readers)
    written = {(type, id, version) for type, id, version in deployment.rows(ALL)}
    pairs = [(*task, one) for task, one in zip(writing + reading, told, strict=True)]
    problems = failures(told) + [problem for pair in pairs for problem in _skipped(*pair, written)]
    holds = [one.value for work, _, one in pairs if work in (_hold, _hold_reading)]
    walks = sum(one.value or 0 for work, _, one in pairs if work is _search_pages)
    text = f"open for {held:.0f} s, {sum(holds)} transactions held, {len(written)} versions, {walks} walks"
    return text, problems


def _skipped(work: Callable[..., Any], given: tuple[Any, ...], told: Told, written: set[Made]) -> list[str]:
    if work not in (_poll_since, _read_pages, _follow_changes):
        return []
    name = f"{work.__name__[1:]} {given[0] if isinstance(given[0], str) else ''}".strip()
    wanted = {made for made in written if "Observation" not in name or made[0] == "Observation"}
    missing = sorted(wanted - (told.value or set()))
    return [f"{name}: {len(missing)} of {len(wanted)} versions skipped, such as {missing[:3]}"] if missing else []
