"""Type names of expressions: System types of values, FHIR types of elements, and the tests ``is``, ``as``, ``ofType``.

FHIRPath N1, types (http://hl7.org/fhirpath/N1/#types); FHIR R4 (https://hl7.org/fhir/R4/fhirpath.html#types).
"""

from collections.abc import Callable
from decimal import Decimal
from functools import cache
from typing import Any

from resources import definitions
from resources.fhirpath.errors import PathSemanticError
from resources.fhirpath.node import Node, subtype
from resources.fhirpath.quantity import Quantity
from resources.fhirpath.temporal import Temporal

_SYSTEM = {bool: "Boolean", int: "Integer", Decimal: "Decimal", str: "String", Quantity: "Quantity"}
SYSTEM_TYPES = frozenset({*_SYSTEM.values(), "Date", "DateTime", "Time", "Any"})


def system_type(value: Any) -> str:
    """The System type of a value that is no element."""
    return value.kind if isinstance(value, Temporal) else _SYSTEM.get(type(value), "")


@cache
def type_test(name: str) -> Callable[[Any], bool]:
    """A test of items for the type ``name``: ``Patient``, ``FHIR.code``, ``System.Boolean``.

    An unqualified name means both the FHIR type and the System type that have it. Raises PathSemanticError.
    """
    space, _, simple = name.rpartition(".")
    fhir = simple if space in ("", "FHIR") and _is_fhir(simple) else ""
    system = simple if space in ("", "System") and simple in SYSTEM_TYPES else ""
    if not fhir and not system:
        raise PathSemanticError(f"{name!r} is no type")

    def test(item: Any) -> bool:
        if type(item) is Node:
            return bool(fhir) and bool(item.type) and subtype(item.type, fhir)
        return bool(system) and (system == "Any" or system_type(item) == system)

    return test


def _is_fhir(name: str) -> bool:
    try:
        definitions.type_def(name)
    except KeyError:
        return False
    return True


def type_info(item: Any) -> Node:
    """What ``type()`` gives: an object with ``namespace`` and ``name``."""
    if type(item) is Node:
        return Node({"namespace": "FHIR", "name": item.type or "Element"})
    return Node({"namespace": "System", "name": system_type(item)})
