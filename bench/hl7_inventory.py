"""Bar: the pure mapper against the expected FHIR of one message per rule of the official mapping inventory.

Leaf by leaf, without ids, outside that origin's private extensions; the sample data stands beside the checkout
(``../shared/data/hl7v2/cdc_inventory``) and is optional. Deviations with their reasons are in ``hl7_deviations.py``.
"""

import json
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bench.bar import Bar, Figure, Profile, Skipped
from bench.hl7_deviations import AGAIN, DEVIATIONS, Deviation, is_of_the_conversion
from hl7_bridge.er7 import parse
from hl7_bridge.mapping.messages import finish, sketch
from hl7_bridge.site.model import Sender

SAMPLES = Path(__file__).resolve().parents[1] / "../shared/data/hl7v2/cdc_inventory"
GOAL = 0.95
SENDER = Sender("inventory", processing_ids=("P", "T", "D"))

_PRIVATE = re.compile(r"reportstream\.cdc\.gov|ibm\.com")
_SPOKEN_OF = frozenset({"Organization", "Practitioner", "PractitionerRole", "Location", "Device"})
_UNITED = _SPOKEN_OF | {"Specimen"}
"""Types of which that origin makes one resource for each place that speaks of one, and we one for each identity."""

Leaf = tuple[str, str]
"""Path without indexes, and the value as text."""


@dataclass(slots=True)
class Tally:
    """What was counted: all leaves, those that agree, those excused by reason, and the rest with where they are."""

    leaves: int = 0
    agreed: int = 0
    excused: Counter[str] = field(default_factory=Counter)
    missed: list[tuple[str, str, str, str]] = field(default_factory=list)

    @property
    def rate(self) -> float:
        """Agreement among the leaves that no deviation excuses."""
        return self.agreed / max(1, self.leaves - self.excused.total())


def compared(folder: Path = SAMPLES) -> Tally:
    """Every pair of message and expected bundle of ``folder``."""
    tally = Tally()
    for path in sorted(folder.glob("*.hl7")):
        expected = path.with_suffix(".expected.json")
        if expected.exists():
            _pair(path, json.loads(expected.read_text()), tally)
    return tally


def _pair(path: Path, bundle: dict[str, Any], tally: Tally) -> None:
    message = parse(_with_patient(path.read_bytes()))
    draft = sketch(message, SENDER)
    ours = [entry.resource for entry in finish(draft).entries] if draft is not None else []
    urls = {entry.url: entry.resource["resourceType"] for entry in (draft.entries if draft is not None else ())}
    theirs = _reached(bundle)
    known = {f"{each['resourceType']}/{each['id']}": each["resourceType"] for each in theirs}
    matched = _matched(
        [(each, list(_leaves(each, known))) for each in theirs], [(each, Counter(_leaves(each, urls))) for each in ours]
    )
    again = _again(theirs)
    for resource, leaves, counterpart in matched:
        left = Counter(counterpart)
        if id(resource) in again:
            tally.leaves += len(leaves)
            same = (Counter(leaves) & left).total()
            tally.agreed += same
            tally.excused[AGAIN] += len(leaves) - same
            continue
        for leaf in leaves:
            _judge(path, resource, leaf, left, tally)


def _again(theirs: list[dict[str, Any]]) -> set[int]:
    """Persons and organizations under a number that another one of the message already has."""
    seen: dict[tuple[str, str], dict[str, Any]] = {}
    found = set()
    for each in theirs:
        numbers = [one.get("value", "") for one in each.get("identifier", [])]
        if each["resourceType"] in ("Practitioner", "Organization") and numbers:
            first = seen.setdefault((each["resourceType"], numbers[0]), each)
            if first.get("name") != each.get("name"):
                found |= {id(first), id(each)}
    return found


def _with_patient(raw: bytes) -> bytes:
    """A few messages of single rules have no PID, which our identity rules refuse; an empty one says as much."""
    lines = re.split(rb"\r\n|\r|\n", raw)
    return raw if any(line.startswith(b"PID") for line in lines) else b"\r".join([lines[0], b"PID|1", *lines[1:]])


def _judge(path: Path, resource: dict[str, Any], leaf: Leaf, left: "Counter[Leaf]", tally: Tally) -> None:
    tally.leaves += 1
    if left[leaf] > 0:
        left[leaf] -= 1
        tally.agreed += 1
        return
    kind = resource["resourceType"]
    others = [value for place, value in left if place == leaf[0]]
    reason = next((each for each in DEVIATIONS if _excuses(each, resource, path.stem, leaf, others)), None)
    if reason is not None:
        tally.excused[reason.reason] += 1
    else:
        tally.missed.append((path.stem, f"{kind}.{leaf[0]}", leaf[1], " | ".join(others[:3])))


