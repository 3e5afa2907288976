"""Elements of a FHIR resource as FHIRPath sees them: a typed view of decoded JSON that knows where it came from.

FHIR R4 FHIRPath, using FHIR types (https://hl7.org/fhir/R4/fhirpath.html#types, #polymorphism).
"""

from collections.abc import Iterator
from decimal import Decimal
from functools import cache, lru_cache
from itertools import zip_longest
from typing import Any, NamedTuple

from resources import definitions
from resources.fhirpath import quantity, temporal
from resources.fhirpath.errors import PathSemanticError
from resources.fhirpath.temporal import Temporal


class Node:
    """One element. ``value`` is the decoded JSON (a dict, or a primitive's value, None when it has only an extension),
    ``type`` the name of its definition ('' unknown), ``extra`` what ``_name`` holds for a primitive.

    ``parent``, ``name`` (the JSON property) and ``index`` (None in a property that is no list) say where it stands.
    """

    __slots__ = ("extra", "index", "name", "parent", "type", "value")

    def __init__(
        self,
        value: Any,
        type: str = "",
        extra: Any = None,
        parent: "Node | None" = None,
        name: str = "",
        index: int | None = None,
    ) -> None:
        self.value = value
        self.type = type
        self.extra = extra
        self.parent = parent
        self.name = name
        self.index = index

    def __repr__(self) -> str:
        return f"Node({self.value!r}, {self.type!r})"

    @property
    def path(self) -> str:
        """The FHIRPath of this element, such as ``Patient.name[0].given[1]``."""
        if self.parent is None:
            return self.type
        return f"{self.parent.path}.{self.name}" + ("" if self.index is None else f"[{self.index}]")


class Field(NamedTuple):
    """A JSON property under a FHIRPath name: ``companion`` is ``_name`` for primitives; ``any`` marks a resource."""

    json: str
    type: str
    companion: str
    any: bool


def root(value: Any, type: str = "") -> Node:
    """The node an expression starts from. ``type`` is for values that are no resources: a type or an element path."""
    if isinstance(value, Node):
        return value
    if isinstance(value, dict) and "resourceType" in value:
        return Node(value, _known(value["resourceType"]))
    return Node(value, element_type(type))


@cache
def element_type(name: str) -> str:
    """The type behind a type name or an element path (``ElementDefinition.max`` is a string); '' when open."""
    if not name or _known(name):
        return name
    owner, _, element = name.rpartition(".")
    found = fields(element_type(owner)).get(element.removesuffix("[x]"), ()) if owner else ()
    return found[0].type if len(found) == 1 else ""


def _known(name: Any) -> str:
    try:
        return definitions.type_def(name).name
    except (KeyError, TypeError):
        return ""


@cache
def is_primitive(type: str) -> bool:
    return bool(type) and definitions.type_def(type).kind == "primitive"


@cache
def fields(type: str) -> dict[str, tuple[Field, ...]]:
    """FHIRPath name to JSON properties: ``value`` has one for each type it may take. Empty for an unknown type."""
    found: dict[str, tuple[Field, ...]] = {}
    for element in definitions.type_def(type).elements.values() if type else ():
        companion = f"_{element.name}" if is_primitive(element.type) else ""
        field = Field(element.name, element.type, companion, element.type == "Resource")
        name = element.choice or element.name
        found[name] = (*found.get(name, ()), field)
    return found


@cache
def choice_fields(type: str) -> dict[str, tuple[Field, ...]]:
    """JSON names of choices (``valueQuantity``), which strict FHIRPath does not know."""
    return {field.json: (field,) for name, group in fields(type).items() for field in group if field.json != name}


def select(node: Node, name: str, out: list[Any], strict: bool) -> None:
    """Append the children ``name`` of ``node`` to ``out``.

    Raises PathSemanticError when ``strict`` and the type has no such element.
    """
    value = node.value
    if type(value) is dict:
        group = fields(node.type).get(name) if node.type else None
        if group is None:
            group = _other_fields(node, name, strict)
        if len(group) > len(value) + 1:
            group = _present(node.type, name, value)
        for field in group:
            _append(node, value, field, out)
    elif name in ("extension", "id"):
        _select_of_primitive(node, name, out)
    elif strict and node.type:
        raise PathSemanticError(f"{node.type} has no element {name!r}")


