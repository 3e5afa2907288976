"""Conversion between units of UCUM.

The Unified Code for Units of Measure (https://ucum.org/ucum). Units in common use come from a table that is checked in
(``python -m resources.search_param.ucum_table`` writes it); ucumvert, slow to load, is asked for others only.
"""

import gzip
import re
from fractions import Fraction
from functools import cache, lru_cache
from importlib.resources import files
from typing import Any

import msgspec

SYSTEM = "http://unitsofmeasure.org"
SAME = (Fraction(1), Fraction(0))

Scale = tuple[Fraction, Fraction]
Canonical = tuple[str, Fraction, Fraction]
"""(dimension, factor, offset): canonical value = value * factor + offset."""


def conversion(unit: str, into: str) -> Scale | None:
    """(factor, offset) that turn a number in ``unit`` into one in ``into``; None when they do not compare."""
    if unit == into:
        return SAME
    here, there = canonical(unit), canonical(into)
    if here is None or there is None or here[0] != there[0]:
        return None
    return here[1] / there[1], (here[2] - there[2]) / there[1]


@lru_cache(maxsize=4096)
def canonical(unit: str) -> Canonical | None:
    """The dimension of a unit and how to reach its canonical unit; None for what UCUM does not know."""
    if _ANNOTATED.fullmatch(unit):
        return unit, *SAME
    row = _table().get(unit)
    if row:
        return row[0], Fraction(row[1]), Fraction(row[2])
    return measured(unit)


@cache
def _table() -> dict[str, tuple[str, str, str]]:
    raw = gzip.decompress(files(__package__).joinpath("ucum.json.gz").read_bytes())
    return msgspec.json.decode(raw, type=dict[str, tuple[str, str, str]])


def measured(unit: str) -> Canonical | None:
    """What ``canonical`` is, worked out by ucumvert (1 s on first use)."""
    if not unit or not unit.isascii() or len(unit) > 60 or _STEEP.search(_ANNOTATION.sub("", unit)):
        return None
    kinds = {kind.lower() for kind in _ARBITRARY.findall(unit)}
    bare = _ARBITRARY.sub("U", _ANNOTATION.sub("", unit)) or "1"
    try:
        (dimension, zero), (_, one) = (_base(number, bare) for number in (0, 1))
    except Exception:  # noqa: BLE001  the parser raises its own, lark's and pint's errors for what is no unit
        return None
    return " ".join((dimension, *sorted(kinds))), _rational(one - zero), _rational(zero)


_ANNOTATION = re.compile(r"\{[^{}]*\}")
_ANNOTATED = re.compile(r"(?:\{[^{}]*\})+")
"""Nothing but an annotation, such as {score}: UCUM makes it the number one, but a score is no percentage."""
_STEEP = re.compile(r"[^\d.(/][+-]?\d{3,}")
"""An exponent of three digits: no unit has one, and 10*999999999 would be worked out for hours."""
_ARBITRARY = re.compile(
    r"\[(iU|IU|arb'U|AU|USP'U|GPL'U|MPL'U|APL'U|beth'U|todd'U|dye'U|PFU|FFU|CFU|IR|BAU|CCID_50|TCID_50)\]"
)
"""Arbitrary units compare with multiples of themselves only (m[iU]/L with u[iU]/mL): they are worked out as U, and
named in the dimension."""


def _base(number: int, unit: str) -> tuple[str, float]:
    """(dimension, magnitude in base units) of ``number`` of a unit."""
    quantity = _registry().from_ucum(unit)
    base = _registry().Quantity(number * quantity.magnitude, quantity.units).to_base_units()
    return str(base.units), float(base.magnitude)


def _rational(number: float) -> Fraction:
    """The fraction a float was meant to be: a decimal of few digits, or a ratio such as 5/9."""
    if not number:
        return Fraction(0)
    decimal = Fraction(f"{number:.13g}")
    ratio = Fraction(number).limit_denominator(1000)
    inverse = Fraction(1 / number).limit_denominator(1000)
    for found in (ratio, 1 / inverse if inverse else ratio):
        if found and abs(found - decimal) < abs(decimal) / 10**12:
            return found
    return decimal


@cache
def _registry() -> Any:
    from ucumvert import PintUcumRegistry

    return PintUcumRegistry()