def _excuses(deviation: Deviation, resource: dict[str, Any], name: str, leaf: Leaf, others: list[str]) -> bool:
    if not re.fullmatch(deviation.path, f"{resource['resourceType']}.{leaf[0]}") or not re.search(deviation.file, name):
        return False
    return deviation.of(resource) and deviation.holds(leaf[1], others)


def _reached(bundle: dict[str, Any]) -> list[dict[str, Any]]:
    """Their resources without private extensions; those that only private extensions refer to are left out."""
    resources = [_public(each["resource"]) for each in bundle["entry"]]
    by_name = {f"{each['resourceType']}/{each['id']}": each for each in resources}
    found: dict[str, dict[str, Any]] = {}
    waiting = [name for name, each in by_name.items() if each["resourceType"] not in _SPOKEN_OF]
    while waiting:
        name = waiting.pop()
        if name not in found and name in by_name:
            found[name] = by_name[name]
            waiting += _references(by_name[name])
    return [each for name, each in by_name.items() if name in found]


def _public(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: made for name, each in value.items() if (made := _public(each)) not in ({}, [], None)}
    if isinstance(value, list):
        return [
            _public(each)
            for each in value
            if not (isinstance(each, dict) and _PRIVATE.search(str(each.get("url", ""))))
        ]
    return value


def _references(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for name, each in value.items():
            if name == "reference" and isinstance(each, str):
                yield each
            else:
                yield from _references(each)
    elif isinstance(value, list):
        for each in value:
            yield from _references(each)


def _leaves(resource: dict[str, Any], types: dict[str, str]) -> Iterator[Leaf]:
    """Every leaf; a reference says the type it leads to, because the resource itself is compared in its own right."""
    for name, value in resource.items():
        if name not in ("resourceType", "id"):
            yield from _below(name, value, types)


def _below(path: str, value: Any, types: dict[str, str]) -> Iterator[Leaf]:
    if isinstance(value, dict):
        for name, each in value.items():
            if name == "reference" and isinstance(each, str):
                yield f"{path}.reference", types.get(each, each)
            else:
                yield from _below(f"{path}.{name}", each, types)
    elif isinstance(value, list):
        for each in value:
            yield from _below(path, each, types)
    else:
        yield path, _shown(value)


def _shown(value: Any) -> str:
    text = str(value).lower() if isinstance(value, bool) else f"{value}"
    # The same moment, written in two ways.
    return text[:-6] + "Z" if text.endswith("+00:00") else text


Theirs = tuple[dict[str, Any], list[Leaf]]
Ours = tuple[dict[str, Any], "Counter[Leaf]"]


def _matched(theirs: list[Theirs], ours: list[Ours]) -> Iterator[tuple[dict[str, Any], list[Leaf], "Counter[Leaf]"]]:
    """Each of theirs with the one of ours of its type that says most of the same."""
    used: set[int] = set()
    for resource, leaves in sorted(theirs, key=lambda each: (is_of_the_conversion(each[0]), -len(each[1]))):
        wanted = Counter(leaves)
        best, score = None, -1
        for number, (candidate, said) in enumerate(ours):
            if candidate["resourceType"] == resource["resourceType"] and number not in used:
                shared = sum(count * _weight(place) for (place, _), count in (wanted & said).items())
                if shared > score:
                    best, score = number, shared
        if best is not None and resource["resourceType"] not in _UNITED:
            used.add(best)
        yield resource, leaves, ours[best][1] if best is not None else Counter()


def _weight(place: str) -> int:
    """An identifier says more about which one it is than anything else."""
    return 5 if place in ("identifier.value", "address.line", "code.coding.code") else 1


def _inventory(profile: Profile) -> Figure:
    if not SAMPLES.is_dir():
        raise Skipped("the sample data is not beside the checkout")
    tally = compared()
    counted = tally.leaves - tally.excused.total()
    notes = [f"{count:>5} excused: {reason}" for reason, count in tally.excused.most_common()]
    notes += [f"missed {place} in {name}" for name, place, _, _ in tally.missed[:10]]
    text = f"{tally.rate:.1%} of {counted:,} leaves agree; {tally.agreed / tally.leaves:.1%} of all {tally.leaves:,}"
    return Figure(text, tally.rate >= GOAL, tuple(notes))


BARS = [Bar("hl7: inventory", f">= {GOAL:.0%} of leaves agree, deviations with reasons apart", _inventory)]


def main() -> None:
    """Print what disagrees, most frequent places first."""
    tally = compared()
    print(f"{tally.agreed} of {tally.leaves}; excused {tally.excused.total()}; {tally.rate:.2%}")
    for reason, count in tally.excused.most_common():
        print(f"{count:>5} {reason}")
    places = Counter(place for _, place, _, _ in tally.missed)
    for place, count in places.most_common(120):
        name, _, theirs, ours = next(each for each in tally.missed if each[1] == place)
        print(f"{count:>5} {place} {theirs[:60]!r} / {ours[:70]!r} {name[:50]}")


if __name__ == "__main__":
    main()
