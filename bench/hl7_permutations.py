"""The bar of order and repetition: whatever the order in which a patient's messages come, and how often, one end.

HL7 v2.5.1 sections 3.3 (ADT, merges) and 7.3 (ORU); text is mapped and applied as the bridge does it.
"""

import random
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from pathlib import Path
from typing import Any

import msgspec

from bench.bar import Bar, Figure, Profile
from bench.server import fresh
from fhir_server import wiring
from fhir_server.preparation import prepare
from fhir_server.settings import load
from hl7_bridge.er7 import parse
from hl7_bridge.mapping.messages import map_message
from hl7_bridge.mapping.model import Key
from hl7_bridge.record import FollowUps, Record, Source
from hl7_bridge.record.shelf import token
from hl7_bridge.site.model import Sender
from resources.repository import WHOLE_RECORD, Caller, SearchRequest

SENDER = Sender("bars")
STREAMS, AT_ONCE = 150, 30
_encode = msgspec.json.Encoder(order="sorted", decimal_format="number").encode
_numbers = count(1)


def _segment(name: str, fields: dict[int, str]) -> str:
    return "|".join([name, *(fields.get(n, "") for n in range(1, max(fields) + 1))])


class _Streams:
    """Random messages of two patients, one of whom may be merged into the other."""

    def __init__(self, chance: random.Random) -> None:
        self._chance = chance

    def stream(self) -> list[str]:
        kinds = [self._result] * 4 + [self._demographics] * 3 + [self._merge]
        return [self._chance.choice(kinds)() for _ in range(self._chance.randint(3, 9))]

    def _head(self, kind: str, patient: str, pid: dict[int, str]) -> tuple[str, list[str]]:
        time = f"20260101{self._chance.randint(10, 23)}{self._chance.randint(0, 59):02}00+0000"
        msh = f"MSH|^~\\&|LAB|A|||{time}||{kind}|{{control}}|P|2.5.1"
        return time, [msh, _segment("PID", {3: f"{patient}-{{world}}^^^A^MR"} | pid)]

    def _result(self) -> str:
        order = self._chance.randint(1, 3)
        patient = "1" if order < 3 else "2"
        time, lines = self._head("ORU^R01^ORU_R01", patient, {5: "Mentioned^Only"})
        placer, filler, taken = f"P{order}-{{world}}^A", f"F{order}-{{world}}^A", f"2026010109{order:02}00+0000"
        status = self._chance.choice("PFFC")
        lines.append(_segment("ORC", {1: "RE", 2: placer, 3: filler}))
        lines.append(_segment("OBR", {1: "1", 2: placer, 3: filler, 4: "CBC^Count^L", 7: taken, 22: time, 25: status}))
        for n, code in enumerate(self._chance.sample(("HGB", "WBC", "PLT", "GLU"), self._chance.randint(1, 3)), 1):
            state = self._chance.choice("PFFFCXDW")
            value = f"{self._chance.randint(1, 99)}.{self._chance.randint(0, 99):02}"
            fields = {1: str(n), 2: "NM", 3: f"{code}^{code}^L", 5: value, 6: "g/L^^UCUM", 11: state, 14: taken}
            lines.append(_segment("OBX", fields))
            if self._chance.random() < 0.3:
                lines.append(_segment("NTE", {1: "1", 3: f"noted {value}"}))
        return "\r".join([*lines, ""])

    def _demographics(self) -> str:
        said: dict[int, Callable[[], str]] = {
            5: lambda: self._chance.choice(("Okafor^Ada", "Obi^Ada^B")),
            7: lambda: self._chance.choice(("19800101", "19800102", '""')),
            8: lambda: self._chance.choice(("F", "M", '""')),
            11: lambda: self._chance.choice(("Old Street 1^^Town", "New Street 2^^Town", '""')),
            13: lambda: self._chance.choice(("^PRN^PH^^1^555^1234567", '""')),
            16: lambda: self._chance.choice(("M", "S", '""')),
            30: lambda: self._chance.choice(("Y", "N")),
        }
        event = self._chance.choice(("A01", "A04", "A08", "A31"))
        chosen = self._chance.sample(sorted(said), self._chance.randint(1, 5))
        time, lines = self._head(f"ADT^{event}", self._chance.choice("12"), {n: said[n]() for n in chosen})
        lines.insert(1, _segment("EVN", {1: event, 2: time}))
        if event != "A31":
            lines.append(_segment("PV1", {2: self._chance.choice("IO"), 3: f"W^{self._chance.randint(1, 9)}"}))
        return "\r".join([*lines, ""])

    def _merge(self) -> str:
        time, lines = self._head("ADT^A40^ADT_A39", "1", {5: "Okafor^Ada"})
        lines.insert(1, _segment("EVN", {1: "A40", 2: time}))
        return "\r".join([*lines, "MRG|2-{world}^^^A^MR", ""])


