"""One value out of a collection, as operators and functions need it.

FHIRPath N1, singleton evaluation of collections (http://hl7.org/fhirpath/N1/#singleton-evaluation-of-collections).
"""

from decimal import Decimal
from typing import Any

from resources.fhirpath.errors import PathExecutionError
from resources.fhirpath.node import Node, system_value
from resources.fhirpath.temporal import Temporal


def one(items: list[Any]) -> Any:
    """The only item as a System value, None for an empty collection. Raises PathExecutionError for several."""
    if not items:
        return None
    if len(items) > 1:
        raise PathExecutionError(f"one item is needed, there are {len(items)}")
    return system_value(items[0])


def truth(items: list[Any]) -> bool | None:
    """The only item as a Boolean: a single item that is no Boolean counts as true; None for an empty collection."""
    if not items:
        return None
    value = one(items)
    return value if isinstance(value, bool) else value is not None


def text(items: list[Any]) -> str | None:
    """The only item as a String; dates give their text. Raises PathExecutionError for another type."""
    value = one(items)
    if value is None or type(value) is str:
        return value
    if isinstance(value, Temporal) and type(items[0]) is Node:
        return str(items[0].value)
    raise PathExecutionError(f"text is needed, there is {describe(value)}")


def integer(items: list[Any]) -> int | None:
    """The only item as an Integer. Raises PathExecutionError for another type."""
    value = one(items)
    if value is None or type(value) is int:
        return value
    raise PathExecutionError(f"an Integer is needed, there is {describe(value)}")


def number(items: list[Any]) -> int | Decimal | None:
    """The only item as an Integer or Decimal. Raises PathExecutionError for another type."""
    value = one(items)
    if value is None or type(value) is int or type(value) is Decimal:
        return value
    raise PathExecutionError(f"a number is needed, there is {describe(value)}")


def is_number(value: Any) -> bool:
    return type(value) is int or type(value) is Decimal


def describe(value: Any) -> str:
    """How an error names a value."""
    if type(value) is Node:
        return value.type or "an object"
    return f"{type(value).__name__} {str(value)[:40]}"


def maybe(value: Any) -> list[Any]:
    """A collection of ``value``, empty for None."""
    return [] if value is None else [value]
