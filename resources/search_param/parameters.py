"""The search parameters of each resource type, resolved against the definitions.

FHIR R4 search parameters (https://hl7.org/fhir/R4/searchparameter-registry.html) and the kinds they are of. A new kind
is a new file and a row of KINDS.
"""

from collections.abc import Iterator, Mapping
from functools import cache, lru_cache
from types import MappingProxyType

from resources import definitions
from resources.definitions import SearchParam
from resources.search_param import (
    composed,
    composite,
    date,
    evaluated,
    near,
    number,
    quantity,
    reference,
    registry,
    string,
    token,
    uri,
)
from resources.search_param.composite import Part, Place
from resources.search_param.expression import Branch, branches
from resources.search_param.parameter import Kind, Parameter
from resources.search_param.registry import Custom
from resources.search_param.sink import Factory

KINDS: Mapping[str, Kind] = MappingProxyType(
    {
        "token": token.KIND, "reference": reference.KIND, "date": date.KIND, "string": string.KIND,
        "number": number.KIND, "quantity": quantity.KIND, "uri": uri.KIND,
        "special": near.KIND,
    }
)  # fmt: skip

LEAVES: Mapping[str, Mapping[str, Factory]] = MappingProxyType({name: kind.leaves for name, kind in KINDS.items()})
"""What each kind indexes, by FHIR type."""

BY_ROW = frozenset({"_id", "_lastUpdated"})
"""Parameters that the resource row answers; they have no index entries."""

FULL_TEXT = frozenset({"_text", "_content"})
"""Parameters that read no element by itself."""


def parameters(type: str) -> Mapping[str, Parameter]:
    """The parameters of a type with an expression, composites left out, by code; stored ones too."""
    customs = registry.current().of(type)
    return _with_customs(type, customs) if customs else standard(type)


@lru_cache(1024)
def _with_customs(type: str, customs: tuple[Custom, ...]) -> Mapping[str, Parameter]:
    made = (_custom(type, custom) for custom in customs if custom.param.type in KINDS)
    return MappingProxyType({**{p.code: p for p in made}, **standard(type)})


def _custom(type: str, custom: Custom) -> Parameter:
    row = custom.param
    return Parameter(type, row.code, row.type, (evaluated.branch(custom, KINDS[row.type].leaves, type),), row.target)


@cache
def standard(type: str) -> Mapping[str, Parameter]:
    """The parameters that the specification gives a type. What belongs to a patient is told by these alone."""
    rows = definitions.search_params(type).values()
    made = (_parameter(type, row) for row in rows if row.type in KINDS and row.expression)
    return MappingProxyType({p.code: p for p in made})


def _parameter(type: str, row: SearchParam) -> Parameter:
    leaves = KINDS[row.type].leaves
    found: Iterator[Branch] = iter(branches(row.expression, type, frozenset(leaves)))
    if row.type == "string":
        found = (part for branch in found for part in string.parts(branch))
    kept = tuple(b._replace(leaves=tuple(leaf for leaf in b.leaves if b.truth or leaf.type in leaves)) for b in found)
    return Parameter(type, row.code, row.type, tuple(b for b in kept if b.leaves), row.target)


def composites(type: str) -> Mapping[str, tuple[Place, ...]]:
    """The composite parameters of a type by code, one Place for each base of their expression; stored ones too."""
    customs = tuple(custom for custom in registry.current().of(type) if custom.param.type == "composite")
    return _with_composites(type, customs) if customs else _standard_composites(type)


@lru_cache(1024)
def _with_composites(type: str, customs: tuple[Custom, ...]) -> Mapping[str, tuple[Place, ...]]:
    made = {custom.param.code: composed.places(custom, type, LEAVES) for custom in customs}
    return MappingProxyType({**made, **_standard_composites(type)})


@cache
def _standard_composites(type: str) -> Mapping[str, tuple[Place, ...]]:
    rows = (row for row in definitions.search_params(type).values() if row.type == "composite")
    return MappingProxyType({row.code: tuple(_places(type, row)) for row in rows})


def _places(type: str, row: SearchParam) -> Iterator[Place]:
    for base in branches(row.expression, type, frozenset()):
        parts = tuple(_part(type, base, url, expression) for url, expression in row.components)
        yield Place(base, parts, composite.form(parts))


def _part(type: str, base: Branch, url: str, expression: str) -> Part:
    root = expression.startswith(composite.ROOT)
    start = type if root else base.text
    union = "|".join(f"{start}.{e.strip().removeprefix(composite.ROOT)}" for e in expression.split("|"))
    [branch] = branches(union, type, frozenset())
    kind = _kind(definitions.search_param(url).type, branch)
    leaves = KINDS[kind].leaves
    skip = 0 if root else len(base.leaves[0].steps)
    found = tuple(leaf._replace(steps=leaf.steps[skip:]) for leaf in branch.leaves if leaf.type in leaves)
    return Part(kind, branch._replace(leaves=found), root)


def _kind(declared: str, branch: Branch) -> str:
    """The declared kind; but DocumentReference.relationship is published with its components the wrong way round."""
    fits = [
        kind
        for kind in (declared, "token", "reference")
        if any(leaf.type in KINDS[kind].leaves for leaf in branch.leaves)
    ]
    return fits[0]
