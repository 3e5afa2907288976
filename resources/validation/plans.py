"""What the walker needs to know of one type, worked out once: required elements, choices and rules.

FHIR R4 StructureDefinition cardinality (https://hl7.org/fhir/R4/conformance-rules.html#cardinality).
"""

from collections.abc import Mapping
from functools import cache
from typing import NamedTuple

from resources.definitions import ElementDef, Invariant, TypeDef, type_def
from resources.validation.rules import rule_of
from resources.validation.rules_prose import PROSE
from resources.validation.scope import Rule


class Plan(NamedTuple):
    """``required`` and ``choices`` are groups of JSON names of one element; ``rules`` pairs of key and rule."""

    type: TypeDef
    elements: Mapping[str, ElementDef]
    required: tuple[tuple[ElementDef, ...], ...]
    choices: tuple[tuple[ElementDef, ...], ...]
    rules: tuple[tuple[str, Rule], ...]


@cache
def plan(type_name: str) -> Plan:
    """The plan of a type; KeyError when there is no such type."""
    definition = type_def(type_name)
    groups: dict[int, list[ElementDef]] = {}
    for element in definition.elements.values():
        groups.setdefault(element.position, []).append(element)
    every = [tuple(group) for group in groups.values()]
    return Plan(
        definition,
        definition.elements,
        tuple(group for group in every if group[0].min),
        tuple(group for group in every if group[0].choice),
        (*rules_of(definition.invariants), *PROSE.get(type_name, {}).items()),
    )


@cache
def rules_of(invariants: tuple[Invariant, ...]) -> tuple[tuple[str, Rule], ...]:
    """The rules to ask for these invariants (errors only), without those that the walk itself checks."""
    found = ((row.key, rule_of(row)) for row in invariants if row.severity == "error")
    return tuple((key, rule) for key, rule in found if rule is not None)


@cache
def is_primitive(type_name: str) -> bool:
    return type_def(type_name).kind == "primitive"
