"""What a parameter sorts by.

FHIR R4 Search, sorting (https://hl7.org/fhir/R4/search.html#sort): ascending by the least value of a resource,
descending by the greatest.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from resources.search_param import date, number, quantity, reference, string, token, uri
from resources.search_param.clinical import clinical
from resources.search_param.compile import find
from resources.search_param.expression import Branch
from resources.search_param.extract import reader_of
from resources.search_param.normal_form import AS_WRITTEN
from resources.search_param.parameter import Parameter
from resources.search_param.sink import Sink
from resources.search_param.terms import Key


@dataclass(frozen=True, slots=True)
class SortKey:
    """How resources are ordered by a parameter.

    ``by`` is ``order`` (the order key: the clinical date), ``updated`` or ``id`` (the resource row), ``string`` or
    ``range`` (the entries under ``keys``: their norm or lo, hi), ``units`` (the same under all keys of their branches
    and form), ``list`` (the values of ``keys``, by the lists a resource is on), or ``value`` (``sort_values`` of the
    documents).
    """

    by: str
    keys: tuple[Key, ...] = ()


_ROW: Mapping[str, str] = MappingProxyType({"_id": "id", "_lastUpdated": "updated"})
_INDEXED: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "string": ("string", string.FORM),
        "date": ("range", date.FORM),
        "number": ("range", number.FORM),
        "quantity": ("units", quantity.FORM),
    }
)


def sort_key(type: str, name: str) -> SortKey:
    """What ``_sort=name`` orders by. Raises BadSearch for an unknown parameter."""
    if name in _ROW:
        return SortKey(_ROW[name])
    parameter = find(type, name)
    if name == clinical(type):
        return SortKey("order")
    if parameter.kind == "token" and (lists := _lists(parameter)):
        return SortKey("list", lists)
    by, form = _INDEXED.get(parameter.kind, ("value", ""))
    return SortKey(by, tuple(Key(type, branch.text, form, "") for branch in parameter.branches) if form else ())


def _lists(parameter: Parameter) -> tuple[Key, ...]:
    """The lists of all values there can be, where they are few: of flags and of codes that a value set binds."""
    keys: set[Key] = set()
    for branch in parameter.branches:
        words = _words(branch)
        if not words:
            return ()
        keys |= {token.plain_key(parameter.type, branch.text, word) for word in words}
    return tuple(sorted(keys, key=lambda key: key.value)) if len(keys) <= MOST_LISTS else ()


def _words(branch: Branch) -> frozenset[str]:
    kinds = {leaf.type for leaf in branch.leaves}
    if branch.truth or kinds - {"boolean", "code"}:
        return frozenset()
    if kinds == {"boolean"}:
        return frozenset({"true", "false"})
    return frozenset(word for words in token.systems(branch).values() for word in words)


MOST_LISTS = 40
"""Values of a parameter whose lists are looked on for each resource."""
SortValue = int | str
_READ = frozenset({token.CODED, token.PLAIN, token.VALUE, reference.LOCAL, reference.URL, uri.FORM})
"""Forms of keys that hold a value as it is read: an identifier without its system."""


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
        found |= {key.value for key in out.posts if key.form in _READ and _is_of(parameter, key)}
    if any(branch.truth for branch in parameter.branches):
        found = {"true" if out.posts else "false"}
    return tuple(sorted(found))


def _is_of(parameter: Parameter, key: Key) -> bool:
    """Whether a value belongs to the parameter: branches that are narrowed to a type share one list with all types."""
    if parameter.kind != "reference" or not all(branch.target for branch in parameter.branches):
        return True
    type = key.value.rpartition("/")[0].rpartition("/")[2]
    return type in reference.targets(parameter)
