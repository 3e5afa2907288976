"""What a parameter sorts by.

FHIR R4 Search, sorting (https://hl7.org/fhir/R4/search.html#sort): ascending by the least value of a resource,
descending by the greatest.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from resources.search_param import date, number, string
from resources.search_param.clinical import clinical
from resources.search_param.compile import find
from resources.search_param.extract import reader_of
from resources.search_param.normal_form import AS_WRITTEN
from resources.search_param.sink import Sink
from resources.search_param.terms import Key


@dataclass(frozen=True, slots=True)
class SortKey:
    """How resources are ordered by a parameter.

    ``by`` is ``order`` (the order key: the clinical date), ``updated`` or ``id`` (the resource row), ``string`` or
    ``range`` (the entries under ``keys``: their norm or lo, hi), or ``value`` (``sort_values`` of the documents).
    """

    by: str
    keys: tuple[Key, ...] = ()


_ROW: Mapping[str, str] = MappingProxyType({"_id": "id", "_lastUpdated": "updated"})
_INDEXED: Mapping[str, tuple[str, str]] = MappingProxyType(
    {"string": ("string", string.FORM), "date": ("range", date.FORM), "number": ("range", number.FORM)}
)


def sort_key(type: str, name: str) -> SortKey:
    """What ``_sort=name`` orders by. Raises BadSearch for an unknown parameter."""
    if name in _ROW:
        return SortKey(_ROW[name])
    parameter = find(type, name)
    if name == clinical(type):
        return SortKey("order")
    by, form = _INDEXED.get(parameter.kind, ("value", ""))
    return SortKey(by, tuple(Key(type, branch.text, form, "") for branch in parameter.branches) if form else ())


SortValue = int | str


def sort_values(resource: Mapping[str, Any], name: str) -> tuple[SortValue, ...]:
    """The values of a resource that a parameter sorts by, least first; empty: the resource has none and comes last.

    Dates are microseconds, numbers and quantities ordered integers (quantities as written), strings, tokens and
    references text.
    """
    parameter = find(resource["resourceType"], name)
    out = Sink()
    reader_of(parameter.type, parameter.code)(resource, out)
    dates = [dated.entry for dated in out.dates]
    found: set[int] | set[str] = {entry.lo for entry in (*out.ranges, *dates)}
    if parameter.kind in ("string", "token", "reference", "uri"):
        found = {entry.norm.partition(AS_WRITTEN)[0] for entry in out.strings if entry.key.form == string.FORM}
        found |= {key.value for key in out.posts}
    return tuple(sorted(found))
