"""The filters of ValueSet.compose: which codes of a code system have a property.

FHIR R4 filter-operator (https://hl7.org/fhir/R4/valueset-filter-operator.html). A regular expression is somebody
else's program: its length, and the time all its matches take together, are bounded.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from time import monotonic
from types import MappingProxyType
from typing import Any

import regex

from resources.errors import Invalid, TooCostly
from resources.terminology.code_system import CodeSystem, Concept

LONGEST_PATTERN = 500
SECONDS = 2.0
"""For all matches of one expression together."""

Codes = Iterable[str]
_CODE = frozenset({"code", "concept"})


def filtered(system: CodeSystem, held: Mapping[str, Any]) -> set[str]:
    """The codes of ``system`` that fit one ``compose.include.filter``. Raises Invalid, TooCostly."""
    property, op, value = (str(held.get(name, "")) for name in ("property", "op", "value"))
    if op not in FILTERS:
        raise Invalid(f"The filter operator {op[:40]!r} is unknown; known are {', '.join(FILTERS)}.")
    if op not in _ON_HIERARCHY and property not in _CODE | {"display", "parent", "child"} | system.property_names():
        raise Invalid(
            f"The filter asks for the property {property[:60]!r}, which the CodeSystem {system.url} does not have."
        )
    return set(FILTERS[op](system, property, value))


def _is_a(system: CodeSystem, property: str, value: str) -> Codes:
    return (_root(system, value), *system.descendants(_root(system, value)))


def _descendent_of(system: CodeSystem, property: str, value: str) -> Codes:
    return system.descendants(_root(system, value))


def _is_not_a(system: CodeSystem, property: str, value: str) -> Codes:
    return system.concepts.keys() - _is_a(system, property, value)


def _generalizes(system: CodeSystem, property: str, value: str) -> Codes:
    return (_root(system, value), *system.ancestors(_root(system, value)))


def _root(system: CodeSystem, code: str) -> str:
    found = system.find(code)
    if found is None:
        raise Invalid(f"The filter names {code[:60]!r}, which is no code of the CodeSystem {system.url}.")
    return found.code


def _equal(system: CodeSystem, property: str, value: str) -> Codes:
    return _holding(system, property, lambda text: text == value)


def _in(system: CodeSystem, property: str, value: str) -> Codes:
    wanted = frozenset(part.strip() for part in value.split(","))
    return _holding(system, property, wanted.__contains__)


def _not_in(system: CodeSystem, property: str, value: str) -> Codes:
    return system.concepts.keys() - set(_in(system, property, value))


def _exists(system: CodeSystem, property: str, value: str) -> Codes:
    if value not in ("true", "false"):
        raise Invalid(f"The filter 'exists' takes true or false, not {value[:40]!r}.")
    having = set(_holding(system, property, lambda text: text != ""))
    return having if value == "true" else system.concepts.keys() - having


def _regex(system: CodeSystem, property: str, value: str) -> Codes:
    if len(value) > LONGEST_PATTERN:
        raise TooCostly(f"A regular expression of a filter has at most {LONGEST_PATTERN} characters.")
    try:
        pattern = regex.compile(value)
    except (regex.error, RecursionError, OverflowError, MemoryError) as error:
        raise Invalid(f"The filter has a regular expression that cannot be read: {value[:60]!r}.") from error
    end = monotonic() + SECONDS

    def matches(text: str) -> bool:
        try:
            return pattern.fullmatch(text, timeout=max(end - monotonic(), 0.001)) is not None
        except TimeoutError as error:
            raise TooCostly(f"The regular expression {value[:60]!r} takes too long; write a simpler one.") from error

    return _holding(system, property, matches)


def _holding(system: CodeSystem, property: str, test: Callable[[str], bool]) -> Iterator[str]:
    for concept in system.concepts.values():
        if any(test(text) for text in _texts(system, concept, property)):
            yield concept.code


def _texts(system: CodeSystem, concept: Concept, property: str) -> Iterable[str]:
    if property in _CODE:
        return (concept.code,)
    if property == "display":
        return (concept.display,)
    if property in ("parent", "child"):
        return (system.parents if property == "parent" else system.children)(concept.code)
    return [str(v).lower() if isinstance(v, bool) else str(v) for v in concept.values(property)]


FILTERS: Mapping[str, Callable[[CodeSystem, str, str], Codes]] = MappingProxyType(
    {
        "=": _equal,
        "is-a": _is_a,
        "descendent-of": _descendent_of,
        "is-not-a": _is_not_a,
        "regex": _regex,
        "in": _in,
        "not-in": _not_in,
        "generalizes": _generalizes,
        "exists": _exists,
    }
)
_ON_HIERARCHY = frozenset({"is-a", "descendent-of", "is-not-a", "generalizes"})
