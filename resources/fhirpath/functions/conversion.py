"""Conversions between System types: ``toX()`` and ``convertsToX()``.

FHIRPath N1, conversion (http://hl7.org/fhirpath/N1/#conversion).
"""

import re
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from resources.fhirpath import temporal
from resources.fhirpath.environment import Environment, Items
from resources.fhirpath.functions.row import Function
from resources.fhirpath.node import Node
from resources.fhirpath.quantity import Quantity, convert_like, parse_quantity
from resources.fhirpath.singletons import is_number, maybe, one, text
from resources.fhirpath.temporal import Temporal, parse_date, parse_date_time, parse_time

_TRUE = frozenset({"true", "t", "yes", "y", "1", "1.0"})
_FALSE = frozenset({"false", "f", "no", "n", "0", "0.0"})
_INTEGER = re.compile(r"[+-]?\d{1,30}")
_DECIMAL = re.compile(r"[+-]?\d{1,60}(?:\.\d{1,60})?")
_LONGEST_NUMBER = 100


def _to_boolean(value: Any) -> bool | None:
    if isinstance(value, bool):
        return value
    if is_number(value):
        return {Decimal(1): True, Decimal(0): False}.get(Decimal(value))
    word = value.lower() if isinstance(value, str) else ""
    return True if word in _TRUE else False if word in _FALSE else None


def _to_integer(value: Any) -> int | None:
    if isinstance(value, (bool, int)):
        return int(value)
    return int(value) if isinstance(value, str) and _INTEGER.fullmatch(value) else None


def _to_decimal(value: Any) -> Decimal | None:
    if isinstance(value, (bool, int, Decimal)):
        return Decimal(value)
    return Decimal(value) if isinstance(value, str) and _DECIMAL.fullmatch(value) else None


def to_string(value: Any) -> str | None:
    """A System value as text; None for objects."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Decimal):
        return f"{value:f}" if abs(value.adjusted()) < _LONGEST_NUMBER else str(value)
    return None if type(value) is Node else str(value)


def _to_quantity(value: Any) -> Quantity | None:
    if isinstance(value, Quantity):
        return value
    if isinstance(value, (bool, int, Decimal)):
        return Quantity(Decimal(value), "1")
    return parse_quantity(value) if isinstance(value, str) else None


def _to_date(value: Any) -> Temporal | None:
    if isinstance(value, Temporal):
        return Temporal(temporal.DATE, value.fields[:3]) if value.kind != temporal.TIME else None
    moment = parse_date_time(value) if isinstance(value, str) else None
    return Temporal(temporal.DATE, moment.fields[:3]) if moment else None


def _to_date_time(value: Any) -> Temporal | None:
    if isinstance(value, Temporal):
        return Temporal(temporal.DATE_TIME, value.fields, value.zone) if value.kind != temporal.TIME else None
    return parse_date_time(value) if isinstance(value, str) else None


def _to_time(value: Any) -> Temporal | None:
    if isinstance(value, Temporal):
        return value if value.kind == temporal.TIME else None
    return parse_time(value) if isinstance(value, str) else None


def _is_date(value: Any) -> Temporal | None:
    """Text converts to a Date only when it is one; toDate() drops a time."""
    return parse_date(value) if isinstance(value, str) else _to_date(value)


def _to(convert: Callable[[Any], Any]) -> Callable[[Environment, Items], Items]:
    return lambda env, items: maybe(None if (value := one(items)) is None else convert(value))


def _converts(convert: Callable[[Any], Any]) -> Callable[[Environment, Items], Items]:
    return lambda env, items: [] if (value := one(items)) is None else [convert(value) is not None]


def _quantity(env: Environment, items: Items, unit: Items | None = None) -> Items:
    value = one(items)
    found = None if value is None else _to_quantity(value)
    wanted = None if unit is None else text(unit)
    if found is None or wanted is None:
        return maybe(found)
    target = parse_quantity(f"1 {wanted}") or Quantity(Decimal(1), wanted)
    converted = convert_like(found, target)
    return [] if converted is None else [target._replace(value=converted)]


def _converts_to_quantity(env: Environment, items: Items, unit: Items | None = None) -> Items:
    return [bool(_quantity(env, items, unit))] if items else []


FUNCTIONS = {
    "toBoolean": Function(_to(_to_boolean)),
    "convertsToBoolean": Function(_converts(_to_boolean)),
    "toInteger": Function(_to(_to_integer)),
    "convertsToInteger": Function(_converts(_to_integer)),
    "toDecimal": Function(_to(_to_decimal)),
    "convertsToDecimal": Function(_converts(_to_decimal)),
    "toString": Function(_to(to_string)),
    "convertsToString": Function(_converts(to_string)),
    "toDate": Function(_to(_to_date)),
    "convertsToDate": Function(_converts(_is_date)),
    "toDateTime": Function(_to(_to_date_time)),
    "convertsToDateTime": Function(_converts(_to_date_time)),
    "toTime": Function(_to(_to_time)),
    "convertsToTime": Function(_converts(_to_time)),
    "toQuantity": Function(_quantity, 0, 1),
    "convertsToQuantity": Function(_converts_to_quantity, 0, 1),
}
