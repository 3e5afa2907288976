"""Number parameters: decimals, integers and ranges of decimals.

FHIR R4 Search, number (https://hl7.org/fhir/R4/search.html#number): equality counts the digits given, comparison the
exact value.
"""

from collections.abc import Mapping
from decimal import Decimal
from fractions import Fraction
from types import MappingProxyType
from typing import Any

from resources.search_param.bounds import Asked, Bounds, bounds, split_prefix
from resources.search_param.escapes import plain
from resources.search_param.magnitude import LEAST, MOST, ordered, parsed
from resources.search_param.parameter import Kind, Parameter
from resources.search_param.sink import Factory, Indexer, Sink
from resources.search_param.terms import Key, Or, Range, RangeEntry, Term

FORM = "number"


def _number(type: str, branch: str) -> Indexer:
    key = Key(type, branch, FORM, "")

    def index(value: int | Decimal, out: Sink) -> None:
        place = ordered(value)
        out.ranges.append(RangeEntry(key, place, place + 1))

    return index


def _range(type: str, branch: str) -> Indexer:
    key = Key(type, branch, FORM, "")

    def index(value: Mapping[str, Any], out: Sink) -> None:
        low, high = value.get("low", {}).get("value"), value.get("high", {}).get("value")
        if low is not None or high is not None:
            hi = MOST if high is None else ordered(high) + 1
            out.ranges.append(RangeEntry(key, LEAST if low is None else ordered(low), hi))

    return index


LEAVES: Mapping[str, Factory] = MappingProxyType(
    {"decimal": _number, "integer": _number, "positiveInt": _number, "unsignedInt": _number, "Range": _range}
)


def term(parameter: Parameter, modifier: str, value: str) -> Term:
    """Resources whose number stands to ``value`` as its prefix says."""
    wanted = conditions(parameter, plain(value))
    keys = [Key(parameter.type, branch.text, FORM, "") for branch in parameter.branches]
    return Or(tuple(Range(key, *found) for key in keys for found in wanted))


def conditions(parameter: Parameter, value: str) -> tuple[Bounds, ...]:
    """The conditions on intervals that a number with a prefix stands for."""
    prefix, text = split_prefix(value)
    try:
        number, half = parsed(text)
    except ValueError:
        parameter.refuse(value, "a number such as 5.4 or 1e-3, after a prefix such as gt")
    return bounds(prefix, asked(number, half))


def asked(number: Fraction, half: Fraction) -> Asked:
    """A number as a searched value; approximately is within a tenth of it."""
    near = max(abs(number) / 10, half)
    place = ordered(number)
    return Asked(
        ordered(number - half),
        ordered(number + half),
        place,
        place + 1,
        ordered(number - near),
        ordered(number + near) + 1,
    )


KIND = Kind(LEAVES, frozenset(), term)
