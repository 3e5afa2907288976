"""Equality and equivalence of items and collections.

FHIRPath N1, equality (http://hl7.org/fhirpath/N1/#equality).
"""

from collections import Counter
from decimal import Decimal
from typing import Any

from resources.fhirpath import quantity, temporal
from resources.fhirpath.node import Node, system_value
from resources.fhirpath.quantity import Quantity
from resources.fhirpath.temporal import Temporal


def equal(left: list[Any], right: list[Any]) -> bool | None:
    """``=`` of collections: None when either is empty or a pair of dates leaves it open."""
    if not left or not right:
        return None
    if len(left) != len(right):
        return False
    result: bool | None = True
    for one, other in zip(left, right, strict=True):
        same = equal_items(one, other)
        if same is False:
            return False
        result = None if same is None else result
    return result


def equal_items(left: Any, right: Any) -> bool | None:
    """``=`` of two items."""
    one, other = system_value(left), system_value(right)
    if isinstance(one, str) or isinstance(other, str):
        one, other = _aligned(one, other)
    if isinstance(one, Temporal) and isinstance(other, Temporal):
        return _equal_moments(one, other)
    if isinstance(one, Quantity) or isinstance(other, Quantity):
        return _equal_quantities(_as_quantity(one), _as_quantity(other))
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if type(one) is Node or type(other) is Node:
        return type(one) is type(other) and bool(_json(one) == _json(other))
    return bool(one == other)


def _aligned(one: Any, other: Any) -> tuple[Any, Any]:
    """A string beside a date is read as a date of that kind where it can be (FHIR: implicit conversion)."""
    if isinstance(one, Temporal) and isinstance(other, str):
        return one, _READ[one.kind](other) or other
    if isinstance(other, Temporal) and isinstance(one, str):
        return _READ[other.kind](one) or one, other
    return one, other


_READ = {
    temporal.DATE: temporal.parse_date_time,
    temporal.DATE_TIME: temporal.parse_date_time,
    temporal.TIME: temporal.parse_time,
}


def _equal_moments(one: Temporal, other: Temporal) -> bool | None:
    if (one.kind == temporal.TIME) != (other.kind == temporal.TIME):
        return False
    order = temporal.compare(one, other)
    return None if order is None else order == 0


def _equal_quantities(one: Quantity | None, other: Quantity | None) -> bool | None:
    if one is None or other is None:
        return False
    order = quantity.compare(one, other)
    return None if order is None else order == 0


def _as_quantity(value: Any) -> Quantity | None:
    if isinstance(value, Quantity):
        return value
    number = isinstance(value, (int, Decimal)) and not isinstance(value, bool)
    return Quantity(Decimal(value), "1") if number else None


def _json(item: Any) -> Any:
    return item.value if type(item) is Node else item


def key(item: Any) -> Any:
    """A hashable stand-in: equal for items that ``=`` finds equal (an open comparison counts as different)."""
    value = system_value(item)
    if isinstance(value, (str, bool)):
        return (type(value), value)
    if isinstance(value, (int, Decimal)):
        return (Decimal, value)
    if isinstance(value, Temporal):
        return (Temporal, temporal.key(value))
    if isinstance(value, Quantity):
        return (Quantity, quantity.key(value))
    return _frozen(value.value if type(value) is Node else value)


def _frozen(value: Any) -> Any:
    if isinstance(value, dict):
        return (dict, frozenset((name, _frozen(part)) for name, part in value.items()))
    if isinstance(value, list):
        return (list, tuple(_frozen(part) for part in value))
    return (type(value), value) if isinstance(value, (str, bool)) else value


def distinct(items: list[Any]) -> list[Any]:
    """The items without repetitions, in their order."""
    if len(items) < 2:
        return items
    seen: dict[Any, Any] = {}
    for item in items:
        seen.setdefault(key(item), item)
    return list(seen.values())


# --- Equivalence --------------------------------------------------------------------------------------------------


def equivalent(left: list[Any], right: list[Any]) -> bool:
    """``~`` of collections: the order does not matter, two empty ones are equivalent."""
    if len(left) != len(right):
        return False
    if len(left) == 1:
        return equivalent_items(left[0], right[0])
    if Counter(map(key, left)) == Counter(map(key, right)):
        return True
    rest = list(right)
    for item in left:
        match = next((n for n, other in enumerate(rest) if equivalent_items(item, other)), None)
        if match is None:
            return False
        del rest[match]
    return True


def equivalent_items(left: Any, right: Any) -> bool:
    """``~`` of two items: text without case and spacing, numbers to the lesser precision."""
    one, other = system_value(left), system_value(right)
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, str) and isinstance(other, str):
        return _normal(one) == _normal(other)
    if isinstance(one, (int, Decimal)) and isinstance(other, (int, Decimal)):
        return _equivalent_numbers(Decimal(one), Decimal(other))
    if isinstance(one, Quantity) and isinstance(other, Quantity):
        converted = quantity.convert_like(other, one)
        return converted is not None and _equivalent_numbers(one.value, converted)
    if type(one) is Node and type(other) is Node:
        return _equivalent_json(one.value, other.value)
    return equal_items(one, other) is True


def _normal(text: str) -> str:
    return " ".join(text.casefold().split())


def _equivalent_numbers(one: Decimal, other: Decimal) -> bool:
    places = min(_places(one), _places(other))
    return round(one, places) == round(other, places)


def _places(number: Decimal) -> int:
    exponent = number.as_tuple().exponent
    return max(0, min(28, -exponent)) if isinstance(exponent, int) else 0


def _equivalent_json(one: Any, other: Any) -> bool:
    if isinstance(one, dict) and isinstance(other, dict):
        names = one.keys() - {"id"}
        return names == other.keys() - {"id"} and all(_equivalent_json(one[name], other[name]) for name in names)
    if isinstance(one, list) and isinstance(other, list):
        return equivalent([Node(part) for part in one], [Node(part) for part in other])
    return equivalent_items(one, other)
