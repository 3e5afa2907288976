"""``_filter``: its tree compiled to the terms that all other parameters become, so that the same rules hold for it.

FHIR R4 _filter (https://hl7.org/fhir/R4/search_filter.html). A filter in brackets is asked of the same resource that
the path goes on from: ``subject[gender eq female].name sw "O"``.
"""

from collections.abc import Mapping
from functools import lru_cache
from types import MappingProxyType

from fhir_server.search.limits import WAYS
from fhir_server.search.parameters import (
    branches,
    checked_type,
    known,
    parameter,
    reference_names,
    reference_parameter,
    target_types,
    ways,
)
from resources.errors import BadSearch, TooCostly
from resources.search_param.comparison import Unsupported, compare
from resources.search_param.filter import Comparison, Joined, Negation, Node, Step, parse, refuse
from resources.search_param.registry import Registry, current
from resources.search_param.terms import And, Not, Or, Referred, Refers, Term

CHILDREN: Mapping[tuple[str, str], tuple[str, tuple[str, str]]] = MappingProxyType(
    {
        ("Group", "characteristic"): ("characteristic-value", ("code", "value")),
        ("DocumentReference", "relatesTo"): ("relationship", ("code", "target")),
    }
)
"""Names that only filters have, to the composite parameter that answers them and its components by those names."""
GONE = frozenset({("Observation", "related"), ("ServiceRequest", "event"), ("ServiceRequest", "item")})
"""Names of the specification's table whose elements R4 no longer has."""


def term(type: str, text: str, base: str = "") -> Term:
    """The term of a filter for one type; ``base`` is the public address. Raises BadSearch that names the character,
    TooCostly."""
    return _compiled(current(), type, text, base)[0]


def tests(type: str, text: str, base: str = "") -> tuple[Term, ...]:
    """The terms of the single tests of a filter, each of which the caller must be allowed to ask."""
    return _compiled(current(), type, text, base)[1]


@lru_cache(2048)
def _compiled(registry: Registry, type: str, text: str, base: str) -> tuple[Term, tuple[Term, ...]]:
    compiler = _Compiler(base)
    return compiler.node(type, parse(text)), tuple(compiler.tests)