class _World:
    """Identities of its own within one record."""

    def __init__(self, process: wiring.Process) -> None:
        self._repository = process.repository(Caller("hl7:bars", "hl7", grants=WHOLE_RECORD))
        self._record = Record(process.journal.stamps, b"secret of the bars", lambda: int(time.time() * 1000))
        self._follow_ups = FollowUps(self._record, self._repository)
        self.name, self._keys = f"w{next(_numbers)}w", set[tuple[str, Key]]()

    def apply(self, text: str) -> int:
        """How many versions ``text`` made of what is no log."""
        text = text.replace("{world}", self.name).replace("{control}", str(next(_numbers)))
        message = parse(text.encode())
        mapped = map_message(message, SENDER)
        self._keys |= {(each.resource["resourceType"], key) for each in mapped.entries for key in each.keys}
        applied = self._record.apply(self._repository, mapped, Source("bars", message.control_id, 0))
        for each in applied.follow_ups:
            self._follow_ups.run(each)
        return len(applied.changed)

    def settle(self) -> None:
        """What several nodes left for later."""
        while claimed := self._record.stamps.claim(2**60, 1, 100):
            done = [self._follow_ups.run(each) for each in claimed]
            if not all(done):
                return

    def state(self) -> dict[str, str]:
        """The record of this world without ids, versions and times. Raises AssertionError when something is doubled."""
        found = [msgspec.json.decode(doc) for doc in self._documents()]
        names = {f"{each['resourceType']}/{each['id']}": _name(each) for each in found}
        assert len(set(names.values())) == len(found), "a resource is doubled"
        return {name: self._plain(each, names) for name, each in zip(names.values(), found, strict=True)}

    def _documents(self) -> Iterator[bytes]:
        for type in sorted({type for type, _ in self._keys}):
            texts = ",".join(sorted(token(key) for kind, key in self._keys if kind == type))
            page = self._repository.search(SearchRequest(type, (("identifier", texts), ("_count", "200"))))
            yield from (hit.version.doc for hit in page.hits)

    def _plain(self, resource: dict[str, Any], names: dict[str, str]) -> str:
        text: str = _encode({key: value for key, value in resource.items() if key not in ("id", "meta")}).decode()
        for reference, name in names.items():
            text = text.replace(f'"{reference}"', f'"{name}"')
        return text.replace(self.name, "")


def _name(resource: dict[str, Any]) -> str:
    return f"{resource['resourceType']} {_encode(resource['identifier'][0]).decode()}"


def _differences(one: dict[str, str], other: dict[str, str]) -> int:
    return sum(one.get(name) != other.get(name) for name in one.keys() | other.keys())


def _orders(process: wiring.Process, chance: random.Random, streams: int) -> tuple[int, int, int]:
    """Messages applied, resources that differ from one order to another, versions that repetitions made."""
    messages = wrong = extra = 0
    for _ in range(streams):
        stream = _Streams(chance).stream()
        again = [*stream, *chance.choices(stream, k=3)]
        chance.shuffle(again)
        worlds = [_World(process), _World(process)]
        for world, order in zip(worlds, (stream, again), strict=True):
            for text in order:
                world.apply(text)
        wrong += _differences(*({n.replace(w.name, ""): text for n, text in w.state().items()} for w in worlds))
        extra += sum(worlds[0].apply(text) for text in stream * 5)
        messages += len(stream) * 6 + len(again)
    return messages, wrong, extra


def _nodes(process: wiring.Process, chance: random.Random, streams: int) -> int:
    """Resources that differ when three nodes apply the same messages in their own orders at the same time."""
    wrong = 0
    for _ in range(streams):
        stream = _Streams(chance).stream()
        alone, shared = _World(process), _World(process)
        for text in stream:
            alone.apply(text)
        orders = [chance.sample(stream, len(stream)) for _ in range(3)]
        _at_once(shared, orders)
        shared.settle()
        wrong += _differences(
            *({n.replace(w.name, ""): text for n, text in w.state().items()} for w in (alone, shared))
        )
    return wrong


def _at_once(world: _World, orders: Sequence[Sequence[str]]) -> None:
    barrier = threading.Barrier(len(orders))

    def node(order: Sequence[str]) -> None:
        barrier.wait()
        for text in order:
            world.apply(text)

    with ThreadPoolExecutor(len(orders)) as pool:
        for done in [pool.submit(node, order) for order in orders]:
            done.result()


def _measure(profile: Profile) -> Figure:
    told, good = [], True
    for name, database in profile.databases.items():
        with tempfile.TemporaryDirectory() as folder, fresh(database, Path(folder)) as url:
            settings = load({"DATA_DIR": folder, "DATABASE": url, "OPEN": True}, {})
            prepare(settings)
            with wiring.Process(settings) as process:
                chance = random.Random(4)
                messages, wrong, extra = _orders(process, chance, profile.size(STREAMS, 8))
                raced = _nodes(process, chance, profile.size(AT_ONCE, 4))
        good = good and not wrong + extra + raced
        text = (
            f"{messages:,} messages, {wrong} differences, {extra} versions of resends, {raced} of three nodes at once"
        )
        told.append(f"{name} {text}")
    return Figure("; ".join(told), good)


BARS = (
    Bar(
        "hl7: any order and repetition of messages",
        "the same record: results with corrections, demographics, a merge; 5 resends make no version",
        _measure,
    ),
)
