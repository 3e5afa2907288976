"""Whether a message keeps to the standard of its version: an opt-in list of findings, which stops nothing by itself.

HL7 v2.5.1 sections 2.5.3 (field attributes: optionality, repetition, table), 2.6 and 2.A (data types).
"""

import re
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from time import monotonic
from typing import Any

from hl7_bridge.er7.message import NULL, Message, Segment, Value
from hl7_bridge.er7.tokenizer import UNNAMED
from hl7_bridge.errors import (
    CARDINALITY,
    DATA_TYPE,
    FIELD_MISSING,
    MESSAGE_TYPE,
    OTHER,
    SEGMENT_SEQUENCE,
    TABLE_VALUE,
    VERSION,
    Code,
    Place,
)
from hl7_bridge.structure.grammar import Node, grammar
from hl7_bridge.structure.tables import VERSIONS, fields, nearest
from hl7_bridge.structure.walker import Group, Tree, walk

_YEAR_TO_DAY = r"\d{4}(?:(?:0[1-9]|1[0-2])(?:(?:0[1-9]|[12]\d|3[01])%s)?)?"
_CLOCK = r"(?:[01]\d|2[0-3])(?:[0-5]\d(?:[0-5]\d(?:\.\d{1,4})?)?)?"
_OFFSET = r"(?:[+-](?:0\d|1[0-4])[0-5]\d)?"
_FORMS = {
    "DT": re.compile(_YEAR_TO_DAY % ""),
    "DTM": re.compile(_YEAR_TO_DAY % f"(?:{_CLOCK})?" + _OFFSET),
    "TS": re.compile(_YEAR_TO_DAY % f"(?:{_CLOCK})?" + _OFFSET),
    "TM": re.compile(_CLOCK + _OFFSET),
    "NM": re.compile(r"\s*[+-]?(?:\d+\.?\d*|\.\d+)\s*"),
    "SI": re.compile(r"\s*\d{1,4}\s*"),
}
"""Of the primitive data types that have one."""
_CODED = {"ID": "E", "IS": "W"}
"""How grave a code is that its table does not have: tables of ID are HL7's, those of IS the site's to extend."""
_OPEN = frozenset({"0396", "0399"})
"""Tables of ID that others fill: coding systems and countries."""
_ANY_TYPE = frozenset({"varies", "*", "CM", ""})


@dataclass(frozen=True, slots=True)
class Finding:
    """``code`` of table 0357, a sentence without a patient's data, the place, and E, W or I (table 0516)."""

    code: Code
    text: str
    place: Place | None
    severity: str = "E"


def check(
    message: Message,
    tree: Tree | None = None,
    most: int = 200,
    seconds: float = 1.0,
    clock: Callable[[], float] = monotonic,
) -> list[Finding]:
    """At most ``most`` findings in the order: version and type, structure, fields. The check gives up after
    ``seconds``, with a finding that says so."""
    tree = tree or walk(message)
    found: list[Finding] = []
    end = clock() + seconds
    for finding in _Check(message, tree).findings():
        if finding is not None:
            found.append(finding)
        if len(found) >= most or clock() > end:
            found.append(Finding(OTHER, "The check ended early: there may be more.", None, "I"))
            break
    return found