@cache
def _by_property(type: str, name: str) -> dict[str, Field]:
    """JSON properties of one name, companions too, to their fields."""
    group = fields(type).get(name, ())
    return {key: field for field in group for key in (field.json, field.companion) if key}


def _present(type: str, name: str, value: dict[str, Any]) -> tuple[Field, ...]:
    """Those of a choice of many types that ``value`` has: quicker than to try all fifty."""
    known = _by_property(type, name)
    return tuple({known[key]: None for key in value if key in known})


def _other_fields(node: Node, name: str, strict: bool) -> tuple[Field, ...]:
    if not node.type:
        return (Field(name, "", f"_{name}", False),) if name != "resourceType" else ()
    if strict:
        raise PathSemanticError(f"{node.type} has no element {name!r}")
    return choice_fields(node.type).get(name, ())


def _append(node: Node, value: dict[str, Any], field: Field, out: list[Any]) -> None:
    found = value.get(field.json)
    extra = value.get(field.companion) if field.companion else None
    if found is None and extra is None:
        return
    if type(found) is list or type(extra) is list:
        _append_list(node, field, found, extra, out)
    else:
        kind = resource_type(found) if field.any else field.type
        out.append(Node(found, kind, extra, node, field.json))


def _append_list(node: Node, field: Field, found: Any, extra: Any, out: list[Any]) -> None:
    values = found if type(found) is list else ()
    extras = extra if type(extra) is list else ()
    for index, (one, more) in enumerate(zip_longest(values, extras)):
        if one is not None or more is not None:
            kind = resource_type(one) if field.any else field.type
            out.append(Node(one, kind, more, node, field.json, index))


def resource_type(value: Any) -> str:
    """The type of a contained or bundled resource, '' when it does not name a known one."""
    return _known(value.get("resourceType")) if isinstance(value, dict) else ""


def _select_of_primitive(node: Node, name: str, out: list[Any]) -> None:
    if isinstance(node.extra, dict):
        kind = "Extension" if name == "extension" else "string"
        carrier = Node(node.extra, node.type, None, node.parent, f"_{node.name}", node.index)
        _append(carrier, node.extra, Field(name, kind, "", False), out)


def children(node: Node) -> list[Any]:
    """All child elements in the order of the JSON."""
    out: list[Any] = []
    for name in _child_names(node):
        select(node, name, out, False)
    return out


def _child_names(node: Node) -> Iterator[str]:
    if type(node.value) is not dict:
        return iter(("id", "extension"))
    names = (name.removeprefix("_") for name in node.value if name != "resourceType")
    return iter(dict.fromkeys(names))


# --- System values ------------------------------------------------------------------------------------------------

_READERS = {
    "date": temporal.parse_date,
    "dateTime": temporal.parse_date_time,
    "instant": temporal.parse_date_time,
    "time": temporal.parse_time,
}


def system_value(item: Any) -> Any:
    """The System value of a primitive or Quantity element; other elements and System values as they are.

    None for a primitive that has no value. A date that cannot be read stays text.
    """
    if type(item) is not Node:
        return item
    value, kind = item.value, item.type
    reader = _READERS.get(kind)
    if reader is not None:
        return reader(value) or value if isinstance(value, str) else value
    if kind == "decimal" and type(value) is int:
        return Decimal(value)
    if type(value) is dict:
        return (quantity.from_fhir(value) or item) if subtype(kind, "Quantity") else item
    return value


@lru_cache(maxsize=8192)
def subtype(name: str, base: str) -> bool:
    """Whether ``name`` is ``base`` or specialises it."""
    while name:
        if name == base:
            return True
        name = definitions.type_def(name).base
    return False


def plain(item: Any) -> Any:
    """``item`` as JSON has it: dict, str, bool, int or Decimal; dates as text, quantities as FHIR Quantity."""
    if type(item) is Node:
        return item.value
    if isinstance(item, Temporal):
        return str(item)
    if isinstance(item, quantity.Quantity):
        coded = {} if item.calendar else {"system": quantity.UCUM, "code": item.unit}
        return {"value": item.value, "unit": item.unit, **coded}
    return item
