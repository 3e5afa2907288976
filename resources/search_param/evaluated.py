"""Branches of stored parameters: FHIRPath evaluated on the resource, each item of the result indexed by its type.

FHIR R4 SearchParameter.expression (https://hl7.org/fhir/R4/searchparameter-definitions.html#SearchParameter.expression).
An expression that fails on a resource finds nothing in it; it never keeps the resource from being stored. It reads this
resource alone: of what a reference leads to only the type is known.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from types import MappingProxyType
from typing import Any

from resources import definitions
from resources.literal_reference import local
from resources.search_param import string
from resources.search_param.expression import Branch, Leaf
from resources.search_param.missing import PRESENT
from resources.search_param.registry import Custom
from resources.search_param.sink import Factory, Indexer, Sink
from resources.search_param.terms import Key

STEPS = 100_000
"""Items that one evaluation may handle inside functions."""
MOST = 10_000
"""Values that are indexed of one resource."""
EXTENSION = "Extension"
FAILURES = (ValueError, TypeError, LookupError, AttributeError, ArithmeticError, RecursionError)
_APART = "ContactPoint"
"""Its values are written otherwise than those of the other tokens, so only a cast tells that they are meant."""
_FIRST = "Identifier"
_CARRIED: Mapping[type, tuple[str, ...]] = MappingProxyType(
    {bool: ("boolean",), str: ("string", "uri"), int: ("integer",), Decimal: ("decimal",)}
)
"""FHIRPath's own types to the FHIR types that their values are indexed as, the first that the parameter takes."""


def branch(custom: Custom, leaves: Mapping[str, Factory], type: str) -> Branch:
    """The one branch of a stored parameter for resources of ``type``; ``leaves`` are the types its kind indexes."""
    kinds = expected(custom.param.expression, leaves, type)
    return Branch(custom.branch, tuple(Leaf((), kind) for kind in kinds), expression=custom.param.expression)


def expected(expression: str, leaves: Mapping[str, Factory], type: str) -> tuple[str, ...]:
    """The types of ``leaves`` that the expression may lead to; all of them where it does not tell."""
    found = static_types(expression, type)
    if found and not any(kind in ("", EXTENSION) for kind in found):
        return tuple(dict.fromkeys(fit for kind in sorted(found) if (fit := fitting(kind, leaves))))
    return tuple(sorted((kind for kind in leaves if kind != _APART), key=lambda kind: kind != _FIRST))


def static_types(expression: str, type: str) -> frozenset[str]:
    """The types that the parts of the expression for ``type`` lead to, '' for what only data tell; none: no part is
    for it."""
    from resources.fhirpath.parser import parse  # read when first used: FHIRPath reads the units of this package
    from resources.fhirpath.strict import result_types

    return result_types(parse(expression), type)


def fitting(kind: str, leaves: Iterable[str]) -> str:
    """The type among ``leaves`` as which a ``kind`` is indexed (an Age is a Quantity), or ''."""
    while kind:
        if kind in leaves or (kind in string.PARTS and "markdown" in leaves):
            return kind
        try:
            kind = definitions.type_def(kind).base
        except KeyError:
            return ""
    return ""


def indexer(type: str, kind: str, branch: Branch, leaves: Mapping[str, Factory]) -> Indexer:
    """Puts what the expression of ``branch`` finds in a resource into a sink."""
    from resources import fhirpath

    expression = fhirpath.compile(branch.expression)
    hooks = fhirpath.Hooks(resolve=resolved_type)
    puts = {name: factory(type, branch.text) for name, factory in leaves.items()}
    present = Key(type, branch.text, PRESENT, kind)

    def index(resource: Mapping[str, Any], out: Sink) -> None:
        found = Sink()
        try:
            for item in expression.nodes(resource, hooks=hooks, steps=STEPS)[:MOST]:
                put(item, puts, found)
        except FAILURES:  # of FHIRPath, or of a value that is not what its type says: a write is worth more
            return
        if found.posts or found.strings or found.ranges or found.dictionary:
            move(found, out)
            out.posts.append(present)

    return index


def put(item: Any, puts: Mapping[str, Indexer], out: Sink) -> None:
    """Index one item of a result by its type."""
    for kind, value in values(item):
        fit = fitting(kind, puts)
        if fit in puts:
            puts[fit](value, out)
        elif fit:
            for part in string.part_values(fit, value):
                puts["string"](part, out)


def values(item: Any) -> Iterator[tuple[str, Any]]:
    """(FHIR type, value as JSON has it); of an Extension those of its value."""
    from resources.fhirpath import Node
    from resources.fhirpath.quantity import UCUM, Quantity
    from resources.fhirpath.temporal import Temporal

    if isinstance(item, Node):
        if item.type == EXTENSION:
            yield from _extended(item.value)
        elif item.value is not None:
            yield item.type, item.value
    elif isinstance(item, Quantity):
        yield "Quantity", {"value": item.value, "system": UCUM, "code": item.unit}
    elif isinstance(item, Temporal):
        yield "dateTime", str(item)
    else:
        yield from ((kind, item) for kind in _CARRIED.get(type(item), ()))


def _extended(extension: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for element in definitions.type_def(EXTENSION).elements.values():
        if element.choice == "value" and element.name in extension:
            yield element.type, extension[element.name]


def move(found: Sink, out: Sink) -> None:
    """Put what is in one sink into another."""
    out.posts += found.posts
    out.strings += found.strings
    out.ranges += found.ranges
    out.dictionary += found.dictionary


_TYPE = re.compile(r"([A-Z][A-Za-z]+)/[^/]+(/_history/[^/]+)?$")


def resolved_type(reference: str) -> dict[str, Any] | None:
    """Of what is referred to, its type."""
    named = local(reference)
    found = named.type if named else (match[1] if (match := _TYPE.search(reference)) else "")
    return {"resourceType": found} if found in definitions.RESOURCE_TYPES else None
