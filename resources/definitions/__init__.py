"""The R4 definitions as tables: types and their elements, search parameters, compartments, codes, operations.

FHIR R4 4.0.1 (https://hl7.org/fhir/R4/); the tables beside this file are written by ``make definitions`` and read on
first use. Everything returned is shared and must not be changed.
"""

import gzip
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

import msgspec

from resources.definitions import shipped
from resources.definitions.layout import MODIFIER, SUMMARY, XML_ATTRIBUTE


class Invariant(NamedTuple):
    """A constraint: ``severity`` is error or warning, ``expression`` FHIRPath evaluated on each ``context``
    (a type such as ``Patient.contact``, or the path of an element such as ``Observation.value[x]``)."""

    key: str
    severity: str
    expression: str
    context: str


class ElementDef(NamedTuple):
    """One JSON property of a type.

    ``name`` is the JSON name, ``path`` the element path (``Observation.value[x]``), ``type`` what ``type_def``
    describes next (``Resource`` for any resource), ``max`` None for ``*``. ``choice`` is ``value`` for
    ``valueQuantity`` (``min`` then speaks of all names of that choice together) and '' otherwise; ``binding`` the
    value set when the binding is required and its codes are known; ``targets`` the resource types a Reference or
    canonical may name (empty: any); ``invariants`` those of the element beyond those of its type; ``position`` counts
    elements, so that the names of one choice share it; ``profile`` is ``SimpleQuantity`` and the like, or ''.
    """

    name: str
    path: str
    type: str
    min: int
    max: int | None
    choice: str
    binding: str
    targets: tuple[str, ...]
    summary: bool
    modifier: bool
    invariants: tuple[Invariant, ...]
    xml_attribute: bool
    position: int
    profile: str


class TypeDef(NamedTuple):
    """A type: ``kind`` is resource, complex, backbone or primitive; ``base`` the type it specialises ('' for a root).

    ``elements`` maps JSON property names to elements in the order of the specification, inherited ones included; of a
    primitive they are what ``_name`` may carry. ``pattern`` is the regular expression of a primitive or ''.
    """

    name: str
    kind: str
    base: str
    abstract: bool
    pattern: str
    elements: Mapping[str, ElementDef]
    invariants: tuple[Invariant, ...]


class SearchParam(NamedTuple):
    """A SearchParameter. ``expression`` is FHIRPath as published (unions of all ``base`` types included);
    ``components`` of a composite are pairs (url of the component's SearchParameter, expression)."""

    code: str
    url: str
    type: str
    base: tuple[str, ...]
    expression: str
    target: tuple[str, ...] = ()
    components: tuple[tuple[str, str], ...] = ()
    comparators: tuple[str, ...] = ()
    modifiers: tuple[str, ...] = ()
    chain: tuple[str, ...] = ()
    multiple_or: bool = True
    multiple_and: bool = True
    usage: str = "normal"


class OperationParam(NamedTuple):
    """A parameter of an operation; ``use`` is in or out, ``max`` None for ``*``, ``parts`` its named parts."""

    name: str
    use: str
    min: int
    max: int | None
    type: str
    search_type: str
    targets: tuple[str, ...]
    parts: "tuple[OperationParam, ...]"


class Operation(NamedTuple):
    """An OperationDefinition: where it may be invoked (``system``, ``type``, ``instance``) on which resource types.

    The published R4 definitions do not fill affectsState, so whether one may be called with GET is not known here.
    """

    id: str
    code: str
    url: str
    system: bool
    type: bool
    instance: bool
    resources: tuple[str, ...]
    parameters: tuple[OperationParam, ...]


class _Elements(msgspec.Struct, frozen=True):
    """Table elements; a type stays text until it is asked for, because most processes meet few of the 700."""

    invariants: list[tuple[str, str, str]]
    types: dict[str, msgspec.Raw]


def _text(name: str) -> bytes:
    return gzip.decompress(Path(__file__).with_name(f"{name}.json.gz").read_bytes())


@cache
def _table(name: str) -> Any:
    return msgspec.json.decode(_text(name))


@cache
def _element_table() -> _Elements:
    return msgspec.json.decode(_text("elements"), type=_Elements)


def __getattr__(name: str) -> Any:
    if name == "RESOURCE_TYPES":
        return _resource_types()
    raise AttributeError(f"module {__name__} has no attribute {name}")


RESOURCE_TYPES: frozenset[str]
"""The 146 concrete resource types; the abstract Resource and DomainResource are types only."""


