"""Quantity parameters: quantities, ages, money, ranges and sampled data, in whatever unit they are asked for.

FHIR R4 Search, quantity (https://hl7.org/fhir/R4/search.html#quantity). A quantity is indexed as written; its unit is
part of the key, and the query is converted to each unit that the dictionary has met. So writing needs no UCUM, and a
search without a unit compares the numbers as written.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from fractions import Fraction
from functools import lru_cache
from types import MappingProxyType
from typing import Any

from resources.search_param import ucum
from resources.search_param.bounds import Bounds, bounds, split_prefix
from resources.search_param.escapes import plain, split
from resources.search_param.magnitude import LEAST, MOST, ordered, parsed
from resources.search_param.number import asked
from resources.search_param.parameter import Kind, Parameter
from resources.search_param.sink import Factory, Indexer, Sink
from resources.search_param.terms import DictionaryEntry, Family, Key, Or, Range, RangeEntry, Term

FORM = "quantity"
UNIT = "\x1f"
"""Stands between code and unit in the value of a key."""

CURRENCY = "urn:iso:std:iso:4217"

Measure = tuple[str, int, int]
"""(unit as system|code|text, lo, hi)."""


# --- Index --------------------------------------------------------------------------------------------------------


def _unit(value: Mapping[str, Any]) -> str:
    return f"{value.get('system', '')}|{value.get('code', '')}|{value.get('unit', '')}"


def _quantity(value: Mapping[str, Any]) -> tuple[Measure, ...]:
    number = value.get("value")
    if number is None:
        return ()
    lo, hi = _COMPARED[value.get("comparator", "")](ordered(number))
    return ((_unit(value), lo, hi),)


_COMPARED: Mapping[str, Callable[[int], tuple[int, int]]] = MappingProxyType(
    {
        "": lambda place: (place, place + 1),
        "<": lambda place: (LEAST, place),
        "<=": lambda place: (LEAST, place + 1),
        ">": lambda place: (place + 1, MOST),
        ">=": lambda place: (place, MOST),
    }
)


def _money(value: Mapping[str, Any]) -> tuple[Measure, ...]:
    if "value" not in value:
        return ()
    place, currency = ordered(value["value"]), value.get("currency", "")
    return ((f"{CURRENCY}|{currency}|{currency}", place, place + 1),)


def _range(value: Mapping[str, Any]) -> tuple[Measure, ...]:
    low, high = value.get("low", {}), value.get("high", {})
    if "value" not in low and "value" not in high:
        return ()
    lo = ordered(low["value"]) if "value" in low else LEAST
    return ((_unit(low or high), lo, ordered(high["value"]) + 1 if "value" in high else MOST),)


def _sampled(value: Mapping[str, Any]) -> tuple[Measure, ...]:
    """The span of the samples: origin + factor * sample."""
    try:
        samples = [Decimal(word) for word in value.get("data", "").split() if word not in ("E", "U", "L")]
    except InvalidOperation:
        return ()
    origin = value.get("origin", {})
    if not samples or "value" not in origin:
        return ()
    numbers = [Decimal(origin["value"]) + Decimal(value.get("factor", 1)) * s for s in (min(samples), max(samples))]
    return ((_unit(origin), ordered(min(numbers)), ordered(max(numbers)) + 1),)


MEASURES: Mapping[str, Callable[[Mapping[str, Any]], tuple[Measure, ...]]] = MappingProxyType(
    {
        "Quantity": _quantity, "Age": _quantity, "Duration": _quantity, "Count": _quantity, "Distance": _quantity,
        "Money": _money, "Range": _range, "SampledData": _sampled,
    }
)  # fmt: skip


@lru_cache(maxsize=4096)
def measured(type: str, branch: str, system: str, code: str, unit: str) -> DictionaryEntry:
    """The dictionary entry of quantities in ``unit`` that measure ``system|code`` (both '' where nothing says)."""
    return DictionaryEntry(Key(type, branch, FORM, f"{system}|{code}{UNIT}{unit}"), system, code, unit, "")


def _indexer(fhir_type: str) -> Factory:
    measures = MEASURES[fhir_type]

    def factory(type: str, branch: str) -> Indexer:
        def index(value: Mapping[str, Any], out: Sink) -> None:
            for unit, lo, hi in measures(value):
                entry = measured(type, branch, "", "", unit)
                out.ranges.append(RangeEntry(entry.key, lo, hi))
                out.dictionary.append(entry)

        return index

    return factory


LEAVES: Mapping[str, Factory] = MappingProxyType({fhir_type: _indexer(fhir_type) for fhir_type in MEASURES})


# --- Query --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Wanted:
    """A number with its prefix in a unit; ``system`` and ``unit`` are '' when not given."""

    prefix: str
    number: Fraction
    half: Fraction
    system: str
    unit: str

    def terms(self, family: Family, row: tuple[str, str, str]) -> Iterable[Term]:
        """The ranges under the key of one dictionary row, in its unit."""
        system, code, unit = row
        key = measured(family.type, family.branch, system, code, unit).key
        return [Range(key, *found) for found in self.conditions(unit)]

    def conditions(self, stored: str) -> tuple[Bounds, ...]:
        """The conditions on numbers written in the unit ``stored``; none when the units do not compare."""
        scale = self._scale(*stored.split("|", 2))
        if scale is None:
            return ()
        return _scaled(self.prefix, self.number, self.half, *scale)

    def _scale(self, system: str, code: str, text: str) -> tuple[Fraction, Fraction] | None:
        if not self.unit and self.system in ("", system):
            return ucum.SAME
        if self.system in ("", system) and self.unit in (code, text if not self.system else code):
            return ucum.SAME
        if system == ucum.SYSTEM and self.system in ("", ucum.SYSTEM):
            return ucum.conversion(self.unit, code)
        return None


@lru_cache(maxsize=4096)
def _scaled(prefix: str, number: Fraction, half: Fraction, factor: Fraction, offset: Fraction) -> tuple[Bounds, ...]:
    """The conditions on numbers that are ``factor`` times the searched one, and ``offset`` more: many codes have the
    same unit."""
    return bounds(prefix, asked(number * factor + offset, abs(half * factor)))


def term(parameter: Parameter, modifier: str, value: str) -> Term:
    """Resources whose quantity stands to ``[prefix]number|system|unit`` (or ``number``, ``number||unit``)."""
    asked_for = wanted(parameter, value)
    return Or(tuple(Family(parameter.type, branch.text, FORM, asked_for) for branch in parameter.branches))


def wanted(parameter: Parameter, value: str) -> Wanted:
    """The parsed value of a quantity parameter."""
    parts = [plain(part) for part in split(value, "|")]
    prefix, text = split_prefix(parts[0])
    try:
        number, half = parsed(text)
    except ValueError:
        number = None
    if number is None or len(parts) > 3 or (len(parts) == 2 and parts[1]):
        parameter.refuse(
            value, "a quantity such as 5.4, 5.4||mg or 5.4|http://unitsofmeasure.org|mg, after a prefix such as gt"
        )
    system, unit = (*parts[1:], "", "")[:2]
    return Wanted(prefix, number, half, system, unit)


KIND = Kind(LEAVES, frozenset(), term)
