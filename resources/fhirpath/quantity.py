"""Quantities: calendar durations and UCUM units, made comparable by reduction to base units.

FHIRPath N1, Quantity (http://hl7.org/fhirpath/N1/#quantity); UCUM (https://ucum.org/ucum).
"""

import re
from decimal import Decimal, DivisionByZero, InvalidOperation, Overflow
from fractions import Fraction
from typing import Any, NamedTuple

from resources.search_param import ucum

UCUM = ucum.SYSTEM
_LARGEST_POWER = 1000

_SINGULAR = {f"{unit}s": unit for unit in ("year", "month", "week", "day", "hour", "minute", "second", "millisecond")}
CALENDAR_UNITS = frozenset(_SINGULAR) | frozenset(_SINGULAR.values())
# A calendar year is no fixed number of seconds, so years and months are a dimension of their own; from the week
# down calendar durations equal UCUM's (N1, "Time-valued quantities").
_MONTHS = {"year": 12, "month": 1}


class Quantity(NamedTuple):
    """``unit`` is a UCUM code (``1`` for none), or a calendar word when ``calendar``; an opaque unit of another
    system is written ``{system}unit`` and compares with itself only."""

    value: Decimal
    unit: str
    calendar: bool = False

    def __str__(self) -> str:
        return f"{self.value:f} {self.unit}" if self.calendar else f"{self.value:f} '{self.unit}'"


class _Scale(NamedTuple):
    """A unit in base units: value * factor + offset, of ``dimension``."""

    dimension: str
    factor: Fraction
    offset: Fraction = Fraction(0)


def singular(unit: str) -> str:
    """``day`` for ``days``; other words unchanged."""
    return _SINGULAR.get(unit, unit)


def from_fhir(value: dict[str, Any]) -> Quantity | None:
    """A FHIR Quantity (JSON) as a System.Quantity, None without a value."""
    number = value.get("value")
    if not isinstance(number, (int, Decimal)) or isinstance(number, bool):
        return None
    system, code, unit = value.get("system"), value.get("code"), value.get("unit")
    if system == UCUM:
        return Quantity(Decimal(number), str(code or "1"))
    if not system and not code and not unit:
        return Quantity(Decimal(number), "1")
    return Quantity(Decimal(number), f"{{{system or ''}}}{code or unit or ''}")


_WRITTEN = re.compile(r"(?P<value>[+-]?\d+(?:\.\d+)?)\s*(?:'(?P<unit>[^']+)'|(?P<word>[a-zA-Z]+))?")


def parse_quantity(text: str) -> Quantity | None:
    """``4 days``, ``1.5 'mg'`` or a bare number; None for anything else."""
    match = _WRITTEN.fullmatch(text)
    if match is None or (match["word"] and match["word"] not in CALENDAR_UNITS):
        return None
    word = match["word"]
    return Quantity(Decimal(match["value"]), word or match["unit"] or "1", calendar=bool(word))


def same_unit(left: Quantity, right: Quantity) -> bool:
    """Whether values compare without conversion."""
    return left.calendar == right.calendar and singular(left.unit) == singular(right.unit)


def canonical(quantity: Quantity) -> tuple[str, Fraction] | None:
    """(dimension, value in base units), None for a unit UCUM does not know or a number beyond use."""
    scale = _scale(quantity) if abs(quantity.value.adjusted()) < _LARGEST_POWER else None
    return None if scale is None else (scale.dimension, Fraction(quantity.value) * scale.factor + scale.offset)


def compare(left: Quantity, right: Quantity) -> int | None:
    """-1, 0 or 1; None when the units have no common dimension."""
    pair = in_same_unit(left, right)
    return None if pair is None else (pair[0] > pair[1]) - (pair[0] < pair[1])


def in_same_unit(left: Quantity, right: Quantity) -> tuple[Fraction, Fraction] | None:
    """Both values in one unit, None when there is none."""
    if same_unit(left, right):
        return Fraction(left.value), Fraction(right.value)
    one, other = canonical(left), canonical(right)
    return None if one is None or other is None or one[0] != other[0] else (one[1], other[1])


def convert_like(quantity: Quantity, unit_of: Quantity) -> Decimal | None:
    """The value of ``quantity`` in the unit of ``unit_of``."""
    if same_unit(quantity, unit_of):
        return quantity.value
    here, there = canonical(quantity), _scale(unit_of)
    if here is None or there is None or here[0] != there.dimension:
        return None
    result = (here[1] - there.offset) / there.factor
    return Decimal(result.numerator) / Decimal(result.denominator)


def key(quantity: Quantity) -> tuple[object, ...]:
    """Equal for equal quantities, for sets. Simple units need no UCUM: only quantities of one dimension can meet."""
    reduced = canonical(quantity)
    return reduced if reduced is not None else (singular(quantity.unit), quantity.value)


def multiply(left: Quantity, right: Quantity) -> Quantity:
    """The product, its unit the product of the units."""
    return Quantity(left.value * right.value, _joined(_ucum_code(left), ".", _ucum_code(right)))


def divide(left: Quantity, right: Quantity) -> Quantity | None:
    """The quotient, None for a division by zero."""
    try:
        return Quantity(left.value / right.value, _joined(_ucum_code(left), "/", _ucum_code(right)))
    except (DivisionByZero, InvalidOperation, Overflow):
        return None


_UCUM_OF_CALENDAR = {
    "year": "a", "month": "mo", "week": "wk", "day": "d", "hour": "h", "minute": "min", "second": "s",
    "millisecond": "ms",
}  # fmt: skip


def _ucum_code(quantity: Quantity) -> str:
    return _UCUM_OF_CALENDAR[singular(quantity.unit)] if quantity.calendar else quantity.unit


def _joined(left: str, operator: str, right: str) -> str:
    if right == "1":
        return left
    if left == "1" and operator == ".":
        return right
    if left == right and operator == "/":
        return "1"
    return f"({left}){operator}({right})"


def add(left: Quantity, right: Quantity, sign: int) -> Quantity | None:
    """The sum (``sign`` 1) or difference (-1) in the unit of ``left``; None without a common dimension."""
    other = convert_like(right, left)
    return None if other is None else left._replace(value=left.value + sign * other)


def _scale(quantity: Quantity) -> _Scale | None:
    return _calendar_scale(singular(quantity.unit)) if quantity.calendar else _ucum_scale(quantity.unit)


def _calendar_scale(word: str) -> _Scale | None:
    return _Scale("calendar", Fraction(_MONTHS[word])) if word in _MONTHS else _ucum_scale(_UCUM_OF_CALENDAR[word])


def _ucum_scale(code: str) -> _Scale | None:
    known = None if code.startswith("{") else ucum.canonical(code)
    return None if known is None else _Scale(*known)


def comparable(left: Quantity, right: Quantity) -> bool:
    """Whether the units have a common dimension."""
    return compare(left, right) is not None