@cache
def _resource_types() -> frozenset[str]:
    rows = ((name, msgspec.json.decode(text)) for name, text in _element_table().types.items())
    return frozenset(name for name, row in rows if row[0] == "resource" and not row[2])


def type_names() -> tuple[str, ...]:
    """The names of all types, abstract ones and backbones included, in the order of the tables."""
    return tuple(_element_table().types)


@cache
def type_def(name: str) -> TypeDef:
    """The type ``name``: ``Patient``, ``HumanName``, ``date``, or a backbone such as ``Patient.contact``.

    Raises KeyError.
    """
    kind, base, abstract, pattern, invariants, rows = msgspec.json.decode(_element_table().types[name])
    elements = {e.name: e for position, row in enumerate(rows) for e in _elements(name, position, row)}
    own = _invariants(invariants, name)
    return TypeDef(name, kind, base, bool(abstract), pattern, MappingProxyType(elements), own)


def _elements(owner: str, position: int, row: list[Any]) -> list[ElementDef]:
    base, types, least, most, binding, flags, invariants = row
    choice = base.removesuffix("[x]") if base.endswith("[x]") else ""
    path = f"{owner}.{base}"
    found = _invariants(invariants, path)
    return [
        ElementDef(
            choice + code[0].upper() + code[1:] if choice else base, path, code, least, most, choice, binding,
            tuple(targets), bool(flags & SUMMARY), bool(flags & MODIFIER), found, bool(flags & XML_ATTRIBUTE),
            position, profile,
        )
        for code, targets, profile in types
    ]  # fmt: skip


def _invariants(numbers: list[int], context: str) -> tuple[Invariant, ...]:
    found = (_element_table().invariants[n] for n in numbers)
    return tuple(Invariant(key, severity, expression, context) for key, severity, expression in found)


@cache
def codes(value_set: str) -> Mapping[str, frozenset[str]]:
    """The codes of a required binding by code system: ``{system: {code, ...}}``. Raises KeyError.

    ``value_set`` is ``ElementDef.binding``. Use it for Coding and CodeableConcept; ``plain_codes`` for code elements.
    """
    rows = _table("codes")[value_set]
    return MappingProxyType({system: frozenset(members) for system, members in rows.items()})


@cache
def plain_codes(value_set: str) -> frozenset[str]:
    """The codes of a required binding, of all its systems together, as an element of type code holds them."""
    return frozenset().union(*codes(value_set).values())


@cache
def _search_params() -> dict[str, SearchParam]:
    params = msgspec.json.decode(_text("search_parameters"), type=list[SearchParam])
    return {param.url: param for param in (*params, *(SearchParam(*row) for row in shipped.ROWS))}


@cache
def _search_params_by_base() -> dict[str, dict[str, SearchParam]]:
    found: dict[str, dict[str, SearchParam]] = {}
    for param in _search_params().values():
        for base in param.base:
            found.setdefault(base, {})[param.code] = param
    return found


@cache
def search_params(type: str) -> Mapping[str, SearchParam]:
    """The search parameters of a resource type by code, those of its base types (``_id``, ...) first."""
    found: dict[str, SearchParam] = {}
    for name in _ancestry(type):
        found.update(_search_params_by_base().get(name, {}))
    return MappingProxyType(found)


def _ancestry(type: str) -> list[str]:
    """Base types first: Resource, DomainResource, Patient."""
    base = type_def(type).base
    return [*(_ancestry(base) if base else ()), type]


def search_param(url: str) -> SearchParam:
    """The search parameter with this canonical URL (as components of composites name it). Raises KeyError."""
    return _search_params()[url]


def all_search_params() -> tuple[SearchParam, ...]:
    """Every search parameter once."""
    return tuple(_search_params().values())


def compartment_codes() -> tuple[str, ...]:
    """The compartments: Device, Encounter, Patient, Practitioner, RelatedPerson."""
    return tuple(_table("compartments"))


@cache
def compartment(code: str) -> Mapping[str, tuple[str, ...]]:
    """``{resource type: search parameter codes}`` by which resources belong to the compartment. Raises KeyError."""
    rows = _table("compartments")[code]
    return MappingProxyType({type: tuple(params) for type, params in rows.items()})


@cache
def operations() -> tuple[Operation, ...]:
    """The operations the specification defines."""
    return msgspec.json.decode(_text("operations"), type=tuple[Operation, ...])
