"""Functions on numbers, and the boundaries and precision of imprecise values.

FHIRPath N1, math (http://hl7.org/fhirpath/N1/#math); boundary functions of its trial-use part.
"""

from collections.abc import Callable
from decimal import ROUND_CEILING, ROUND_DOWN, ROUND_FLOOR, ROUND_HALF_UP, Context, Decimal, DecimalException
from typing import Any

from resources.fhirpath import temporal
from resources.fhirpath.environment import Environment, Items
from resources.fhirpath.errors import PathExecutionError
from resources.fhirpath.functions.row import Function
from resources.fhirpath.quantity import Quantity, comparable
from resources.fhirpath.singletons import describe, integer, is_number, maybe, number, one
from resources.fhirpath.temporal import Temporal

_EXACT = Context(prec=40)
_RESULT = Context(prec=28)
_MOST_PLACES = 28
_DEFAULT_PLACES = 8


def _on_number(compute: Callable[..., Any]) -> Callable[..., Items]:
    """A function of numbers: empty for empty input and for results that are no number (N1, math)."""

    def call(env: Environment, items: Items, *arguments: Items) -> Items:
        values = [number(items), *map(number, arguments)]
        if None in values:
            return []
        try:
            return maybe(compute(*values))
        except (DecimalException, ZeroDivisionError, OverflowError):
            return []

    return call


def _abs(env: Environment, items: Items) -> Items:
    value = one(items)
    if isinstance(value, Quantity):
        return [value._replace(value=abs(value.value))]
    return maybe(None if value is None else abs(number(items) or 0))


def _whole(rounding: str) -> Callable[..., Items]:
    def compute(value: int | Decimal) -> int:
        return value if isinstance(value, int) else int(_bounded(value).to_integral_value(rounding))

    return _on_number(compute)


def _bounded(value: Decimal) -> Decimal:
    if value.adjusted() > 1000:
        raise PathExecutionError("the number is too large")
    return value


def _round(value: int | Decimal, places: int | Decimal = 0) -> Decimal:
    if not isinstance(places, int) or not 0 <= places <= _MOST_PLACES:
        raise PathExecutionError(f"round() needs 0 to {_MOST_PLACES} digits")
    return Decimal(value).quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP, _EXACT)


def _sqrt(value: int | Decimal) -> Decimal | None:
    return None if value < 0 else _RESULT.plus(_EXACT.sqrt(Decimal(value)))


def _exp(value: int | Decimal) -> Decimal:
    return _RESULT.plus(_EXACT.exp(Decimal(value)))


def _ln(value: int | Decimal) -> Decimal | None:
    return None if value <= 0 else _RESULT.plus(_EXACT.ln(Decimal(value)))


def _log(value: int | Decimal, base: int | Decimal) -> Decimal | None:
    if value <= 0 or base <= 0:
        return None
    return _RESULT.plus(_EXACT.divide(_EXACT.ln(Decimal(value)), _EXACT.ln(Decimal(base))))


def _power(value: int | Decimal, exponent: int | Decimal) -> int | Decimal | None:
    if value < 0 and Decimal(exponent) % 1:
        return None
    result = _RESULT.plus(_EXACT.power(Decimal(value), Decimal(exponent)))
    whole = isinstance(value, int) and isinstance(exponent, int) and exponent >= 0 and result.adjusted() < _MOST_PLACES
    return int(result) if whole else result


# --- Boundaries ---------------------------------------------------------------------------------------------------


def _boundary(high: bool) -> Callable[..., Items]:
    def call(env: Environment, items: Items, precision: Items | None = None) -> Items:
        value = one(items)
        wanted = None if precision is None else integer(precision)
        if value is None:
            return []
        if isinstance(value, Temporal):
            return maybe(temporal.boundary(value, wanted, high=high))
        if isinstance(value, Quantity):
            limit = _decimal_boundary(value.value, wanted, high)
            return maybe(None if limit is None else value._replace(value=limit))
        return maybe(_decimal_boundary(Decimal(number(items) or 0), wanted, high))

    return call


def _decimal_boundary(value: Decimal, places: int | None, high: bool) -> Decimal | None:
    """The edge of what rounds to ``value``; the edge away from zero is rounded, the one towards zero cut off."""
    places = _DEFAULT_PLACES if places is None else places
    if not 0 <= places <= _MOST_PLACES:
        return None
    half = Decimal(5).scaleb(int(value.as_tuple().exponent) - 1)
    edge = value + half if high else value - half
    rounding = ROUND_HALF_UP if high == (value >= 0) else ROUND_DOWN
    return edge.quantize(Decimal(1).scaleb(-places), rounding, _EXACT)


def _precision(env: Environment, items: Items) -> Items:
    value = one(items)
    if isinstance(value, Temporal):
        return [temporal.digits(value)]
    if isinstance(value, Decimal):
        return [max(0, -int(value.as_tuple().exponent))]
    if is_number(value):
        return [0]
    if value is None:
        return []
    raise PathExecutionError(f"{describe(value)} has no precision")


def _comparable(env: Environment, items: Items, other: Items) -> Items:
    left, right = one(items), one(other)
    if left is None or right is None:
        return []
    return [isinstance(left, Quantity) and isinstance(right, Quantity) and comparable(left, right)]


FUNCTIONS = {
    "abs": Function(_abs),
    "ceiling": Function(_whole(ROUND_CEILING)),
    "floor": Function(_whole(ROUND_FLOOR)),
    "truncate": Function(_whole(ROUND_DOWN)),
    "round": Function(_on_number(_round), 0, 1),
    "sqrt": Function(_on_number(_sqrt)),
    "exp": Function(_on_number(_exp)),
    "ln": Function(_on_number(_ln)),
    "log": Function(_on_number(_log), 1, 1),
    "power": Function(_on_number(_power), 1, 1),
    "lowBoundary": Function(_boundary(high=False), 0, 1),
    "highBoundary": Function(_boundary(high=True), 0, 1),
    "precision": Function(_precision),
    "comparable": Function(_comparable, 1, 1),
}
