"""Numbers and quantities: implicit precision, and units that can be converted into each other.

FHIR R4 Search, number and quantity (https://hl7.org/fhir/R4/search.html#number, #quantity).
"""

from decimal import Decimal
from typing import Any

from bench.search_oracle.moments import EVER, Range

UCUM = "http://unitsofmeasure.org"
# Of the units in the data those that are multiples of one another.
_BASES: dict[str, tuple[str, Decimal]] = {
    unit: (base, Decimal(times))
    for base, units in {
        "g": {"kg": "1000", "[lb_av]": "453.59237", "g": "1", "mg": "0.001", "ug": "1e-6", "ng": "1e-9"},
        "L": {"L": "1", "dL": "0.1", "mL": "0.001"},
        "m": {"m": "1", "cm": "0.01", "mm": "0.001"},
        "s": {"s": "1", "min": "60", "h": "3600", "d": "86400"},
    }.items()
    for unit, times in units.items()
}
CONVERTED = frozenset(_BASES)


def implied(text: str) -> Range:
    """100 is from 99.5 up to 100.5, 100.00 from 99.995 to 100.005, 1e2 from 95 to 105."""
    number = Decimal(text)
    half = Decimal(5).scaleb(int(number.as_tuple().exponent) - 1)
    return number - half, number + half  # type: ignore[return-value]


def fits(prefix: str, target: Any, text: str) -> bool:
    """Whether a number, or a range of numbers (low, high), meets what was asked. With all but eq, ne and ap the number
    asked for is exact."""
    low, high = target if isinstance(target, tuple) else (target, target)
    asked, (lo, hi) = Decimal(text), implied(text)
    contained = lo <= low and (high < hi or (high == hi and low != high))
    match prefix:
        case "eq":
            return contained
        case "ne":
            return not contained
        case "gt" | "sa":
            return low > asked if prefix == "sa" else high > asked
        case "lt" | "eb":
            return high < asked if prefix == "eb" else low < asked
        case "ge":
            return high >= asked
        case "le":
            return low <= asked
        case _:
            span = max(abs(asked) / 10, hi - asked)
            return low <= asked + span and high >= asked - span


def quantities(type: str, value: Any) -> list[tuple[Any, dict[str, Any]]]:
    """(number or range, what names its unit) of one value of a quantity parameter."""
    if type == "Range":
        low, high = value.get("low", {}), value.get("high", {})
        span = (Decimal(str(low.get("value", -EVER))), Decimal(str(high.get("value", EVER))))
        return [(span, low or high)]
    if type == "Money":
        return (
            [(value["value"], {"system": "urn:iso:std:iso:4217", "code": value.get("currency", "")})]
            if "value" in value
            else []
        )
    return [(value["value"], value)] if isinstance(value, dict) and "value" in value else []


def scaled(number: Any, unit: dict[str, Any], code: str) -> Any:
    """``number`` in the unit ``code`` of UCUM; None when it cannot be."""
    here = unit.get("code", "")
    if unit.get("system") != UCUM:
        return None
    if here == code:
        return number
    if here not in _BASES or code not in _BASES or _BASES[here][0] != _BASES[code][0]:
        return None
    factor = _BASES[here][1] / _BASES[code][1]
    return tuple(part * factor for part in number) if isinstance(number, tuple) else number * factor
