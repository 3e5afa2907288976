"""What a schema cannot say: the invariants, narratives and inner resources of a value that fits its schema.

FHIR R4 constraints (https://hl7.org/fhir/R4/conformance-rules.html#constraints).
"""

from collections.abc import Callable
from typing import Any

from resources.definitions import ElementDef, type_def
from resources.validation.narrative import narrative_flaw
from resources.validation.plans import plan, rules_of
from resources.validation.schema import IN_SCHEMA, OPAQUE, residual
from resources.validation.scope import Node, Rule, Scope

Holds = Callable[[Any, Scope], bool]


class Residue:
    """Looks at the values of one type; a call says whether every rule holds in it and below."""

    __slots__ = ("rules", "steps")

    def __init__(self) -> None:
        self.rules: tuple[Holds, ...] = ()
        self.steps: tuple[tuple[str, bool, Holds], ...] = ()

    def __call__(self, node: Node, scope: Scope) -> bool:
        for holds in self.rules:
            if not holds(node, scope):
                return False
        for name, many, holds in self.steps:
            value = node.get(name)
            if value is None:
                continue
            if not many:
                if not holds(value, scope):
                    return False
                continue
            for item in value:
                if not holds(item, scope):
                    return False
        return True


class Residues:
    """The residues of all types; ``resource`` is asked about every resource inside a Bundle or Parameters."""

    def __init__(self, resource: Callable[[Any], bool]) -> None:
        self._resource = resource
        self._made: dict[str, Holds] = {}

    def of(self, type_name: str) -> Holds:
        """The residue of a type, made when first asked for. Types may contain themselves."""
        made = self._made.get(type_name)
        if made is None:
            made = self._special(type_name) or self._made.setdefault(type_name, Residue())
            self._made[type_name] = made
            if isinstance(made, Residue):
                self._fill(made, type_name)
        return made

    def _special(self, type_name: str) -> Holds | None:
        if type_name == "Resource":
            return lambda node, scope: self._resource(node)
        if type_name == "Narrative":
            return lambda node, scope: not narrative_flaw(node["div"])[0]
        return None

    def _fill(self, residue: Residue, type_name: str) -> None:
        residue.rules = _unsaid(plan(type_name).rules)
        rows = ((e, self._below(e)) for e in type_def(type_name).elements.values() if e.name != "contained")
        residue.steps = tuple((element.name, element.max != 1, below) for element, below in rows if below is not None)

    def _below(self, element: ElementDef) -> Holds | None:
        own = _unsaid(rules_of(element.invariants))
        looks = [self.of(element.type)] if element.type not in OPAQUE and residual(element.type) else []
        every: tuple[Holds, ...] = (*own, *looks)
        if len(every) < 2:
            return every[0] if every else None
        return lambda node, scope: all(holds(node, scope) for holds in every)


def _unsaid(rules: tuple[tuple[str, Rule], ...]) -> tuple[Holds, ...]:
    return tuple(rule.holds for key, rule in rules if key not in IN_SCHEMA)
