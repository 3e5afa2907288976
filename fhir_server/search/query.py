"""A query string as one value: filters, sort, includes, page size, and what of it was applied.

FHIR R4 Search, search result parameters (https://hl7.org/fhir/R4/search.html#return).
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any
from urllib.parse import quote

from fhir_server.search import parameters
from fhir_server.search.parameters import UnknownParameter, checked_type, parameter, reference_parameter
from resources import search_param
from resources.definitions import RESOURCE_TYPES
from resources.errors import BadSearch, Issue
from resources.literal_reference import local
from resources.repository import SearchRequest
from resources.search_param.terms import All, And, Term
from resources.summary import SUMMARY_CODES

DEFAULT_COUNT, MAX_COUNT = 50, 1000
TOTALS = ("none", "estimate", "accurate")


@dataclass(frozen=True, slots=True)
class SortKey:
    """One key of ``_sort``: the parameter's name and direction."""

    name: str
    descending: bool


@dataclass(frozen=True, slots=True)
class Include:
    """One ``_include`` or ``_revinclude``: from ``source`` by ``param`` (``*``: all) to ``target`` ('': any)."""

    source: str
    param: str
    target: str
    reverse: bool
    iterate: bool


@dataclass(frozen=True, slots=True)
class Query:
    """A parsed search. ``filters`` are (name with modifier, value); ``applied`` what the self link shows, in order."""

    types: tuple[str, ...]
    filters: tuple[tuple[str, str], ...] = ()
    sort: tuple[SortKey, ...] = ()
    includes: tuple[Include, ...] = ()
    count: int = DEFAULT_COUNT
    total: str = "none"
    summary: str = ""
    elements: tuple[str, ...] = ()
    cursor: str = ""
    applied: tuple[tuple[str, str], ...] = ()
    issues: tuple[Issue, ...] = ()

    def link(self) -> str:
        """The applied query as a query string."""
        return "&".join(f"{_quoted(name)}={_quoted(value)}" for name, value in self.applied)

    def term(self, type: str) -> Term:
        """All filters for one of the types."""
        terms = tuple(parameters.term(type, name, value) for name, value in self.filters)
        if not terms:
            return All(type)
        return terms[0] if len(terms) == 1 else And(terms)


def _also_relative(value: str, base: str) -> str:
    """``value`` with the relative form beside each URL of a resource at ``base``: search.html#reference wants both to
    find what refers to it, and the record holds such references relative. Other kinds of values are never both."""
    if not base or f"{base}/" not in value:
        return value
    parts = value.split(",")
    relative = (part.removeprefix(f"{base}/") for part in parts if part.startswith(f"{base}/"))
    return ",".join([*parts, *(text for text in relative if local(text) and "#" not in text)])


def _quoted(text: str) -> str:
    return text.replace("|", "%7C") if _PLAIN.fullmatch(text) else quote(text, safe="/:,$*")


_PLAIN = re.compile(r"[A-Za-z0-9_.:/,$*~|-]*")


def parse(
    request: SearchRequest, default_count: int = DEFAULT_COUNT, max_count: int = MAX_COUNT, base: str = ""
) -> Query:
    """The query of ``request`` to the server at ``base``. Raises BadSearch with all that is wrong at once."""
    return _parse(request.type, request.params, request.lenient, default_count, max_count, base)


@lru_cache(512)
def _parse(type: str, params: tuple[tuple[str, str], ...], lenient: bool, default: int, most: int, base: str) -> Query:
    reading = _Reading(_types(type, params), lenient, most, base, {"count": default})
    errors: list[Issue] = []
    for name, value in params:
        try:
            reading.take(name, value)
        except UnknownParameter as error:
            (reading.ignored if lenient else errors).extend(error.issues)
        except BadSearch as error:
            errors.extend(error.issues)
    if errors:
        raise BadSearch(issues=errors)
    return reading.query()


def _types(type: str, params: tuple[tuple[str, str], ...]) -> tuple[str, ...]:
    if type:
        return (type,)
    named = [t for name, value in params if name == "_type" for t in value.split(",") if t]
    return tuple(dict.fromkeys(checked_type(t, "_type") for t in named)) or tuple(sorted(RESOURCE_TYPES))


