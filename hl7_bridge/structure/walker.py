"""Tokens to groups: every segment once, in the order it came, in the group it belongs to; nothing raises here.

HL7 v2.5.1 section 2.6 and the abstract message definitions. Real messages leave out, repeat and misplace segments, so
the grammar leads and the message decides: a segment goes to the innermost open group that can go on with it; what
starts a group starts a new one; what fits nowhere stays where it stood.
"""

from collections.abc import Iterable, Iterator

from hl7_bridge.er7.message import Message, Segment
from hl7_bridge.structure.grammar import Node, grammar
from hl7_bridge.structure.tables import structure_of

_ORDERS = frozenset({"ORC", "OBR"})
"""They begin an order wherever they stand: never an afterthought of the order before."""
_PATIENT = "PID"
_PREVIOUS = "PR"
"""ORC-1 of an order sent for its earlier results (table 0119)."""


class Group:
    """A group (or the message itself): ``children`` are segments and groups in the order they came."""

    __slots__ = ("children", "name")

    def __init__(self, name: str) -> None:
        self.name = name
        self.children: list[Segment | Group] = []

    def segment(self, name: str) -> Segment | None:
        """The first segment ``name`` of this group itself, not of groups within."""
        return next((each for each in self.children if each.name == name and isinstance(each, Segment)), None)

    def segments(self, *names: str) -> list[Segment]:
        """The segments of this group itself: all, or those named."""
        return [each for each in self.children if isinstance(each, Segment) and (not names or each.name in names)]

    def groups(self, name: str = "") -> list["Group"]:
        """The groups directly within: all, or those named."""
        return [each for each in self.children if isinstance(each, Group) and (not name or each.name == name)]

    def all(self, name: str) -> list["Group"]:
        """Every group ``name`` at any depth below, in order."""
        return [each for each in self.descend() if each.name == name]

    def first(self, name: str) -> "Group | None":
        """The first group ``name`` at any depth below."""
        return next((each for each in self.descend() if each.name == name), None)

    def descend(self) -> Iterator["Group"]:
        """Every group below, in order."""
        for each in self.children:
            if isinstance(each, Group):
                yield each
                yield from each.descend()

    def every(self, *names: str) -> Iterator[Segment]:
        """Every segment here and below in the order of the message: all, or those named."""
        for each in self.children:
            if isinstance(each, Group):
                yield from each.every(*names)
            elif not names or each.name in names:
                yield each

    def __repr__(self) -> str:
        return f"{self.name} of {len(self.children)}"


class Tree(Group):
    """A message in groups. ``structure`` is what it was read as ('' when its type is unknown) with the tables of
    ``version``; ``misplaced`` are the known segments that came where the structure has none."""

    __slots__ = ("misplaced", "structure", "version")

    def __init__(self, structure: str, version: str) -> None:
        super().__init__(structure)
        self.structure, self.version = structure, version
        self.misplaced: list[Segment] = []


def walk(message: Message) -> Tree:
    """The groups of ``message``. Every segment is in the tree exactly once, in the order it came."""
    structure, version = structure_of(message.version, message.type, message.event, message.structure)
    tree = Tree(structure, version)
    walker = _Walker(tree, grammar(structure, version))
    segments = message.segments
    for at, segment in enumerate(segments):
        walker.take(segment, segments, at)
    return tree


def notes(segments: Iterable[Segment]) -> dict[int, list[Segment]]:
    """The NTE by what they follow: index of the segment they annotate to its NTE. Z segments and lines without a name
    between do not come between."""
    found: dict[int, list[Segment]] = {}
    last = 0
    for each in segments:
        if each.name == "NTE":
            found.setdefault(last, []).append(each)
        elif each.name[0] not in "Z?":
            last = each.index
    return found


class _Open:
    """An open group: ``at`` is the slot it has come to (-1: none), ``used`` a bit per slot that has been filled."""

    __slots__ = ("at", "children", "node", "used")

    def __init__(self, node: Node, children: list[Segment | Group]) -> None:
        self.node, self.children, self.at, self.used = node, children, -1, 0

    def has_room(self, number: int) -> bool:
        return not self.used >> number & 1 or self.node.slots[number].is_repeating

    def come_to(self, number: int) -> None:
        self.at = number
        self.used |= 1 << number


