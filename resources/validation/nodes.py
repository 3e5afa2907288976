"""How rules read a node: presence, children along a path, codings and order in time.

FHIR R4 JSON (https://hl7.org/fhir/R4/json.html): an element is present as ``name`` or, with only extensions, ``_name``.
"""

import re
from calendar import monthrange
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

from resources.validation.scope import Node

UCUM = "http://unitsofmeasure.org"
_ZONED = re.compile(r"(.+T.+?)(?:Z|([+-])(\d\d):(\d\d))")


def has(node: Node, name: str) -> bool:
    return name in node or f"_{name}" in node


def has_any(node: Node, *names: str) -> bool:
    return any(has(node, name) for name in names)


def count(node: Node, *names: str) -> int:
    """How many of the single-valued elements ``names`` are present."""
    return sum(has(node, name) for name in names)


def choice(node: Node, stem: str) -> bool:
    """Whether a choice element is present: ``value`` for valueString and _valueString, but not for valueset."""
    size = len(stem)
    for name in node:
        bare = name[1:] if name[:1] == "_" else name
        if bare.startswith(stem) and bare[size : size + 1].isupper():
            return True
    return False


def children(node: Node, *path: str) -> list[Any]:
    """The members found along ``path``, lists flattened; only what is there."""
    found: list[Any] = [node]
    for name in path:
        found = [child for item in found if isinstance(item, dict) for child in _members(item.get(name))]
    return found


def _members(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [] if value is None else [value]


def distinct(values: list[Any]) -> bool:
    keys = [repr(value) for value in values]
    return len(keys) == len(set(keys))


def descendants(node: Any) -> Iterator[Node]:
    """Every object below ``node``, itself excluded."""
    waiting: list[Any] = [node]
    while waiting:
        item = waiting.pop()
        below = item.values() if isinstance(item, dict) else item
        for child in below:
            if isinstance(child, dict):
                yield child
            if isinstance(child, dict | list):
                waiting.append(child)


def coded(node: Node, name: str, system: str, *wanted: str) -> bool:
    """Whether the CodeableConcept(s) ``name`` hold one of the codes ``wanted`` of ``system``."""
    return any(row.get("system") == system and row.get("code") in wanted for row in children(node, name, "coding"))


def in_order(first: Any, second: Any) -> bool:
    """Whether ``first`` can be at or before ``second``; partial dates stand for all of their instants.

    True when one of them is missing or malformed, since then nothing can be said.
    """
    if not isinstance(first, str) or not isinstance(second, str):
        return True
    if len(first) == len(second) and first[19:] == second[19:]:
        return first <= second
    if "T" not in first and "T" not in second:
        return first[: len(second)] <= second[: len(first)]
    try:
        return _bound(first, last=False) <= _bound(second, last=True)
    except (ValueError, OverflowError):
        return True


def _bound(text: str, last: bool) -> datetime:
    """The first or last instant of a date, in UTC; without a zone the widest one that helps is taken."""
    zoned = _ZONED.fullmatch(text)
    if zoned:
        return _instant(zoned[1]).replace(tzinfo=_zone(zoned))
    year, month, day = int(text[:4]), int(text[5:7] or (12 if last else 1)), text[8:10]
    on = int(day) if day else monthrange(year, month)[1] if last else 1
    if last:
        return datetime(year, month, on, 23, 59, 59, 999999, tzinfo=timezone(timedelta(hours=-12)))
    return datetime(year, month, on, tzinfo=timezone(timedelta(hours=14)))


def _instant(text: str) -> datetime:
    whole, _, fraction = text.partition(".")
    leap = whole.endswith(":60")
    moment = datetime.fromisoformat(whole[:-2] + "59" if leap else whole)
    return moment + timedelta(seconds=leap, microseconds=int(fraction[:6].ljust(6, "0")) if fraction else 0)


def _zone(zoned: re.Match[str]) -> timezone:
    if zoned[2] is None:
        return UTC
    minutes = int(zoned[3]) * 60 + int(zoned[4])
    return timezone(timedelta(minutes=-minutes if zoned[2] == "-" else minutes))
