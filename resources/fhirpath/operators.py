"""The operators between two collections.

FHIRPath N1, operations (http://hl7.org/fhirpath/N1/#operations).
"""

from collections.abc import Callable
from decimal import Decimal, DecimalException
from typing import Any

from resources.fhirpath import quantity, temporal
from resources.fhirpath.environment import Environment, Items, Run
from resources.fhirpath.equality import distinct, equal, equivalent, key
from resources.fhirpath.errors import PathExecutionError, PathSemanticError
from resources.fhirpath.quantity import Quantity
from resources.fhirpath.singletons import describe, is_number, maybe, one, text, truth
from resources.fhirpath.temporal import Temporal

MAX_TEXT = 1_000_000
"""Longest string an expression may build, in characters."""
_MOST_DIGITS = 100
_LARGEST = 10**_MOST_DIGITS


def _equals(left: Items, right: Items) -> Items:
    return maybe(equal(left, right))


def _differs(left: Items, right: Items) -> Items:
    same = equal(left, right)
    return [] if same is None else [not same]


def _is_equivalent(left: Items, right: Items) -> Items:
    return [equivalent(left, right)]


def _is_not_equivalent(left: Items, right: Items) -> Items:
    return [not equivalent(left, right)]


# --- Order --------------------------------------------------------------------------------------------------------


def order(left: Any, right: Any) -> int | None:
    """-1, 0 or 1 of two System values; None when open. Raises PathExecutionError for types that have no order."""
    if is_number(left) and is_number(right):
        return int(left > right) - int(left < right)
    if type(left) is str and type(right) is str:
        return (left > right) - (left < right)
    if isinstance(left, Temporal) and isinstance(right, Temporal):
        return temporal.compare(left, right)
    if isinstance(left, Quantity) and isinstance(right, Quantity):
        return quantity.compare(left, right)
    if isinstance(left, Quantity) and is_number(right):
        return quantity.compare(left, Quantity(Decimal(right), "1"))
    if is_number(left) and isinstance(right, Quantity):
        return quantity.compare(Quantity(Decimal(left), "1"), right)
    raise PathExecutionError(f"{describe(left)} and {describe(right)} have no order")


def _ordered(test: Callable[[int], bool]) -> Callable[[Items, Items], Items]:
    def operator(left: Items, right: Items) -> Items:
        first, second = one(left), one(right)
        if first is None or second is None:
            return []
        found = order(first, second)
        return [] if found is None else [test(found)]

    return operator


# --- Arithmetic ---------------------------------------------------------------------------------------------------


def _plus(left: Any, right: Any) -> Any:
    if type(left) is str and type(right) is str:
        refuse_growth(len(left) + len(right))
        return left + right
    if isinstance(left, Temporal):
        return _moved(left, right, 1)
    if isinstance(left, Quantity) and isinstance(right, Quantity):
        return quantity.add(left, right, 1)
    return _numbers(left, right, "+")[0] + right


def _minus(left: Any, right: Any) -> Any:
    if isinstance(left, Temporal):
        return _moved(left, right, -1)
    if isinstance(left, Quantity) and isinstance(right, Quantity):
        return quantity.add(left, right, -1)
    return _numbers(left, right, "-")[0] - right


def _moved(moment: Temporal, duration: Any, sign: int) -> Temporal:
    if not isinstance(duration, Quantity):
        raise PathSemanticError(f"only a duration can be added to a date, not {describe(duration)}")
    return temporal.add(moment, sign * duration.value, quantity.singular(duration.unit))


def _times(left: Any, right: Any) -> Any:
    if isinstance(left, Quantity) or isinstance(right, Quantity):
        return quantity.multiply(_dimensioned(left), _dimensioned(right))
    return _numbers(left, right, "*")[0] * right


def _over(left: Any, right: Any) -> Any:
    if isinstance(left, Quantity) or isinstance(right, Quantity):
        return quantity.divide(_dimensioned(left), _dimensioned(right))
    _numbers(left, right, "/")
    return None if right == 0 else Decimal(left) / Decimal(right)


def _dimensioned(value: Any) -> Quantity:
    if isinstance(value, Quantity):
        return value
    if is_number(value):
        return Quantity(Decimal(value), "1")
    raise PathExecutionError(f"{describe(value)} is no quantity")


