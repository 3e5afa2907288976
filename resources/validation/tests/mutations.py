"""Random damage to a resource: one member removed, replaced, repeated, renamed or added somewhere.

For properties that must hold of any input, however broken.
"""

from copy import deepcopy
from decimal import Decimal
from random import Random
from typing import Any

VALUES: tuple[Any, ...] = (
    None, True, False, 0, 1, -1, 2**31, Decimal("1.0"), Decimal("1E+2"), "", " ", "x", " x", "x ", "a  b", "#", "#m",
    "#p", "Patient/1", "Group/1", "Basic/1", "http://x.org/Patient/1", "urn:uuid:x", "2020-02-30", "2020-02-29",
    "1900-02-29", "2020", "2020-01-01T10:00:00Z", "2020-01-01T10:00:60Z", "24:00:00", "home", "usual", "active",
    "a\u0001", "\u00a0",
    "aGVsbG8=", "aGVs bG8=", "<div>x</div>", [], [None], [[]], {}, {"id": "a"}, {"text": "x"}, {"extension": []},
    {"extension": [{"url": "u", "valueCode": "c"}]}, {"reference": "#"}, {"reference": "Patient/1", "type": "Group"},
    {"value": 1, "code": "x"}, {"start": "2021", "end": "2020"}, {"resourceType": "Patient"}, {"resourceType": "X"},
)  # fmt: skip
NAMES = (
    "id", "_id", "value", "valueString", "_valueString", "valuePeriod", "valueQuantity", "extension",
    "modifierExtension", "contained", "text", "meta", "language", "identifier", "status", "_status", "code",
    "system", "comparator", "display", "reference", "type", "period", "use", "contact", "given", "_given",
    "resourceType", "entry", "resource", "x", "_x", "dataAbsentReason", "component", "data", "size", "url", "div",
    "note", "effectivePeriod", "onsetString", "deceasedBoolean",
)  # fmt: skip


def damaged(resource: Any, random: Random, times: int = 1) -> Any:
    """A copy of ``resource`` with ``times`` random changes."""
    copy = {"": deepcopy(resource)}
    for _ in range(times):
        place, key = random.choice(list(_members(copy)))
        random.choice(_CHANGES)(place, key, random)
    return copy.get("")


def _members(node: Any) -> list[tuple[Any, Any]]:
    found: list[tuple[Any, Any]] = []
    waiting = [node]
    while waiting:
        item = waiting.pop()
        keys = list(item) if isinstance(item, dict) else list(range(len(item)))
        found.extend((item, key) for key in keys)
        waiting.extend(item[key] for key in keys if isinstance(item[key], dict | list))
    return found or [({"": None}, "")]


def _remove(place: Any, key: Any, random: Random) -> None:
    del place[key]


def _replace(place: Any, key: Any, random: Random) -> None:
    place[key] = deepcopy(random.choice(VALUES))


def _wrap(place: Any, key: Any, random: Random) -> None:
    place[key] = [place[key]]


def _unwrap(place: Any, key: Any, random: Random) -> None:
    if isinstance(place[key], list) and place[key]:
        place[key] = place[key][0]


def _repeat(place: Any, key: Any, random: Random) -> None:
    if isinstance(place[key], list):
        place[key] = place[key] * 2


def _add(place: Any, key: Any, random: Random) -> None:
    target = place[key] if isinstance(place[key], dict) else place
    if isinstance(target, dict):
        target[random.choice(NAMES)] = deepcopy(random.choice(VALUES))


def _underline(place: Any, key: Any, random: Random) -> None:
    if isinstance(place, dict):
        place[f"_{key}"] = deepcopy(random.choice(VALUES))


_CHANGES = (_remove, _replace, _replace, _wrap, _unwrap, _repeat, _add, _add, _underline)