class _Compiler:
    """Compiles one filter; ``tests`` are the terms of its tests that stand in no brackets."""

    def __init__(self, base: str) -> None:
        self.base, self.inside = base, 0
        self.taken, self.tests = 0, list[Term]()

    def node(self, type: str, node: Node) -> Term:
        match node:
            case Negation():
                return Not(type, self.node(type, node.of))
            case Joined():
                parts = tuple(self.node(type, part) for part in node.parts)
                return parts[0] if len(parts) == 1 else And(parts) if node.word == "and" else Or(parts)
            case Comparison():
                found = self.path(type, node.path, node)
                if not self.inside:
                    self.tests.append(found)
                return found

    def path(self, type: str, path: tuple[Step, ...], test: Comparison) -> Term:
        step = path[0]
        if step.source:
            return self.reverse(type, path, test)
        if (type, step.name) in CHILDREN or (type, step.name) in GONE:
            return self.child(type, path, test)
        return self.chain(type, path, test) if len(path) > 1 else self.last(type, step, test)

    def last(self, type: str, step: Step, test: Comparison) -> Term:
        self.taken += 1
        if self.taken > WAYS:
            raise TooCostly(
                f"_filter: its paths can take more than {WAYS} ways through resource types. Name the types, such as "
                "subject:Patient.name."
            )
        try:
            parameter(type, step.name)
        except BadSearch as error:
            refuse(step.at, str(error))
        try:
            return self.compared(type, step.name, test)
        except Unsupported as error:
            refuse(test.op_at, str(error))
        except BadSearch as error:
            refuse(test.value_at, str(error))

    def compared(self, type: str, name: str, test: Comparison) -> Term:
        """An absolute URL of this server is what the relative reference is too."""
        found = compare(type, name, test.op, test.value)
        own = f"{self.base}/"
        if self.base and test.op in ("re", "eq") and test.value.startswith(own) and name in reference_names(type):
            return Or((found, compare(type, name, test.op, test.value.removeprefix(own))))
        return found

    # --- paths

    def chain(self, type: str, path: tuple[Step, ...], test: Comparison) -> Term:
        step, rest = path[0], path[1:]
        allowed = self.followed(type, step)
        targets = (step.type,) if step.type else allowed
        if step.type and step.type not in allowed:
            refuse(step.at, f"{type}.{step.name} refers to {', '.join(allowed)}, never to {step.type}")
        ended = [to for to in targets if leads(to, rest)]
        fitting = [to for to in ended if step.where is None or asks(to, step.where)]
        found = [
            Refers(type, branches(type, step.name), to, self.beyond(to, step, rest, test))
            for to in fitting or ended[-1:] or targets[-1:]  # of none, the last tells what is wrong
        ]
        return found[0] if len(found) == 1 else Or(tuple(found))

    def beyond(self, type: str, step: Step, rest: tuple[Step, ...], test: Comparison) -> Term:
        """What is asked of the resource that ``step`` leads to: the rest of the path, and what stands in brackets."""
        found = self.path(type, rest, test)
        if step.where is None:
            return found
        self.inside += 1
        where = self.node(type, step.where)
        self.inside -= 1
        return And((where, found))

    def reverse(self, type: str, path: tuple[Step, ...], test: Comparison) -> Term:
        step, source = path[0], path[0].source
        try:
            checked_type(source, "_has")
        except BadSearch as error:
            refuse(step.at, str(error))
        allowed = self.followed(source, step)
        if type not in allowed:
            refuse(step.at, f"{source}.{step.name} refers to {', '.join(allowed)}, never to {type}")
        return Referred(type, source, branches(source, step.name), self.path(source, path[1:], test))

    @staticmethod
    def followed(type: str, step: Step) -> tuple[str, ...]:
        """The types that a step may lead to."""
        try:
            reference_parameter(type, step.name)
        except BadSearch as error:
            refuse(step.at, str(error))
        return target_types(type, step.name)

    # --- names that only filters have

    def child(self, type: str, path: tuple[Step, ...], test: Comparison) -> Term:
        """``characteristic[code eq x].value eq y``: the composite that knows both of one element."""
        step = path[0]
        if (type, step.name) in GONE:
            refuse(step.at, f"{type} of R4 has no '{step.name}'")
        composite, names = CHILDREN[type, step.name]
        given = step.where
        fits = len(path) == 2 and isinstance(given, Comparison) and len(given.path) == 1 and given.op == "eq"
        values = {} if not fits else {given.path[0].name: given.value, path[1].name: test.value}  # type: ignore[union-attr]
        if set(values) != set(names) or test.op not in ("eq", "re"):
            refuse(
                step.at,
                f"'{step.name}' of {type} is asked as {step.name}[{names[0]} eq a].{names[1]} eq b, or with the two "
                "names exchanged",
            )
        joined = test._replace(value="$".join(values[name] for name in names), op="eq")
        return self.last(type, Step(composite, step.at), joined)


@lru_cache(8192)
def leads(type: str, path: tuple[Step, ...]) -> bool:
    """Whether a path leads from ``type`` to a parameter."""
    step, rest = path[0], path[1:]
    if step.source:
        return bool(rest) and leads(step.source, rest)
    if not rest:
        return step.name in known(type)
    if not ways(type, f"{step.name}._id"):
        return False
    targets = (step.type,) if step.type else target_types(type, step.name)
    return any(leads(to, rest) for to in targets)


def asks(type: str, node: Node) -> bool:
    """Whether every path of a filter leads from ``type`` to a parameter."""
    match node:
        case Negation():
            return asks(type, node.of)
        case Joined():
            return all(asks(type, part) for part in node.parts)
        case Comparison():
            return leads(type, node.path)
