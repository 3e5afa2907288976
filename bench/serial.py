"""Mixed transactions over shared resources, and the invariants that only their serial execution keeps.

FHIR R4 http.html#trules; each part of the work has an invariant of its own, checked when all clients are done.
"""

import random
from collections import Counter, defaultdict
from typing import Any

from bench.bar import Profile
from bench.clients import Client, Told, entry, failures, patch_entry, statuses, together, transaction
from bench.deployment import Deployment

ACCOUNTS, POOL, START = 6, 5, 1000
VALUE = "http://example.org/value"
CONFLICTS = (200, 409, 412)


def basic(kind: str, value: int = 0, **more: Any) -> dict[str, Any]:
    """A Basic with a number."""
    extension = [{"url": VALUE, "valueInteger": value}]
    return {"resourceType": "Basic", "code": {"text": kind}, "extension": extension, **more}


def value_of(resource: dict[str, Any]) -> int:
    """Its number."""
    return int(resource["extension"][0]["valueInteger"])


def identified(type: str, key: str, **more: Any) -> dict[str, Any]:
    """A resource with one identifier of the system urn:serial."""
    return {"resourceType": type, "identifier": [{"system": "urn:serial", "value": key}], **more}


# --- transfers: the sum stays, and every account is what its ledger says ------------------------------------------


def _transfer(client: Client, chance: random.Random) -> None:
    """Two accounts by PUT or PATCH with If-Match, a ledger row that refers to a shared practitioner, shuffled."""
    ids = chance.sample(range(ACCOUNTS), 2)
    amount = chance.randrange(1, 9)
    entries, parts = [], []
    for id, change in zip(ids, (-amount, amount), strict=True):
        read = client.send("GET", f"Basic/account-{id}")
        entries.append(_changed(f"Basic/account-{id}", value_of(read.json) + change, read.version, chance))
        parts.append({"url": f"http://example.org/account-{id}", "valueInteger": change})
    signer = f"signer-{chance.randrange(POOL)}"
    criteria = f"identifier=urn:serial|{signer}"
    url = f"urn:uuid:00000000-0000-4000-8000-{chance.getrandbits(48):012x}"
    entries.append(entry("POST", "Practitioner", identified("Practitioner", signer), url, ifNoneExist=criteria))
    ledger = {"resourceType": "Basic", "code": {"text": "ledger"}, "extension": parts, "author": {"reference": url}}
    entries.append(entry("POST", "Basic", ledger))
    chance.shuffle(entries)
    client.send("POST", "", transaction(*entries))


def _changed(url: str, value: int, version: str, chance: random.Random) -> Any:
    if chance.random() < 0.5:
        return entry("PUT", url, basic("account", value, id=url.partition("/")[2]), ifMatch=version)
    operations = [{"op": "replace", "path": "/extension/0/valueInteger", "value": value}]
    return patch_entry(url, operations, ifMatch=version)


def _audit(client: Client, chance: random.Random) -> int:
    """All accounts read in one transaction: their sum is the same at every moment of a serial execution."""
    order = chance.sample(range(ACCOUNTS), ACCOUNTS)
    answer = client.send("POST", "", transaction(*(entry("GET", f"Basic/account-{n}") for n in order)))
    return sum(value_of(one["resource"]) for one in answer.json["entry"])


def _dismiss(client: Client, chance: random.Random) -> None:
    """Delete a signer, by criteria or id: refused while a ledger row refers to it."""
    criteria = f"Practitioner?identifier=urn:serial|signer-{chance.randrange(POOL * 3)}"
    client.send("POST", "", transaction(entry("DELETE", criteria)))


def _hire(client: Client, chance: random.Random) -> None:
    """Several signers made or updated at once, in any order."""
    keys = [f"signer-{n}" for n in chance.sample(range(POOL * 3), 3)]
    made = [identified("Practitioner", key, active=chance.random() < 0.5) for key in keys]
    entries = [
        entry("PUT", f"Practitioner?identifier=urn:serial|{key}", one)
        if chance.random() < 0.5
        else entry("POST", "Practitioner", one, ifNoneExist=f"identifier=urn:serial|{key}")
        for key, one in zip(keys, made, strict=True)
    ]
    client.send("POST", "", transaction(*entries))


# --- skews: each transaction alone keeps the rule, two that do not see each other break it ------------------------


def _pair(client: Client, index: int, number: int) -> None:
    """Make sure of one of two, then remove the other: one of them is always there."""
    keep, drop = (f"pair-{number}-{side}" for side in ("ab" if index % 2 else "ba"))
    other = client.send("GET", f"Organization?identifier=urn:serial|{drop}").json.get("entry", ())
    ensure = entry(
        "POST", "Organization", identified("Organization", keep, name="x"), ifNoneExist=f"identifier=urn:serial|{keep}"
    )
    client.send(
        "POST", "", transaction(ensure, *(entry("DELETE", f"Organization/{one['resource']['id']}") for one in other))
    )


