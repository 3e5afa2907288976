"""A message as tokens: segments of fields of repetitions of components of sub-components, split when asked for.

HL7 v2.5.1 sections 2.5 (segments, fields, components) and 2.5.3.4 (the null value ``""``).
"""

from collections.abc import Iterator

from hl7_bridge.er7.delimiters import DECLARING, NULL, Delimiters
from hl7_bridge.er7.escapes import unescape
from hl7_bridge.errors import Place

__all__ = ["NULL", "Message", "Segment", "Value"]


class Value:
    """One repetition of a field, or one of its components: parts that may have parts.

    ``raw`` is the text as it came; ``part(n)`` and ``text(n)`` count from 1 and give empty values beyond the end.
    """

    __slots__ = ("_parts", "delimiters", "raw", "separators")

    def __init__(self, raw: str, delimiters: Delimiters, separators: str) -> None:
        self.raw, self.delimiters, self.separators = raw, delimiters, separators
        self._parts: list[str] | None = None

    def __bool__(self) -> bool:
        """Whether there is any content; the null value is none."""
        return self.raw != "" and self.raw != NULL and self.raw.strip(self.separators) != ""

    def __len__(self) -> int:
        return len(self._split())

    @property
    def is_null(self) -> bool:
        return self.raw == NULL

    @property
    def whole(self) -> str:
        """All of it as one text, unescaped: for fields of a simple data type. Empty for the null value."""
        return unescape(self.raw, self.delimiters) if self.raw != NULL else ""

    def text(self, part: int = 1, inner: int = 1) -> str:
        """The leaf ``part``.``inner``, unescaped; '' when absent or null."""
        # The most called function of the bridge: what it could call is written out.
        parts = self._parts
        if parts is None:
            parts = self._split()
        raw = parts[part - 1] if part <= len(parts) else ""
        if not raw or raw == NULL:
            return ""
        separators = self.separators
        # A component of a simple type is its own first sub-component.
        if len(separators) > 1 and separators[1] in raw:
            inners = raw.split(separators[1])
            raw = inners[inner - 1] if inner <= len(inners) else ""
            if raw == NULL:
                return ""
        elif inner > 1:
            return ""
        return unescape(raw, self.delimiters) if self.delimiters.escape in raw else raw

    def texts(self, count: int) -> list[str]:
        """``text(1)`` to ``text(count)`` at once, which is how coded values are read; fewer when there are fewer."""
        raw = self.raw
        separators = self.separators
        if self.delimiters.escape in raw or NULL in raw or (len(separators) > 1 and separators[1] in raw):
            return [self.text(n) for n in range(1, min(len(self), count) + 1)]
        parts = self._parts
        if parts is None:
            parts = self._split()
        return parts[:count] if len(parts) > count else parts

    def raw_part(self, part: int) -> str:
        parts = self._split()
        return parts[part - 1] if part <= len(parts) else ""

    def part(self, part: int) -> "Value":
        """One component with its sub-components, such as the assigning authority in CX-4."""
        return Value(self.raw_part(part), self.delimiters, self.separators[1:])

    def _split(self) -> list[str]:
        parts = self._parts
        if parts is None:
            parts = self.raw.split(self.separators[0]) if self.separators else [self.raw]
            self._parts = parts
        return parts

    def __repr__(self) -> str:
        return f"Value of {len(self.raw)} characters"


class Segment:
    """One segment: ``raw[n]`` is the text of field n as it came; ``index`` its place in the message from 0.

    A line that starts with no segment name is a segment ``???`` whose field 1 is the whole line.
    """

    __slots__ = ("_firsts", "delimiters", "index", "name", "raw")

    def __init__(self, name: str, raw: list[str], index: int, delimiters: Delimiters) -> None:
        self.name, self.raw, self.index, self.delimiters = name, raw, index, delimiters
        self._firsts: dict[int, Value] | None = None

    def __getitem__(self, field: int) -> str:
        """The text of ``field`` as it came; '' beyond the end."""
        return self.raw[field] if field < len(self.raw) else ""

    def has(self, field: int) -> bool:
        """Whether ``field`` says anything, the null value included."""
        return self[field] != ""

    def is_null(self, field: int) -> bool:
        return self[field] == NULL

    def all(self, field: int) -> list[Value]:
        """The repetitions of ``field`` that have content."""
        raw = self[field]
        if not raw or raw == NULL:
            return []
        marks = self.delimiters
        separators = marks.component + marks.subcomponent
        if marks.repetition not in raw:
            value = Value(raw, marks, separators)
            return [value] if value else []
        # MSH-2 is made of delimiters and holds none.
        raws = [raw] if field == 2 and self.name in DECLARING else raw.split(marks.repetition)
        return [value for value in (Value(each, marks, separators) for each in raws) if value]

    def first(self, field: int) -> Value:
        """The first repetition; an empty Value when there is none."""
        # Maps ask for the same field several times; it is split once.
        firsts = self._firsts
        if firsts is None:
            firsts = self._firsts = {}
        elif field in firsts:
            return firsts[field]
        fields = self.raw
        raw = fields[field] if field < len(fields) else ""
        marks = self.delimiters
        if marks.repetition in raw and not (field == 2 and self.name in DECLARING):
            raw = raw[: raw.index(marks.repetition)]
        value = firsts[field] = Value(raw, marks, marks.component + marks.subcomponent)
        return value

    def text(self, field: int, component: int = 1, subcomponent: int = 1) -> str:
        """A leaf of the first repetition, unescaped; '' when absent or null."""
        fields = self.raw
        if field >= len(fields) or not fields[field]:
            return ""
        if fields[field].isalnum():
            return fields[field] if component == subcomponent == 1 else ""
        return self.first(field).text(component, subcomponent)

    def populated(self) -> Iterator[int]:
        """The numbers of the fields that say anything."""
        start = 3 if self.name in DECLARING else 1
        return (n for n in range(start, len(self.raw)) if self.raw[n])

    def __repr__(self) -> str:
        return f"{self.name} at {self.index}"


class Message:
    """One message: its segments in the order they came, its delimiters, and the character set it was read by."""

    __slots__ = ("charset", "delimiters", "segments")

    def __init__(self, segments: list[Segment], delimiters: Delimiters, charset: str) -> None:
        self.segments, self.delimiters, self.charset = segments, delimiters, charset

    @property
    def header(self) -> "Message":
        """MSH alone: what an answer needs, however long it waits."""
        return Message(self.segments[:1], self.delimiters, self.charset)

    @property
    def msh(self) -> Segment:
        return self.segments[0]

    @property
    def control_id(self) -> str:
        """MSH-10."""
        return self.msh.first(10).whole

    @property
    def type(self) -> str:
        """MSH-9.1, such as ORU."""
        return self.msh.text(9, 1)

    @property
    def event(self) -> str:
        """MSH-9.2, such as R01."""
        return self.msh.text(9, 2)

    @property
    def structure(self) -> str:
        """MSH-9.3, such as ORU_R01; '' when not given."""
        return self.msh.text(9, 3)

    @property
    def version(self) -> str:
        """MSH-12.1, such as 2.5.1."""
        return self.msh.text(12, 1)

    def all(self, name: str) -> list[Segment]:
        return [segment for segment in self.segments if segment.name == name]

    def first(self, name: str) -> Segment | None:
        return next((segment for segment in self.segments if segment.name == name), None)

    def place(self, segment: Segment, field: int = 0, repetition: int = 0, component: int = 0) -> Place:
        """The place of a field of ``segment``, for errors."""
        before = self.segments[: segment.index + 1]
        return Place(segment.name, sum(each.name == segment.name for each in before), field, repetition, component)