class _Walker:
    """The open groups, outermost first, and the ways a segment finds its place, tried in the order of ``_WAYS``."""

    __slots__ = ("open", "tree")

    def __init__(self, tree: Tree, root: Node) -> None:
        self.tree, self.open = tree, [_Open(root, tree.children)]

    def take(self, segment: Segment, segments: list[Segment], at: int) -> None:
        name = segment.name
        if name[0] not in "Z?":
            if name == "ORC" or name == "OBX":
                self._settle(segment)
            if self._forward(segment) or any(way(self, name, segments, at) for way in _WAYS):
                self.open[-1].children.append(segment)
                return
            self.tree.misplaced.append(segment)
        self.open[-1].children.append(segment)

    # --- The ways: each makes the group of the segment the innermost open one and says whether it could

    def _forward(self, segment: Segment) -> bool:
        """The grammar's own way: at or after where a group has come to, the innermost group first."""
        name, opened = segment.name, self.open
        for depth in range(len(opened) - 1, -1, -1):
            here = opened[depth]
            for number, group in here.node.openings.get(name, ()):
                if number < here.at or not here.has_room(number):
                    continue
                if group is not None and group.is_prior and not _is_prior(segment):
                    continue
                self._go(depth, number, group, name)
                return True
            if self._is_awaited(depth, name):
                self._go(depth, here.node.direct[name][0], None, name)
                return True
        return False

    def _is_awaited(self, depth: int, name: str) -> bool:
        """Whether the group cannot be without ``name`` and has come past it: PID after PV1, OBR after a lone TQ1. Where
        groups repeat, only while it has no group within: an OBX before its OBR is not of that order for sure."""
        here = self.open[depth]
        numbers = here.node.direct.get(name)
        if not numbers or here.used >> numbers[0] & 1 or not here.node.slots[numbers[0]].is_required:
            return False
        return here.at > numbers[0] and not (
            here.node.is_repeating and any(isinstance(c, Group) for c in here.children)
        )

    def _again(self, name: str, segments: list[Segment], at: int) -> bool:
        """A second of what a group must have, or an order's ORC or OBR: the nearest group that repeats begins anew."""
        for depth in range(len(self.open) - 1, 0, -1):
            here = self.open[depth]
            for number in here.node.direct.get(name, ()):
                if not here.node.slots[number].is_required and name not in _ORDERS:
                    continue
                repeating = next((d for d in range(depth, 0, -1) if self.open[d].node.is_repeating), 0)
                if repeating:
                    self._repeat(repeating, depth, number)
                    return True
        return False

    def _repeat(self, repeating: int, depth: int, number: int) -> None:
        path = [(each.node, each.at) for each in self.open[repeating : depth + 1]]
        del self.open[repeating:]
        for node, at in path:
            self._enter(node)
            self.open[-1].come_to(at)
        self.open[-1].used, self.open[-1].at = 1 << number, number

    def _late(self, name: str, segments: list[Segment], at: int) -> bool:
        """A place that a group has gone past and has room for; a segment alone only where no inner group goes on."""
        for depth in range(len(self.open) - 1, -1, -1):
            here = self.open[depth]
            for number, group in here.node.openings.get(name, ()):
                if number < here.at and here.has_room(number) and not (group is not None and group.is_prior):
                    if group is None and self._goes_on(depth, segments, at):
                        return False
                    self._go(depth, number, group, name)
                    return True
        return False

    def _goes_on(self, depth: int, segments: list[Segment], at: int) -> bool:
        """Whether the next segment continues a group within the one at ``depth``."""
        following = segments[at + 1].name if at + 1 < len(segments) else ""
        for here in self.open[depth + 1 :]:
            for number in here.node.direct.get(following, ()):
                if number > here.at or (number == here.at and here.has_room(number)):
                    return True
        return False

    def _without_beginning(self, name: str, segments: list[Segment], at: int) -> bool:
        """A group whose beginning is missing: OBR without ORC, OBX without OBR. Not where a group before has it."""
        if any(self._has_left(depth, name) for depth in range(len(self.open))):
            return False
        for depth in range(len(self.open) - 1, -1, -1):
            here = self.open[depth]
            for number, group in here.node.holdings.get(name, ()):
                if number > here.at and not group.is_prior:
                    self._go(depth, number, group, name)
                    return True
        return False

    def _has_left(self, depth: int, name: str) -> bool:
        """Whether a closed group of the one at ``depth`` may hold ``name``."""
        here = self.open[depth]
        past = here.at + (depth == len(self.open) - 1)
        return any(number < past for number, _ in here.node.holdings.get(name, ()))

    def _another_patient(self, name: str, segments: list[Segment], at: int) -> bool:
        """A second PID where the structure has one patient: what follows is of that patient, never of the first."""
        if name != _PATIENT:
            return False
        for depth, here in enumerate(self.open):
            for number, group in here.node.openings.get(name, ()):
                here.used &= (1 << number) - 1
                self._go(depth, number, group, name)
                return True
        return False

    # --- Moving

    def _go(self, depth: int, number: int, group: Node | None, name: str) -> None:
        """Leave what is open below ``depth``, come to slot ``number`` there, and open the groups down to ``name``."""
        del self.open[depth + 1 :]
        self.open[depth].come_to(number)
        while group is not None:
            self._enter(group)
            number, group = _way_down(group, name)
            self.open[-1].come_to(number)

    def _enter(self, node: Node) -> None:
        group = Group(node.name)
        self.open[-1].children.append(group)
        self.open.append(_Open(node, group.children))

    def _settle(self, segment: Segment) -> None:
        """Leave a group that the grammar would go on with and the message does not mean."""
        if segment.name == "ORC":
            prior = next((depth for depth, each in enumerate(self.open) if each.node.is_prior), 0)
            if prior and segment.text(1) not in ("", _PREVIOUS):
                del self.open[prior:]
        elif len(self.open) > 2 and self.open[-1].node.name == "SPECIMEN":
            self._leave_specimen()

    def _leave_specimen(self) -> None:
        """OBX after SPM are of the specimen, unless the order has no result yet: then SPM came too early."""
        order = self.open[-2]
        for number, group in order.node.openings.get("OBX", ()):
            is_free = group is not None and group.name == "OBSERVATION" and not order.used >> number & 1
            if is_free and order.node.name == "ORDER_OBSERVATION":
                self.open.pop()
                order.at = number


_WAYS = (_Walker._again, _Walker._late, _Walker._without_beginning, _Walker._another_patient)


def _is_prior(segment: Segment) -> bool:
    return segment.name == _PATIENT or (segment.name == "ORC" and segment.text(1) == _PREVIOUS)


def _way_down(node: Node, name: str) -> tuple[int, Node | None]:
    """The slot of ``node`` that leads to ``name``: as its beginning where it can be, else anywhere."""
    if name in node.first or name in node.direct:
        return node.openings[name][0]
    return node.holdings[name][0]
