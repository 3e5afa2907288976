"""Writes, for each resource type, the Python function that reads all its search parameters in one walk.

FHIR R4 Search (https://hl7.org/fhir/R4/search.html). The paths of all branches are merged into one tree, so that every
JSON property is looked up once; each leaf calls the indexers of its kinds. Much faster than a walk per parameter.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from resources.search_param import composed, composite, date, evaluated, missing, quantity, token
from resources.search_param.clinical import clinical
from resources.search_param.composite import Place
from resources.search_param.expression import Branch, Leaf, Step
from resources.search_param.missing import Marker
from resources.search_param.parameter import Parameter
from resources.search_param.parameters import BY_ROW, KINDS, LEAVES, composites, parameters, standard
from resources.search_param.sink import Factory, Indexer, Sink

Reader = Callable[[Mapping[str, Any], Sink], None]


@dataclass(slots=True)
class Action:
    """What is done with a value: ``put`` indexes it; ``markers`` are (type or system it is narrowed to, marker)."""

    put: Indexer | composite.ElementIndexer | None
    markers: dict[tuple[str, Marker], None] = field(default_factory=dict)
    needs: tuple[str, ...] = ()
    """Of a composite: properties of which the element must have one; ``put`` then takes (element, resource, sink)."""


@dataclass(slots=True)
class Node:
    """One property of the tree; ``actions`` by (kind, branch)."""

    children: dict[Step, "Node"] = field(default_factory=dict)
    actions: dict[object, Action] = field(default_factory=dict)

    def at(self, steps: tuple[Step, ...]) -> "Node":
        node = self
        for step in steps:
            node = node.children.setdefault(step, Node())
        return node


def tree(type: str, only: Parameter | None = None) -> Node:
    """The tree of all parameters of a type, or of ``only`` one (without markers)."""
    root = Node()
    if only is None:
        for place in _places(type):
            _add_place(root, type, place)
    for parameter in (only,) if only else parameters(type).values():
        if parameter.code not in BY_ROW:
            for branch in parameter.branches:
                _add_branch(root, parameter, branch, marked=only is None)
    return root


def _places(type: str) -> Iterator[Place]:
    """Each place once: component- and combo- parameters share theirs."""
    seen = {}
    for places in composites(type).values():
        for place in places:
            seen[place.parts[1].branch.text, place.form] = place
    yield from seen.values()


def _add_place(root: Node, type: str, place: Place) -> None:
    if place.base.expression:
        index = composed.indexer(type, place, LEAVES)
        root.actions[place] = Action(index)
        return
    if place.form == quantity.FORM:
        place = _with_all_quantities(type, place)
    node = root.at(place.base.leaves[0].steps)
    node.actions[place] = Action(composite.indexer(type, place), needs=_needs(place))


def _needs(place: Place) -> tuple[str, ...]:
    """The properties that the components after the code are read from."""
    return tuple(dict.fromkeys(leaf.steps[0].name for part in place.parts[1:] for leaf in part.branch.leaves))


def _with_all_quantities(type: str, place: Place) -> Place:
    """The plain parameter may read more types (SampledData) than the composite; all are indexed with the code."""
    text = place.parts[1].branch.text
    plain = [b for p in standard(type).values() if p.kind == "quantity" for b in p.branches if b.text == text]
    skip = len(place.base.leaves[0].steps)
    leaves = tuple(leaf._replace(steps=leaf.steps[skip:]) for leaf in plain[0].leaves)
    return place._replace(parts=(place.parts[0], place.parts[1]._replace(branch=plain[0]._replace(leaves=leaves))))


def _covered(type: str, kind: str, branch: Branch) -> bool:
    """True for quantities that a composite indexes with their code."""
    texts = (place.parts[1].branch.text for place in _places(type) if place.form == quantity.FORM)
    return kind == "quantity" and branch.text in texts


def _add_branch(root: Node, parameter: Parameter, branch: Branch, marked: bool) -> None:
    if branch.expression:
        leaves = KINDS[parameter.kind].leaves
        index = evaluated.indexer(parameter.type, parameter.kind, branch, leaves)
        root.actions[parameter.kind, branch.text] = Action(index)
        return
    covered = marked and _covered(parameter.type, parameter.kind, branch)
    found = missing.marker(parameter, branch) if marked else None
    for leaf in branch.leaves if found or not covered else ():
        actions = root.at(leaf.steps).actions
        if (parameter.kind, branch.text) not in actions:
            put = None if covered else _factory(parameter, branch, leaf)(parameter.type, branch.text)
            actions[parameter.kind, branch.text] = Action(put)
        if found:
            actions[parameter.kind, branch.text].markers.setdefault((branch.target or branch.system, found))


def _factory(parameter: Parameter, branch: Branch, leaf: Leaf) -> Factory:
    if branch.truth:
        return token.truth
    if parameter.code == clinical(parameter.type):
        return date.CLINICAL_LEAVES[leaf.type]
    return KINDS[parameter.kind].leaves[leaf.type]


# --- Source -------------------------------------------------------------------------------------------------------


class _Writer:
    """Turns a tree into the source of ``read(resource, out)`` and the names it uses."""

    def __init__(self) -> None:
        self.lines = ["def read(resource, out):", "    posts = out.posts"]
        self.names: dict[str, Any] = {}
        self.flags: dict[Marker, str] = {}
        self.count = 0

    def reader(self, root: Node) -> Reader:
        body = self.lines
        self.lines = []
        self._actions(root, "resource", 1)
        self._children(root, "resource", 1)
        clears = [f"    {flag} = False" for flag in self.flags.values()]
        checks = [f"    if not {flag}: posts.append({self._name(m.key)})" for m, flag in self.flags.items()]
        source = "\n".join([*body, *clears, *self.lines, *checks])
        exec(compile(source, "<search parameters>", "exec"), self.names)
        reader: Reader = self.names["read"]
        return reader

    def _name(self, value: object) -> str:
        self.count += 1
        self.names[f"k{self.count}"] = value
        return f"k{self.count}"

    def _line(self, depth: int, text: str) -> None:
        self.lines.append("    " * depth + text)

    def _children(self, node: Node, holder: str, depth: int) -> None:
        by_name: dict[str, list[tuple[Step, Node]]] = {}
        for step, child in node.children.items():
            by_name.setdefault(step.name, []).append((step, child))
        for name, steps in by_name.items():
            self.count += 1
            value = f"v{self.count}"
            self._line(depth, f"{value} = {holder}.get({name!r})")
            self._line(depth, f"if {value} is not None:")
            for step, child in steps:
                self._value(step, child, value, depth + 1)

    def _value(self, step: Step, node: Node, value: str, depth: int) -> None:
        if step.many:
            item = f"{value}i"
            self._line(depth, f"for {item} in {value}{'[:1]' if step.test == ('first',) else ''}:")
            self._line(depth + 1, f"if {item} is not None{self._test(step.test, item)}:")
            value, depth = item, depth + 2
        self._actions(node, value, depth)
        self._children(node, value, depth)

    def _test(self, test: tuple[str, ...], item: str) -> str:
        if test and test[0] == "equals":
            return f" and {item}.get({test[1]!r}) == {test[2]!r}"
        if test and test[0] == "extension":
            return f" and any(e.get('url') == {test[1]!r} for e in {item}.get('extension', ()))"
        return ""

    def _actions(self, node: Node, value: str, depth: int) -> None:
        for action in node.actions.values():
            self._action(action, value, depth)

    def _action(self, action: Action, value: str, depth: int) -> None:
        narrowed = any(asked for asked, _ in action.markers)
        if action.needs:
            there = " or ".join(f"{name!r} in {value}" for name in action.needs)
            self._line(depth, f"if {there}: {self._name(action.put)}({value}, resource, out)")
        elif action.put is not None:
            self._line(depth, f"{'kind = ' if narrowed else ''}{self._name(action.put)}({value}, out)")
        for asked, marker in action.markers:
            self._marker(asked, marker, depth)

    def _marker(self, asked: str, marker: Marker, depth: int) -> None:
        if marker.absent:
            text = f"{self.flags.setdefault(marker, f'f{len(self.flags)}')} = True"
        else:
            text = f"posts.append({self._name(marker.key)})"
        self._line(depth, f"if kind == {asked!r}: {text}" if asked else text)


def composite_reader(type: str, places: tuple[Place, ...]) -> Reader:
    """The function that indexes the places of one composite alone."""
    root = Node()
    for place in places:
        _add_place(root, type, place)
    return _Writer().reader(root)


def reader(type: str, only: Parameter | None = None) -> Reader:
    """The function that indexes resources of ``type`` into a sink; of ``only`` one parameter when given."""
    root = tree(type, only)
    if not root.children and not root.actions:
        return lambda resource, out: None
    return _Writer().reader(root)