def _names(client: Client, index: int, number: int) -> bool:
    """A location unless there is one, and a device: or the other way round. N of these make N + 1 resources."""
    location = {"resourceType": "Location", "name": f"Name{number}x"}
    device = {"resourceType": "Device", "deviceName": [{"name": f"Name{number}x", "type": "other"}]}
    unless = {"ifNoneExist": f"name=Name{number}x"} if index % 2 else {}
    either = {} if index % 2 else {"ifNoneExist": f"device-name=Name{number}x"}
    entries = [entry("POST", "Location", location, **unless), entry("POST", "Device", device, **either)]
    return client.send("POST", "", transaction(*entries)).status == 200


def _patched_in(client: Client, index: int, number: int) -> bool:
    """A group unless one has the key, and another group patched to have the other key: N of these make N + 1."""
    mine, other = (f"key-{number}-{side}" for side in ("ab" if index % 2 else "ba"))
    body = {"resourceType": "Group", "type": "person", "actual": True}
    client.send("PUT", f"Group/g-{number}-{index}", body | {"id": f"g-{number}-{index}"})
    value = [{"system": "urn:serial", "value": other}]
    patch = patch_entry(f"Group/g-{number}-{index}", [{"op": "add", "path": "/identifier", "value": value}])
    ensure = entry("POST", "Group", body | {"identifier": [{"system": "urn:serial", "value": mine}]})
    ensure["request"]["ifNoneExist"] = f"identifier=urn:serial|{mine}"
    return client.send("POST", "", transaction(ensure, patch)).status == 200


# --- the work of a client -----------------------------------------------------------------------------------------

MIX = (_transfer, _transfer, _transfer, _dismiss, _hire, _audit)


def _work(client: Client, index: int, barrier: Any, rounds: int, skews: int) -> dict[str, Any]:
    chance = random.Random(1000 + index)
    barrier.wait()
    sums = Counter(sum_ for _ in range(rounds) if (sum_ := chance.choice(MIX)(client, chance)) is not None)
    done: Counter[str] = Counter()
    for number in range(skews):
        barrier.wait()
        _pair(client, index, number)
        done[f"Name{number}x"] += _names(client, index, number)
        done[f"key-{number}-"] += _patched_in(client, index, number)
    return {"sums": sums, "done": done}


def serialisable(deployment: Deployment, profile: Profile) -> tuple[str, list[str]]:
    """Run the mix and check every invariant."""
    client = Client(deployment.port, "check")
    for n in range(ACCOUNTS):
        client.send("PUT", f"Basic/account-{n}", basic("account", START, id=f"account-{n}"))
    rounds, skews = profile.size(500, 40), profile.size(120, 12)
    told = together(deployment.port, _work, rounds, skews)
    problems = failures(told) + _accounts(client) + _sums(told) + _unique(client) + _skewed(client, told, skews)
    problems += [f"{n} answers of {s}" for s, n in statuses(told).items() if s not in (*CONFLICTS, 201, 204)]
    counted = statuses(told)
    text = ", ".join(f"{code}: {n}" for code, n in sorted(counted.items()))
    return f"{counted.total()} answers ({text}), {skews * 3} skews", problems


def _accounts(client: Client) -> list[str]:
    rows = client.found("Basic?_count=500")
    ledger: dict[str, int] = defaultdict(int)
    for row in rows:
        for part in row["extension"] if row["code"]["text"] == "ledger" else ():
            ledger[part["url"].rsplit("/", 1)[1]] += part["valueInteger"]
    accounts = {row["id"]: value_of(row) for row in rows if row["code"]["text"] == "account"}
    wrong = [id for id, value in accounts.items() if value != START + ledger[id]]
    problems = [f"{id}: {accounts[id]}, but its ledger says {START + ledger[id]}" for id in wrong]
    signers = {one["id"] for one in client.found("Practitioner?_count=500")}
    signed = {row["author"]["reference"].partition("/")[2] for row in rows if "author" in row}
    return problems + [f"a ledger row refers to Practitioner/{id}, which is not there" for id in signed - signers]


def _sums(told: list[Told]) -> list[str]:
    sums = sum((one.value["sums"] for one in told), Counter[int]())
    return [f"{n} transactions read a sum of {s}" for s, n in sums.items() if s != ACCOUNTS * START]


def _unique(client: Client) -> list[str]:
    found = Counter(one["identifier"][0]["value"] for one in client.found("Practitioner?_count=500"))
    return [f"{n} practitioners have the identifier {key}" for key, n in found.items() if n > 1]


def _skewed(client: Client, told: list[Told], skews: int) -> list[str]:
    problems: list[str] = []
    done = sum((one.value["done"] for one in told), Counter[str]())
    for n in range(skews):
        either = f"urn:serial|pair-{n}-a,urn:serial|pair-{n}-b"
        if not client.total(f"Organization?identifier={either}"):
            problems.append(f"pair {n}: both are gone")
        named = client.total(f"Location?name=Name{n}x") + client.total(f"Device?device-name=Name{n}x")
        keyed = client.total(f"Group?identifier=urn:serial|key-{n}-a,urn:serial|key-{n}-b")
        for kind, key, made in (("named", f"Name{n}x", named), ("patched", f"key-{n}-", keyed)):
            if made != done[key] + 1:
                problems.append(f"{kind} {n}: {done[key]} transactions made {made} resources, not {done[key] + 1}")
    return problems
