"""The nine prefixes of ordered search values as conditions on stored intervals.

FHIR R4 Search, prefixes (https://hl7.org/fhir/R4/search.html#prefix). A stored value and the searched value are both
closed-open intervals of integers; a condition says where the stored lo and hi lie.
"""

import re
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import NamedTuple

LEAST = -(2**62)
MOST = 2**62 + 1
"""One above the open end, so that an open interval fits a condition without an upper bound."""

_PREFIXED = re.compile(r"(eq|ne|lt|le|gt|ge|sa|eb|ap)(?=[\d+\-.])")


class Bounds(NamedTuple):
    """Intervals whose lo is in [lo_from, lo_to) and hi in [hi_from, hi_to)."""

    lo_from: int = LEAST
    lo_to: int = MOST
    hi_from: int = LEAST
    hi_to: int = MOST


class Asked(NamedTuple):
    """A searched value: [lo, hi) is its implicit range; below ``first`` lies what is less, from ``last`` on what is
    greater (for a date these are lo and hi, for a number the exact value); [near_lo, near_hi) is approximately it."""

    lo: int
    hi: int
    first: int
    last: int
    near_lo: int
    near_hi: int


def split_prefix(text: str) -> tuple[str, str]:
    """(prefix, rest); the prefix is eq when there is none."""
    fits = _PREFIXED.match(text)
    return (fits[1], text[2:]) if fits else ("eq", text)


def _eq(a: Asked) -> tuple[Bounds, ...]:
    return (Bounds(lo_from=a.lo, lo_to=a.hi, hi_to=a.hi + 1),)


def _ne(a: Asked) -> tuple[Bounds, ...]:
    return (Bounds(lo_to=a.lo), Bounds(lo_from=a.lo, hi_from=a.hi + 1))


def _lt(a: Asked) -> tuple[Bounds, ...]:
    return (Bounds(lo_to=a.first),)


def _gt(a: Asked) -> tuple[Bounds, ...]:
    return (Bounds(hi_from=a.last + 1),)


def _le(a: Asked) -> tuple[Bounds, ...]:
    return (Bounds(lo_to=a.first), Bounds(lo_from=a.first, lo_to=a.last, hi_to=a.last + 1))


def _ge(a: Asked) -> tuple[Bounds, ...]:
    return (Bounds(hi_from=a.last + 1), Bounds(lo_from=a.first, lo_to=a.last, hi_to=a.last + 1))


def _sa(a: Asked) -> tuple[Bounds, ...]:
    return (Bounds(lo_from=a.last),)


def _eb(a: Asked) -> tuple[Bounds, ...]:
    return (Bounds(hi_to=a.first + 1),)


def _ap(a: Asked) -> tuple[Bounds, ...]:
    return (Bounds(lo_to=a.near_hi, hi_from=a.near_lo + 1),)


_CONDITIONS: Mapping[str, Callable[[Asked], tuple[Bounds, ...]]] = MappingProxyType(
    {"eq": _eq, "ne": _ne, "lt": _lt, "gt": _gt, "le": _le, "ge": _ge, "sa": _sa, "eb": _eb, "ap": _ap}
)


def bounds(prefix: str, asked: Asked) -> tuple[Bounds, ...]:
    """Conditions, any of which a stored interval must meet; each interval meets at most one."""
    return _CONDITIONS[prefix](asked)