def _div(left: Any, right: Any) -> Any:
    _numbers(left, right, "div")
    if right == 0:
        return None
    result = Decimal(left) / Decimal(right)
    return int(result) if result.adjusted() < _MOST_DIGITS else None


def _mod(left: Any, right: Any) -> Any:
    _numbers(left, right, "mod")
    if right == 0:
        return None
    rest = Decimal(left) % Decimal(right)
    return int(rest) if type(left) is int and type(right) is int else rest


def _numbers(left: Any, right: Any, symbol: str) -> tuple[Any, Any]:
    if is_number(left) and is_number(right):
        return left, right
    raise PathExecutionError(f"{describe(left)} {symbol} {describe(right)} is not defined")


def _arithmetic(compute: Callable[[Any, Any], Any]) -> Callable[[Items, Items], Items]:
    def operator(left: Items, right: Items) -> Items:
        first, second = one(left), one(right)
        if first is None or second is None:
            return []
        try:
            result = compute(first, second)
        except DecimalException:
            return []
        # A result beyond what its type holds is empty (N1, math).
        return [] if type(result) is int and abs(result) >= _LARGEST else maybe(result)

    return operator


def refuse_growth(characters: int) -> None:
    """Before building: two texts of the allowed size can make one that fills the memory. Raises PathExecutionError."""
    if characters > MAX_TEXT:
        raise PathExecutionError(f"the expression builds text beyond {MAX_TEXT} characters")


def _concatenate(left: Items, right: Items) -> Items:
    first, second = text(left) or "", text(right) or ""
    refuse_growth(len(first) + len(second))
    return [first + second]


# --- Collections --------------------------------------------------------------------------------------------------


def union(left: Items, right: Items) -> Items:
    """``|``: both without repetitions."""
    return distinct(left + right)


def _is_in(left: Items, right: Items) -> Items:
    if not left:
        return []
    if len(left) > 1:
        raise PathExecutionError(f"one item is needed beside 'in' or 'contains', there are {len(left)}")
    wanted = key(left[0])
    return [any(key(item) == wanted for item in right)]


def _contains(left: Items, right: Items) -> Items:
    return _is_in(right, left)


# --- Logic --------------------------------------------------------------------------------------------------------


def _decided_by(left_decides: bool, right_decides: bool, verdict: bool) -> Callable[[Run, Run], Run]:
    """An operator that is ``verdict`` as soon as one side has the value that decides, and its contrary when neither
    has; empty when neither side decides and one is empty."""

    def combine(left: Run, right: Run) -> Run:
        def run(env: Environment) -> Items:
            first = truth(left(env))
            if first is left_decides:
                return [verdict]
            second = truth(right(env))
            if second is right_decides:
                return [verdict]
            return [] if first is None or second is None else [not verdict]

        return run

    return combine


def _xor(left: Run, right: Run) -> Run:
    def run(env: Environment) -> Items:
        first, second = truth(left(env)), truth(right(env))
        return [] if first is None or second is None else [first != second]

    return run


LOGIC: dict[str, Callable[[Run, Run], Run]] = {
    "and": _decided_by(False, False, False),
    "or": _decided_by(True, True, True),
    "xor": _xor,
    "implies": _decided_by(False, True, True),
}
"""Operators that may leave their right side unevaluated."""

OPERATORS: dict[str, Callable[[Items, Items], Items]] = {
    "=": _equals,
    "!=": _differs,
    "~": _is_equivalent,
    "!~": _is_not_equivalent,
    "<": _ordered(lambda found: found < 0),
    ">": _ordered(lambda found: found > 0),
    "<=": _ordered(lambda found: found <= 0),
    ">=": _ordered(lambda found: found >= 0),
    "+": _arithmetic(_plus),
    "-": _arithmetic(_minus),
    "*": _arithmetic(_times),
    "/": _arithmetic(_over),
    "div": _arithmetic(_div),
    "mod": _arithmetic(_mod),
    "&": _concatenate,
    "|": union,
    "in": _is_in,
    "contains": _contains,
}


def negative(items: Items) -> Items:
    """Unary minus of a number or quantity."""
    value = one(items)
    if value is None:
        return []
    if isinstance(value, Quantity):
        return [value._replace(value=-value.value)]
    if is_number(value):
        return [-value]
    raise PathExecutionError(f"{describe(value)} has no negative")