class _Check:
    """The walk over one message. Its steps yield None between findings, so that time can run out."""

    def __init__(self, message: Message, tree: Tree) -> None:
        self.message, self.tree = message, tree
        tables = fields(nearest(message.version))
        self.segments, self.types, self.codes = tables["segments"], tables["types"], tables["tables"]

    def findings(self) -> Iterator[Finding | None]:
        yield from self._kind()
        yield from self._group(self.tree, grammar(self.tree.structure, self.tree.version))
        misplaced = {segment.index for segment in self.tree.misplaced}
        for segment in self.message.segments:
            yield from self._segment(segment, segment.index in misplaced)

    def _kind(self) -> Iterator[Finding]:
        version, structure = self.message.version, self.tree.structure
        if version not in VERSIONS:
            yield Finding(VERSION, f"The tables of {nearest(version)} are used.", Place("MSH", 1, 12), "W")
        if not structure:
            yield Finding(MESSAGE_TYPE, "The message type has no structure.", Place("MSH", 1, 9))
        elif self.tree.version != nearest(version):
            text = f"The structure {structure} is of version {self.tree.version}."
            yield Finding(MESSAGE_TYPE, text, Place("MSH", 1, 9), "W")
        elif self.message.structure and self.message.structure != structure:
            yield Finding(TABLE_VALUE, f"The event has the structure {structure}.", Place("MSH", 1, 9, 1, 3), "W")

    # --- Segments and groups

    def _group(self, group: Group, node: Node) -> Iterator[Finding | None]:
        there = Counter(child.name for child in group.children)
        yield from self._missing(group, node, there)
        for name, count in there.items():
            slots = [slot for slot in node.slots if name in slot.segments or any(g.name == name for g in slot.groups)]
            if slots and count > len(slots) and not any(slot.is_repeating for slot in slots):
                last = [child for child in group.children if child.name == name][-1]
                yield Finding(CARDINALITY, f"{name} stands {count} times.", self._place(last))
        inner = {child.name: child for slot in node.slots for child in slot.groups}
        for child in group.children:
            yield None
            if isinstance(child, Group) and child.name in inner:
                yield from self._group(child, inner[child.name])

    def _missing(self, group: Group, node: Node, there: Counter[str]) -> Iterator[Finding]:
        for slot in node.slots:
            names = {*slot.segments, *(child.name for child in slot.groups)}
            if slot.is_needed and not names & there.keys():
                where = f"the group {group.name}" if group is not self.tree else "the message"
                text = f"{' or '.join(sorted(names))} is missing in {where}."
                yield Finding(SEGMENT_SEQUENCE, text, self._place(group))

    def _place(self, part: Segment | Group, *numbers: int) -> Place | None:
        segment = next(part.every(), None) if isinstance(part, Group) else part
        return self.message.place(segment, *numbers) if segment else None

    # --- Fields

    def _segment(self, segment: Segment, is_misplaced: bool) -> Iterator[Finding | None]:
        if segment.name == UNNAMED:
            yield Finding(SEGMENT_SEQUENCE, "The line begins with no segment name.", self._place(segment))
            return
        if is_misplaced:
            yield Finding(SEGMENT_SEQUENCE, f"{segment.name} has no place here.", self._place(segment))
        rows = self.segments.get(segment.name)
        if rows is None:
            if segment.name[0] != "Z":
                yield Finding(SEGMENT_SEQUENCE, f"{segment.name} is not known.", self._place(segment), "W")
            return
        for number, row in enumerate(rows, 1):
            yield from self._field(segment, number, row)
        if any(number > len(rows) for number in segment.populated()):
            text = f"{segment.name} has {len(rows)} fields in this version."
            yield Finding(OTHER, text, self._place(segment, len(rows) + 1), "W")

    def _field(self, segment: Segment, number: int, row: list[Any]) -> Iterator[Finding | None]:
        kind, least, most, table = row
        if not segment.has(number):
            if least:
                yield Finding(FIELD_MISSING, "The field is required.", self._place(segment, number))
            return
        if segment.is_null(number) or (number <= 2 and segment.name == "MSH"):
            return
        if most == 0:
            yield Finding(OTHER, "The field is withdrawn in this version.", self._place(segment, number), "W")
        values = segment.all(number)
        if len(values) > 1 and most == 1:
            yield Finding(CARDINALITY, "The field does not repeat.", self._place(segment, number))
        if segment.name == "OBX" and number == 5:
            kind = segment.text(2)
        for repetition, value in enumerate(values, 1):
            yield None
            for code, text, component, severity in self._value(value, kind, table):
                yield Finding(code, text, self._place(segment, number, repetition, component), severity)

    def _value(self, value: Value, kind: str, table: str) -> Iterator[tuple[Code, str, int, str]]:
        """(code, text, component, severity) of what is wrong with one repetition."""
        parts = self.types.get(kind)
        if parts is None:
            if kind not in _ANY_TYPE:
                yield from self._leaf(value.whole, kind, table, 0)
            return
        for number, (inner, least, codes) in enumerate(parts, 1):
            if value.raw_part(number) in ("", NULL):
                if least:
                    yield FIELD_MISSING, "The component is required.", number, "E"
            elif inner not in self.types:
                yield from self._leaf(value.text(number), inner, codes or (table if number == 1 else ""), number)
        if len(value) > len(parts) and any(value.raw_part(n) for n in range(len(parts) + 1, len(value) + 1)):
            yield OTHER, f"{kind} has {len(parts)} components in this version.", len(parts) + 1, "W"

    def _leaf(self, text: str, kind: str, table: str, component: int) -> Iterator[tuple[Code, str, int, str]]:
        form = _FORMS.get(kind)
        if form and text and not form.fullmatch(text):
            yield DATA_TYPE, f"This is no {kind}.", component, "E"
        codes = self.codes.get(table) if kind in _CODED else None
        if codes and text and text not in codes:
            yield TABLE_VALUE, f"The value is not in table {table}.", component, "W" if table in _OPEN else _CODED[kind]
