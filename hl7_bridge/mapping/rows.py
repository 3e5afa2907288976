"""Segment maps as tables: a row for each field, and the walk that applies them.

v2-to-FHIR implementation guide, segment maps. To add one: a file in ``segments/`` with a ``SegmentMap`` of rows and the
functions they name. A row is one field and one target. A rule that needs more than its field is a function of that
file, and the fields it reads have rows without ``read``, so that accounting can name the target.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final, NamedTuple

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


class _Step(NamedTuple):
    """A row made ready: its place, its path and whether it adds to a list."""

    field: int
    read: Read
    place: str
    path: tuple[str, ...]
    last: str
    many: bool
    target: str

    @property
    def name(self) -> str:
        """The element as a whole; '' for a part of one, which the null value cannot delete alone."""
        return "" if self.path else self.last


@dataclass(frozen=True, slots=True)
class SegmentMap:
    """How the segment ``segment`` speaks of the resource ``resource``; ``official`` is the map it follows.

    ``repeats`` says that a message has many of the segment with the same values: what was made of a text is used again,
    so that several resources share it. Whatever a row makes is not changed afterwards.
    """

    segment: str
    resource: str
    rows: tuple[Row, ...]
    official: str = ""
    repeats: bool = False
    steps: tuple[_Step, ...] = field(init=False, compare=False)
    targets: dict[int, Row] = field(init=False, compare=False)

    def __post_init__(self) -> None:
        made = (self._step(row, row.read) for row in self.rows if row.read is not None)
        object.__setattr__(self, "steps", tuple(sorted(made, key=lambda step: step.field)))
        object.__setattr__(self, "targets", {row.field: row for row in self.rows})

    def _step(self, row: Row, read: Read) -> _Step:
        path = tuple(row.target.removesuffix("[]").split("."))
        shown = f"{self.resource}.{row.target.removesuffix('[]')}"
        place = f"{self.segment}-{row.field}"
        return _Step(row.field, read, place, path[:-1], path[-1], row.target.endswith("[]"), shown)


def apply(rows: SegmentMap, segment: Segment, resource: Resource, draft: Draft) -> set[str]:
    """Put what the fields of ``segment`` say into ``resource``; the elements that the null value deletes come back."""
    trace = draft.trace
    if trace is not None:
        trace.uses(rows, segment)
    nulls: set[str] = set()
    raw = segment.raw
    count = len(raw)
    known = draft.made if rows.repeats and trace is None else None
    for step in rows.steps:
        number = step.field
        if number >= count:
            break
        text = raw[number]
        if not text:
            continue
        if text == NULL:
            nulls.add(f"extension:{getattr(step.read, 'url', '')}" if step.last == "extension" else step.name)
            continue
        made = known.get((step.place, text), _UNSEEN) if known is not None else _UNSEEN
        if made is _UNSEEN:
            draft.place = step.place
            made = _many(step, segment, draft) if step.many else step.read(segment.first(number), draft)
            if known is not None:
                known[step.place, text] = made
        if made is not None:
            _put(step, made, resource)
        if trace is not None:
            trace.made(segment, number, step.target, made is not None)
    return {name for name in nulls if name and name not in resource}


_UNSEEN: Final = object()


def _many(step: _Step, segment: Segment, draft: Draft) -> list[Any] | None:
    return [made for value in segment.all(step.field) if (made := step.read(value, draft)) is not None] or None


def _put(step: _Step, made: Any, resource: Resource) -> None:
    target = _parent(resource, step.path) if step.path else resource
    if step.many and step.last in target:
        target[step.last] = [*target[step.last], *made]
    else:
        target[step.last] = made


def _parent(resource: Resource, path: tuple[str, ...]) -> Resource:
    for name in path:
        resource = resource.setdefault(name, {})
    return resource


class _Extension:
    """What ``read`` makes, as an extension."""

    def __init__(self, url: str, value: str, read: Read) -> None:
        self.url, self._value, self._read = url, value, read

    def __call__(self, each: Value, draft: Draft) -> Resource | None:
        made = self._read(each, draft)
        return None if made is None else {"url": self.url, self._value: made}


def extension(url: str, value: str, read: Read) -> Read:
    """A function that wraps what ``read`` makes as the extension ``url`` with ``value`` (``valueCodeableConcept``)."""
    return _Extension(url, value, read)


def listed(read: Read) -> Read:
    """A function that gives what ``read`` makes as a list of one, for lists that one field fills."""

    def found(each: Value, draft: Draft) -> list[Any] | None:
        made = read(each, draft)
        return None if made is None else [made]

    return found
