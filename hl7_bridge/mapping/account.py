"""What became of every field of a message: mapped, ignored by rule, or kept; recomputed when somebody asks.

Ours: the message is mapped again with segments that note what is read of them.
"""

from collections.abc import Iterator

from hl7_bridge.er7 import Message, Segment, Value
from hl7_bridge.er7.delimiters import Delimiters
from hl7_bridge.errors import Hl7Error, Place
from hl7_bridge.mapping import identity
from hl7_bridge.mapping.controls import without_controls
from hl7_bridge.mapping.draft import Draft
from hl7_bridge.mapping.messages import finish, kind, sketch
from hl7_bridge.mapping.model import Fate, Resource, Trace
from hl7_bridge.mapping.rows import Row, SegmentMap
from hl7_bridge.site.model import Sender

_WHOLE = 0
"""As a component: all of the repetition was read at once."""

Reads = set[tuple[int, int]]
"""Of one field: (repetition, component) that were read."""


class _TrackedValue(Value):
    """A Value that notes which of its components are read."""

    __slots__ = ("at", "reads")

    def __init__(self, raw: str, delimiters: Delimiters, separators: str, reads: Reads, at: int) -> None:
        super().__init__(raw, delimiters, separators)
        self.reads, self.at = reads, at

    @property
    def whole(self) -> str:
        self.reads.add((self.at, _WHOLE))
        return super().whole

    def text(self, part: int = 1, inner: int = 1) -> str:
        self.reads.add((self.at, part))
        return super().text(part, inner)

    def texts(self, count: int) -> list[str]:
        self.reads.update((self.at, part) for part in range(1, count + 1))
        return super().texts(count)

    def raw_part(self, part: int) -> str:
        self.reads.add((self.at, part))
        return super().raw_part(part)


class _TrackedSegment(Segment):
    """A Segment that notes which of its fields are read, and how far."""

    __slots__ = ("reads",)

    def __init__(self, original: Segment) -> None:
        super().__init__(original.name, original.raw, original.index, original.delimiters)
        self.reads: dict[int, Reads] = {}

    def all(self, field: int) -> list[Value]:
        return [self._tracked(value, field, at) for at, value in enumerate(super().all(field))]

    def text(self, field: int, component: int = 1, subcomponent: int = 1) -> str:
        return self.first(field).text(component, subcomponent)

    def first(self, field: int) -> Value:
        return self._tracked(super().first(field), field, 0)

    def _tracked(self, value: Value, field: int, at: int) -> Value:
        reads = self.reads.setdefault(field, set())
        return _TrackedValue(value.raw, value.delimiters, value.separators, reads, at)


class _Tracer:
    """Which maps spoke for which segment, and what their rows made."""

    def __init__(self) -> None:
        self.maps: dict[int, list[SegmentMap]] = {}
        self.rows: dict[tuple[int, int], dict[str, bool]] = {}

    def uses(self, rows: SegmentMap, segment: Segment) -> None:
        maps = self.maps.setdefault(segment.index, [])
        if rows not in maps:
            maps.append(rows)

    def made(self, segment: Segment, field: int, target: str, made: bool) -> None:
        self.rows.setdefault((segment.index, field), {})[target] = made


def account(message: Message, sender: Sender) -> list[Trace]:
    """The fate of every populated field, in order, and of the components of a mapped field that nothing reads."""
    clean = without_controls(message)
    tracked = Message([_TrackedSegment(each) for each in clean.segments], message.delimiters, message.charset)
    tracer = _Tracer()
    try:
        draft = sketch(tracked, sender, tracer)
    except Hl7Error as error:
        return _kept(message, f"The message was not mapped: {error}")
    if draft is None:
        return _kept(message, f"There is no map for {kind(message)} yet.")
    identity.name_visits(draft)
    finish(draft)
    accountant = _Accountant(tracked, tracer, draft)
    pairs = zip(message.segments, tracked.segments, strict=True)
    return [trace for original, segment in pairs for trace in accountant.segment(original, segment)]


def _kept(message: Message, reason: str) -> list[Trace]:
    return [
        Trace(str(message.place(segment, field)), Fate.KEPT, reason=reason)
        for segment in message.segments
        for field in segment.populated()
    ]