@dataclass(slots=True)
class _Reading:
    """What has been read of a query so far."""

    types: tuple[str, ...]
    lenient: bool
    most: int
    base: str
    fields: dict[str, Any]
    filters: list[tuple[str, str]] = field(default_factory=list)
    includes: list[Include] = field(default_factory=list)
    applied: list[tuple[str, str]] = field(default_factory=list)
    ignored: list[Issue] = field(default_factory=list)

    def take(self, name: str, value: str) -> None:
        """Read one parameter; empty ones are ignored, as the specification says."""
        if not value:
            return
        base = name.partition(":")[0]
        handler = RESULT_PARAMETERS.get(base)
        if handler is not None:
            handler(self, name, value)
        else:
            self._filter(name, value)
        if base != "_cursor":
            self.applied.append((name, value))

    def _filter(self, name: str, value: str) -> None:
        value = _also_relative(value, self.base)
        for type in self.types:
            parameters.term(type, name, value)
        self.filters.append((name, value))

    def set(self, **fields: object) -> None:
        self.fields.update(fields)

    def query(self) -> Query:
        count = str(self.fields["count"])
        return Query(
            self.types,
            tuple(self.filters),
            includes=tuple(dict.fromkeys(self.includes)),
            applied=tuple((name, count if name == "_count" else value) for name, value in self.applied),
            issues=tuple(replace(issue, severity="warning") for issue in self.ignored),
            **self.fields,
        )


def _count(reading: _Reading, name: str, value: str) -> None:
    if not value.isascii() or not value.isdigit():
        raise BadSearch(f"_count: expected a whole number of 0 or more, found '{value}'")
    reading.set(count=min(int(value[:9]), reading.most))
    if value.strip("0") == "":
        reading.set(count=0)


def _sort(reading: _Reading, name: str, value: str) -> None:
    keys = [SortKey(part.removeprefix("-"), part.startswith("-")) for part in value.split(",") if part]
    for key in keys:
        for type in reading.types:
            parameter(type, key.name)
            search_param.sort_key(type, key.name)
    reading.set(sort=tuple(keys))


def _code(field: str, codes: tuple[str, ...]) -> "Handler":
    def handler(reading: _Reading, name: str, value: str) -> None:
        if value not in codes:
            raise BadSearch(f"{name}: expected one of {', '.join(codes)}, found '{value}'")
        reading.set(**{field: value})

    return handler


def _elements(reading: _Reading, name: str, value: str) -> None:
    reading.set(elements=tuple(part.strip() for part in value.split(",") if part.strip()))


def _cursor(reading: _Reading, name: str, value: str) -> None:
    reading.set(cursor=value)


def _type(reading: _Reading, name: str, value: str) -> None:
    """Read beforehand, by ``_types``; within one type it may only name that type."""
    if len(reading.types) == 1 and value != reading.types[0]:
        raise BadSearch(f"_type: '{value}' in a search of {reading.types[0]}; leave it out or search at the root")


def _contained(reading: _Reading, name: str, value: str) -> None:
    if value != "false":
        raise BadSearch("_contained: contained resources are not searched by themselves; leave it out or say 'false'")


def _include(reading: _Reading, name: str, value: str) -> None:
    base, _, modifier = name.partition(":")
    if modifier not in ("", "iterate"):
        raise BadSearch(f"{name}: the one modifier of {base} is ':iterate'")
    reverse = base == "_revinclude"
    source, _, rest = value.partition(":")
    param, _, target = rest.partition(":")
    if source == "*" and not rest:
        param = "*"
    elif not param:
        raise BadSearch(f"{name}: expected [type]:[reference parameter], found '{value}'")
    include = Include(source, param, target, reverse, modifier == "iterate")
    _check_include(include, name)
    reading.includes.append(include)


def _check_include(include: Include, name: str) -> None:
    if include.target:
        checked_type(include.target, name)
    if include.source != "*":
        checked_type(include.source, name)
        if include.param != "*":
            reference_parameter(include.source, include.param)


Handler = Callable[[_Reading, str, str], None]

RESULT_PARAMETERS: dict[str, Handler] = {
    "_count": _count,
    "_sort": _sort,
    "_include": _include,
    "_revinclude": _include,
    "_total": _code("total", TOTALS),
    "_summary": _code("summary", SUMMARY_CODES),
    "_elements": _elements,
    "_cursor": _cursor,
    "_type": _type,
    "_contained": _contained,
}
