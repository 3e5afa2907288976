"""kill -9 of the bridge at random points: no message lost, none applied twice, every acknowledged one there.

HL7 v2.5.1 section 2.9; the peers do what every sender does: without an answer they connect again and send it again.
"""

import random
import threading
import time
import zlib
from collections import Counter
from collections.abc import Iterable
from typing import Any, Protocol

from bench.bar import Bar, Figure, Profile
from bench.hl7_bridge import BridgeProcess, Wire, bridging, result
from bench.processes import descendants

PEERS = 6
PATIENTS = 40
RESULTS = 3
KILLS = 25
"""About."""
_DOWN_SECONDS = 120.0
_PATIENCE = 20.0


class Asked(Protocol):
    """What runs on a database that can be asked beside it."""

    def rows(self, sql: str) -> list[tuple[Any, ...]]: ...


def measure(profile: Profile) -> Figure:
    """On both databases."""
    texts: list[str] = []
    problems: list[str] = []
    for name, database in profile.databases.items():
        with bridging(database) as bridge:
            text, found = _killed(bridge, profile.size(10_000, 500), profile.size(KILLS, 8))
        texts.append(f"{name}: {text}")
        problems += [f"{name}: {problem}" for problem in found]
    return Figure("; ".join(texts), not problems, tuple(problems[:20]))


def _killed(bridge: BridgeProcess, count: int, about: int) -> tuple[str, list[str]]:
    """``about`` so many kills while ``count`` messages are sent."""
    chance = random.Random(count)
    told: Counter[str] = Counter()
    failed: list[str] = []
    ids = [f"M{n}" for n in range(count)]
    peers = [
        threading.Thread(target=send, args=(bridge.port, ids[n::PEERS], told, failed), daemon=True)
        for n in range(PEERS)
    ]
    started = time.monotonic()
    for peer in peers:
        peer.start()
    kills = 0
    while any(peer.is_alive() for peer in peers):
        _let_some_through(told, chance.randint(0, 2 * count // about))
        time.sleep(chance.uniform(0, 0.1))
        kills += 1
        if kills % 3 == 0:  # those who apply alone: the bridge starts others
            bridge.kill(descendants(bridge.pid))
        else:
            bridge.kill()
            bridge.start()
            bridge.ready()
    seconds = time.monotonic() - started
    left = bridge.wait_applied()
    problems = [*failed, *([f"{left} messages still wait"] if left else []), *wrong(bridge, ids, told)]
    stopped = bridge.stop()
    problems += [f"exit status {stopped} of a graceful stop"] if stopped else []
    return f"{count:,} messages, {kills} kills, {told.total() - count} answered again, {seconds:.0f} s", problems


def _let_some_through(told: Counter[str], count: int) -> None:
    """Until so many more are answered, or nothing has come for long: also while all starts it may be killed."""
    until, deadline = told.total() + count, time.monotonic() + _PATIENCE
    while told.total() < until and time.monotonic() < deadline:
        time.sleep(0.01)


def send(port: int, ids: Iterable[str], told: Counter[str], failed: list[str]) -> None:
    """Each of ``ids`` until it is answered, some of them once more."""
    chance = random.Random(port)
    wire: Wire | None = None
    for id in ids:
        raw = result(id, _patient(id), RESULTS)
        for _ in range(2 if chance.random() < 0.05 else 1):
            deadline = time.monotonic() + _DOWN_SECONDS
            while time.monotonic() < deadline:
                try:
                    wire = wire or Wire(port)
                    answer = wire.ask(raw)
                except OSError:
                    wire = None
                    time.sleep(0.05)
                    continue
                if f"\rMSA|AA|{id}\r".encode() not in answer:
                    failed.append(f"{id}: answered {answer.decode(errors='replace')[-200:]!r}")
                told[id] += 1
                break
            else:
                failed.append(f"{id}: not answered for {_DOWN_SECONDS:.0f} s")


def _patient(id: str) -> int:
    return zlib.crc32(id.encode()) % PATIENTS


def wrong(bridge: Asked, ids: list[str], told: Counter[str]) -> list[str]:
    """What is not as it must be, of journal and record."""
    kept = Counter(str(row[0]) for row in bridge.rows("SELECT control_id FROM hl7_message"))
    applied = {str(row[0]) for row in bridge.rows("SELECT control_id FROM hl7_message WHERE state = 'applied'")}
    versions = {
        str(type): (int(count), int(newest))
        for type, count, newest in bridge.rows("SELECT type, count(*), max(version) FROM resource GROUP BY type")
    }
    wanted = {"Observation": len(ids) * RESULTS, "DiagnosticReport": len(ids)}
    problems = [f"{id}: acknowledged, not in the journal" for id in told if not kept[id]]
    problems += [f"{id}: lost" for id in ids if id not in applied]
    problems += [f"{id}: {count} times in the journal" for id, count in kept.items() if count > 1]
    for type, count in wanted.items():
        there, newest = versions.get(type, (0, 0))
        problems += [f"{there} of {count} {type}"] if there != count else []
        problems += [f"{type}: version {newest}, applied twice"] if newest > 1 else []
    # Each commit makes the same number of Provenances: one commit more or less shows in the rest.
    said = versions.get("Provenance", (0, 0))[0]
    problems += [f"{said} Provenances of {len(ids)} messages"] if said == 0 or said % len(ids) else []
    people, known = versions.get("Patient", (0, 0))[0], len(set(map(_patient, ids)))
    return problems + ([f"{people} patients of {known}"] if people != known else [])


BARS = (Bar("hl7: kill -9 of the bridge", "0 lost, 0 applied twice, all acknowledged there", measure),)
