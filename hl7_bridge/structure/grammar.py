"""A message structure made ready for walking: of each group, which segment may come where.

HL7 v2.5.1 section 2.12 (chapter formats for defining messages).
"""

from functools import lru_cache
from typing import Any

from hl7_bridge.structure import tables

PRIOR = "PRIOR_RESULT"
"""The group of OML and OMG that repeats a patient's earlier orders; by its grammar alone it would swallow the next
order of the message, so only a PID or an order with control code PR opens it."""


class Slot:
    """One child of a group: ``segments`` that may stand there, or ``groups`` that may; a choice has several."""

    __slots__ = ("groups", "is_repeating", "is_required", "segments")

    def __init__(self, child: list[Any]) -> None:
        name, least, most = child[:3]
        self.is_required, self.is_repeating = least > 0, most < 0 or most > 1
        alternatives = child[3] if name == "" else [child]
        self.segments = frozenset(each[0] for each in alternatives if len(each) == 3)
        self.groups = tuple(Node(each[0], each[3], self.is_repeating) for each in alternatives if len(each) > 3)

    @property
    def is_needed(self) -> bool:
        """Whether nothing after it can come first."""
        return self.is_required and bool(self.segments or not all(group.may_be_empty for group in self.groups))


class Node:
    """A group of the grammar.

    ``openings[name]`` are the slots where a segment of that name may come next, in order: (slot number, the group to
    open or None for a segment of this group itself). ``holdings[name]`` are the slots of groups that hold the name
    anywhere. ``direct[name]`` are the slots of segments.
    """

    __slots__ = ("direct", "first", "holdings", "is_prior", "is_repeating", "may_be_empty", "name", "openings", "slots")

    def __init__(self, name: str, children: list[Any], is_repeating: bool) -> None:
        self.name, self.is_repeating, self.is_prior = name, is_repeating, name == PRIOR
        self.slots = tuple(Slot(child) for child in children)
        self.openings: dict[str, list[tuple[int, Node | None]]] = {}
        self.holdings: dict[str, list[tuple[int, Node]]] = {}
        self.direct: dict[str, list[int]] = {}
        self.first: set[str] = set()
        self._index()
        self.may_be_empty = not any(slot.is_needed for slot in self.slots)

    def _index(self) -> None:
        may_begin = True
        for number, slot in enumerate(self.slots):
            names = set(slot.segments)
            for name in slot.segments:
                self.direct.setdefault(name, []).append(number)
                self.openings.setdefault(name, []).append((number, None))
            for group in slot.groups:
                names |= group.first
                for name in group.first:
                    self.openings.setdefault(name, []).append((number, group))
                for name in {*group.direct, *group.holdings}:
                    self.holdings.setdefault(name, []).append((number, group))
            if may_begin:
                self.first |= names
            may_begin = may_begin and not slot.is_needed


@lru_cache(maxsize=256)
def grammar(structure: str, version: str) -> Node:
    """The grammar of ``structure`` as the tables of ``version`` have it; '' is one that knows no segment."""
    return Node(structure, tables.children(version, structure) if structure else [], False)
