"""Numbers: NM, SN, CQ and NR as Quantity, Range, Ratio and integers.

HL7 v2.5.1 sections 2A.50 (NM), 2A.71 (SN), 2A.15 (CQ), 2A.52 (NR).
"""

import re
from decimal import Decimal
from typing import Any

from hl7_bridge.er7 import Value
from hl7_bridge.mapping.datatypes.texts import clean
from hl7_bridge.mapping.datatypes.units import unit
from hl7_bridge.mapping.reading import Reading

Quantity = dict[str, Any]

_NUMBER = re.compile(r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)")
_COMPARED = re.compile(r"(<=|>=|<|>|=<|=>|≤|≥)?\s*([+-]?(?:\d+(?:\.\d*)?|\.\d+))")
_COMPARATORS = {"=<": "<=", "=>": ">=", "≤": "<=", "≥": ">="}
_DIGITS_MAX = 18


def number(text: str) -> Decimal | None:
    """The decimal of a text of HL7's NM, every digit kept; None when it is none (or longer than any measurement)."""
    text = text.strip()
    if not text.isascii() or len(text) > _DIGITS_MAX + 2 or not _NUMBER.fullmatch(text):
        return None
    text = text.lstrip("+")
    return Decimal(text.rstrip(".") if text.endswith(".") else text)


def whole_number(value: Value, reading: Reading) -> int | None:
    """NM as an integer of 32 bits."""
    found = number(value.text())
    if found is None or found != int(found) or abs(found) >= 2**31:
        return None
    return int(found)


def positive(value: Value, reading: Reading) -> int | None:
    """NM as a positiveInt."""
    found = whole_number(value, reading)
    return found if found and found > 0 else None


def quantity(text: str, units: Value, reading: Reading) -> Quantity | None:
    """A Quantity of ``5.0`` or ``<5``; None when ``text`` is no number."""
    amount = number(text)
    if amount is not None:
        return {"value": amount, **unit(units, reading)}
    found = _COMPARED.fullmatch(text.strip())
    amount = number(found[2]) if found else None
    if found is None or amount is None:
        return None
    comparator = _COMPARATORS.get(found[1], found[1])
    return {"value": amount, "comparator": comparator, **unit(units, reading)}


def simple_quantity(value: Value, reading: Reading) -> Quantity | None:
    """CQ as a Quantity without comparator; the unit is a CE whose components are sub-components here."""
    amount = number(value.text(1))
    if amount is None:
        return None
    return {"value": amount, **unit(value.part(2), reading)}


def structured(value: Value, units: Value, reading: Reading) -> tuple[str, Any] | None:
    """SN as (type of value, value): Quantity, Range, Ratio, or string when it says none of these."""
    comparator, low, separator, high = (value.text(n).strip() for n in (1, 2, 3, 4))
    first, second = number(low), number(high)
    said = unit(units, reading)
    if comparator in ("", "=", "<", ">", "<=", ">=") and first is not None:
        compared = {"comparator": comparator} if comparator not in ("", "=") else {}
        if not separator and not high:
            return "Quantity", {"value": first, **compared, **said}
        if separator in (":", "/") and second is not None:
            return "Ratio", {
                "numerator": {"value": first, **compared, **said},
                "denominator": {"value": second, **said},
            }
        if separator == "-" and second is not None and first <= second:
            return "Range", {"low": {"value": first, **said}, "high": {"value": second, **said}}
    text = " ".join(part for part in (comparator, low, separator, high, said.get("unit", "")) if part)
    shown = clean(text)
    return ("string", shown) if shown else None


def numeric_range(value: Value, reading: Reading) -> dict[str, Any] | None:
    """NR as a Range."""
    low, high = number(value.text(1)), number(value.text(2))
    if low is not None and high is not None and low > high:
        return None
    found = {name: {"value": amount} for name, amount in (("low", low), ("high", high)) if amount is not None}
    return found or None
