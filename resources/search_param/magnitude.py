"""Numbers as 63-bit integers that keep their order, and the range that the digits of a number imply.

FHIR R4 Search, number (https://hl7.org/fhir/R4/search.html#number). The integer is that of an IEEE double without its
last bit: 15 significant digits, any exponent, one index for all units and scales.
"""

import re
import struct
from decimal import Decimal
from fractions import Fraction

LEAST = -(2**62)
MOST = 2**62

_NUMBER = re.compile(r"[+-]?\d{1,40}(?:\.(\d{1,40}))?(?:[eE]([+-]?\d{1,3}))?", re.ASCII)
_PACK = struct.Struct("<d")
_UNPACK = struct.Struct("<q")

Number = int | float | Decimal | Fraction


def ordered(value: Number) -> int:
    """An integer in (-2^62, 2^62) that is smaller, equal or greater as the value is."""
    try:
        bits: int = _UNPACK.unpack(_PACK.pack(value))[0]
    except (OverflowError, struct.error):  # an integer beyond the range of a double
        return MOST - 1 if value > 0 else LEAST + 1
    return bits >> 1 if bits >= 0 else -((bits & 0x7FFF_FFFF_FFFF_FFFF) >> 1)


def parsed(text: str) -> tuple[Fraction, Fraction]:
    """(value, half of its last digit's unit) of a number as written: 100 is (100, 0.5), 5.40e-3 (0.0054, 0.000005).

    A power of ten without a fraction counts as the specification's example does: 1e2 is 95 to 105.
    Raises ValueError when it is no number.
    """
    fits = _NUMBER.fullmatch(text)
    if fits is None:
        raise ValueError(text)
    digits, exponent = len(fits[1] or ""), int(fits[2] or 0)
    if fits[2] and not fits[1]:
        digits = 1
    return Fraction(text), Fraction(10) ** (exponent - digits) / 2
