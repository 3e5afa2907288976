"""Segment maps as tables: a row for each field, and the walk that applies them.

v2-to-FHIR implementation guide, segment maps. To add one: a file in ``segments/`` with a ``SegmentMap`` of rows and the
functions they name. A row is one field and one target. A rule that needs more than its field is a function of that
file, and the fields it reads have rows without ``read``, so that accounting can name the target.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final

from hl7_bridge.er7 import NULL, Segment, Value
from hl7_bridge.mapping.draft import Draft
from hl7_bridge.mapping.model import Resource

Read = Callable[[Value, Draft], Any]


class Origin(StrEnum):
    """Whose rule a row is."""

    OFFICIAL = "official"
    OWN = "own"


OFFICIAL: Final = Origin.OFFICIAL
OWN: Final = Origin.OWN


@dataclass(frozen=True, slots=True)
class Row:
    """One field of a segment.

    ``target`` is the element below the resource: ``gender``, ``hospitalization.admitSource``, or ``name[]`` when every
    repetition adds to a list. ``read`` makes the value (None: nothing to say). Without ``read`` the field is read by a
    function of the segment's file (``target`` says where to), or, with a ``reason``, ignored by rule.
    """

    field: int
    target: str
    read: Read | None = None
    origin: Origin = OFFICIAL
    reason: str = ""


def ignored(number: int, reason: str) -> Row:
    """A field that says nothing the record needs, and why."""
    return Row(number, "", None, OWN, reason)


SET_ID: Final = ignored(1, "A number within the message; the order of the segments says the same.")


@dataclass(frozen=True, slots=True)
class _Step:
    """A row made ready: its place, its path and whether it adds to a list."""

    field: int
    read: Read
    place: str
    path: tuple[str, ...]
    many: bool
    target: str


@dataclass(frozen=True, slots=True)
class SegmentMap:
    """How the segment ``segment`` speaks of the resource ``resource``; ``official`` is the map it follows."""

    segment: str
    resource: str
    rows: tuple[Row, ...]
    official: str = ""
    steps: tuple[_Step, ...] = field(init=False, compare=False)
    targets: dict[int, Row] = field(init=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "steps", tuple(self._step(row) for row in self.rows if row.read is not None))
        object.__setattr__(self, "targets", {row.field: row for row in self.rows})

    def _step(self, row: Row) -> _Step:
        assert row.read is not None
        path = tuple(row.target.removesuffix("[]").split("."))
        shown = f"{self.resource}.{row.target.removesuffix('[]')}"
        return _Step(row.field, row.read, f"{self.segment}-{row.field}", path, row.target.endswith("[]"), shown)


def apply(rows: SegmentMap, segment: Segment, resource: Resource, draft: Draft) -> set[str]:
    """Put what the fields of ``segment`` say into ``resource``; the elements that the null value deletes come back."""
    if draft.trace is not None:
        draft.trace.uses(rows, segment)
    nulls: set[str] = set()
    raw = segment.raw
    count = len(raw)
    for step in rows.steps:
        number = step.field
        if number >= count or not raw[number]:
            continue
        draft.place = step.place
        if raw[number] == NULL:
            nulls.add(".".join(step.path))
            continue
        made = _many(step, segment, resource, draft) if step.many else _one(step, segment, resource, draft)
        if draft.trace is not None:
            draft.trace.made(segment, number, step.target, made)
    return {name for name in nulls if name.split(".")[0] not in resource}


def _one(step: _Step, segment: Segment, resource: Resource, draft: Draft) -> bool:
    found = step.read(segment.first(step.field), draft)
    if found is None:
        return False
    _parent(resource, step.path)[step.path[-1]] = found
    return True


def _many(step: _Step, segment: Segment, resource: Resource, draft: Draft) -> bool:
    found = [made for value in segment.all(step.field) if (made := step.read(value, draft)) is not None]
    if not found:
        return False
    _parent(resource, step.path).setdefault(step.path[-1], []).extend(found)
    return True


def _parent(resource: Resource, path: tuple[str, ...]) -> Resource:
    for name in path[:-1]:
        resource = resource.setdefault(name, {})
    return resource


def extension(url: str, value: str, read: Read) -> Read:
    """A function that wraps what ``read`` makes as the extension ``url`` with ``value`` (``valueCodeableConcept``)."""

    def found(each: Value, draft: Draft) -> Resource | None:
        made = read(each, draft)
        return None if made is None else {"url": url, value: made}

    return found


def listed(read: Read) -> Read:
    """A function that gives what ``read`` makes as a list of one, for lists that one field fills."""

    def found(each: Value, draft: Draft) -> list[Any] | None:
        made = read(each, draft)
        return None if made is None else [made]

    return found