class _Accountant:
    """Puts together what was read, what rows made and which resources there are."""

    def __init__(self, message: Message, tracer: _Tracer, draft: Draft) -> None:
        self.tracer = tracer
        self.resources: dict[int, list[Resource]] = {}
        self.types: set[str] = set()
        for entry in draft.entries:
            self.types.add(entry.resource["resourceType"])
            for index in entry.sources:
                self.resources.setdefault(index, []).append(entry.resource)
        self.sequences = _sequences(message)

    def segment(self, original: Segment, segment: Segment) -> Iterator[Trace]:
        maps = [each for each in self.tracer.maps.get(segment.index, ()) if self._is_made(each, segment)]
        sequence = self.sequences[segment.index]
        for field in original.populated():
            place = Place(segment.name, sequence, field)
            fate = self._fate(place, segment, field, maps)
            yield fate
            if fate.fate is Fate.MAPPED:
                yield from _unread(place, segment, field)

    def _is_made(self, rows: SegmentMap, segment: Segment) -> bool:
        made = self.resources.get(segment.index, ())
        return rows.resource == "Annotation" or any(each["resourceType"] == rows.resource for each in made)

    def _fate(self, place: Place, segment: Segment, field: int, maps: list[SegmentMap]) -> Trace:
        where = str(place)
        if not segment[field]:
            return Trace(where, Fate.KEPT, reason="Nothing but control characters.")
        if not maps:
            return Trace(
                where, Fate.KEPT, reason=f"Nothing is made of {segment.name} here; it is kept with the message."
            )
        rows = [(each, row) for each in maps if (row := each.targets.get(field))]
        targets = sorted({_shown(each, row) for each, row in rows if self._is_mapped(each, row, segment, field)})
        if targets:
            return Trace(where, Fate.MAPPED, ", ".join(targets))
        reasons = [row.reason for _, row in rows if row.reason]
        if reasons:
            return Trace(where, Fate.IGNORED, reason=reasons[0])
        if rows:
            return Trace(
                where, Fate.KEPT, reason="Nothing could be made of this value, or another field said it first."
            )
        return Trace(where, Fate.KEPT, reason="No row maps this field; it is kept with the message.")

    def _is_mapped(self, rows: SegmentMap, row: Row, segment: Segment, field: int) -> bool:
        if row.reason:
            return False
        if segment.is_null(field):
            return row.read is not None
        if row.read is not None:
            return self.tracer.rows.get((segment.index, field), {}).get(_shown(rows, row), False)
        return field in getattr(segment, "reads", ()) and self._has(rows, row, segment)

    def _has(self, rows: SegmentMap, row: Row, segment: Segment) -> bool:
        """Whether the element a function of the map fills is there."""
        root = row.target.split(".")[0].removesuffix("[]")
        if root[:1].isupper():
            return root in self.types
        if rows.resource == "Annotation":
            return True
        made = [each for each in self.resources.get(segment.index, ()) if each["resourceType"] == rows.resource]
        stem = root.removesuffix("[x]")
        if root.endswith("[x]") or root.startswith("value"):
            return any(
                name.startswith((stem[:5], "component", "dataAbsent", "presented")) for each in made for name in each
            )
        return any(root in each or _sibling(root, each) for each in made)


def _sibling(root: str, resource: Resource) -> bool:
    """Elements of a choice stand for each other: effectivePeriod for effectiveDateTime."""
    for stem in ("effective", "occurrence", "performed", "onset", "deceased", "multipleBirth"):
        if root.startswith(stem):
            return any(name.startswith(stem) for name in resource)
    return False


def _shown(rows: SegmentMap, row: Row) -> str:
    target = row.target.removesuffix("[]")
    return target if target[:1].isupper() else f"{rows.resource}.{target}"


def _unread(place: Place, segment: Segment, field: int) -> Iterator[Trace]:
    """Components with content that no function read."""
    reads: Reads = getattr(segment, "reads", {}).get(field, set())
    repetitions = {at for at, _ in reads}
    for at, value in enumerate(Segment.all(segment, field)):
        if not reads or (at, _WHOLE) in reads:
            continue
        if at not in repetitions:
            where = place._replace(repetition=at + 1)
            yield Trace(
                str(where), Fate.KEPT, reason="Only the first repetition is mapped; it is kept with the message."
            )
            continue
        for component in range(1, len(value) + 1):
            if (at, component) not in reads and value.part(component):
                where = place._replace(repetition=at + 1, component=component)
                yield Trace(str(where), Fate.KEPT, reason="No rule reads this component; it is kept with the message.")


def _sequences(message: Message) -> dict[int, int]:
    seen: dict[str, int] = {}
    found = {}
    for segment in message.segments:
        seen[segment.name] = found[segment.index] = seen.get(segment.name, 0) + 1
    return found
