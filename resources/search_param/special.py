"""Parameters that the resource row answers: its id and the time of its last change.

FHIR R4 Search, parameters for all resources (https://hl7.org/fhir/R4/search.html#all).
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType

from resources.literal_reference import is_id
from resources.search_param import date
from resources.search_param.bounds import Bounds
from resources.search_param.escapes import plain
from resources.search_param.parameter import Parameter
from resources.search_param.terms import And, Column, Or, Term


def _id(parameter: Parameter, value: str) -> Term:
    text = plain(value)
    if not is_id(text):
        parameter.refuse(value, "an id: 1 to 64 letters, digits, '-' or '.'")
    return Column("id", "eq", text)


def _last_updated(parameter: Parameter, value: str) -> Term:
    return Or(tuple(_window(found) for found in date.conditions(parameter, value)))


def _window(found: Bounds) -> Term:
    """The instant of the last change, an interval of one microsecond, within the bounds."""
    lo, hi = max(found.lo_from, found.hi_from - 1), min(found.lo_to, found.hi_to - 1)
    return And((Column("updated", "ge", lo), Column("updated", "lt", hi)))


SPECIAL: Mapping[str, Callable[[Parameter, str], Term]] = MappingProxyType({"_id": _id, "_lastUpdated": _last_updated})
