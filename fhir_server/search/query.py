"""A query string as one value: filters, sort, includes, page size, and what of it was applied.

FHIR R4 Search, search result parameters (https://hl7.org/fhir/R4/search.html#return).
"""

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any
from urllib.parse import quote

from fhir_server.search import filter, parameters
from fhir_server.search.parameters import UnknownParameter, checked_type, parameter, reference_parameter
from resources import search_param
from resources.definitions import RESOURCE_TYPES
from resources.errors import BadSearch, Issue
from resources.literal_reference import local
from resources.repository import SearchRequest
from resources.search_param.registry import Registry, current
from resources.search_param.terms import All, And, Term
from resources.summary import SUMMARY_CODES, check_elements

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
    base: str = ""
    explain: bool = False

    def link(self) -> str:
        """The applied query as a query string."""
        return "&".join(f"{_quoted(name)}={_quoted(value)}" for name, value in self.applied)

    def term(self, type: str) -> Term:
        """All filters for one of the types."""
        found = (compiled(type, name, value, self.base) for name, value in self.filters)
        terms = tuple(part for each in found for part in _conjoined(each))
        if not terms:
            return All(type)
        return terms[0] if len(terms) == 1 else And(terms)

    def asked(self, type: str) -> Iterator[Term]:
        """What the caller must be allowed to ask: each filter, and each test of a ``_filter`` by itself."""
        for name, value in self.filters:
            if name == "_filter":
                yield from filter.tests(type, value, self.base)
            else:
                yield compiled(type, name, value, self.base)


def compiled(type: str, name: str, value: str, base: str = "") -> Term:
    """The term of one parameter. Raises BadSearch, TooCostly."""
    if name.startswith("_filter:"):
        raise BadSearch(f"{name}: _filter takes no modifier")
    return filter.term(type, value, base) if name == "_filter" else parameters.term(type, name, value)


def _conjoined(term: Term) -> Iterable[Term]:
    """The parts of a conjunction: each is asked in its own way."""
    return (part for each in term.terms for part in _conjoined(each)) if isinstance(term, And) else (term,)


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
    return _parse(current(), request.type, request.params, request.lenient, default_count, max_count, base)


@lru_cache(512)
def _parse(
    registry: Registry,
    type: str,
    params: tuple[tuple[str, str], ...],
    lenient: bool,
    default: int,
    most: int,
    base: str,
) -> Query:
    reading = _Reading(_types(type, params), lenient, most, base, {"count": default})
    errors: list[Issue] = []
    for name, value in params:
        try:
            reading.take(name, value)
        except UnknownParameter as error:
            (reading.ignored if lenient else errors).extend(error.issues)
        except BadSearch as error:
            errors.extend(error.issues)
    try:
        reading.agree()
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
            self._check_result_parameter(name, value)
            handler(self, name, value)
        else:
            self._filter(name, value)
        if base != "_cursor":
            self.applied.append((name, value))

    def _filter(self, name: str, value: str) -> None:
        value = _also_relative(value, self.base)
        for type in self.types:
            compiled(type, name, value, self.base)
        self.filters.append((name, value))

    def _check_result_parameter(self, name: str, value: str) -> None:
        base, colon, _ = name.partition(":")
        if colon and base not in INCLUDES:
            raise BadSearch(f"{name}: {base} takes no modifier")
        other = [old for given, old in self.applied if given == name and old != value]
        if other and base not in REPEATED:
            raise BadSearch(f"{name} is given twice, as '{other[0]}' and as '{value}'; one can be applied")

    def set(self, **fields: object) -> None:
        self.fields.update(fields)

    def agree(self) -> None:
        """What is asked for together. Raises BadSearch."""
        if self.includes and self.fields.get("summary") == "text":
            raise BadSearch("_summary=text: it goes with no _include and no _revinclude; leave out one of them")
        if len(self.types) == 1 and not self.includes:  # else a name may be that of an element of another type
            check_elements(self.types[0], self.fields.get("elements", ()))

    def query(self) -> Query:
        count = str(self.fields["count"])
        return Query(
            self.types,
            tuple(self.filters),
            includes=tuple(dict.fromkeys(self.includes)),
            applied=tuple((name, count if name == "_count" else value) for name, value in self.applied),
            base=self.base,
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
        if ":" in key.name or "." in key.name:
            raise BadSearch(f"_sort: '{key.name}': a search parameter of the type is named, no modifier and no chain")
        for type in reading.types:
            if parameter(type, key.name).type in UNSORTED:
                kind = parameter(type, key.name).type
                raise BadSearch(f"_sort: '{key.name}' of {type} is a {kind} parameter, which has no order")
            search_param.sort_key(type, key.name)
    reading.set(sort=tuple(keys))


def _code(field: str, codes: tuple[str, ...]) -> "Handler":
    def handler(reading: _Reading, name: str, value: str) -> None:
        if value not in codes:
            raise BadSearch(f"{name}: expected one of {', '.join(codes)}, found '{value}'")
        reading.set(**{field: value})

    return handler


def _summary(reading: _Reading, name: str, value: str) -> None:
    """``false`` is what is done without it."""
    _code("summary", SUMMARY_CODES)(reading, name, value)
    if value == "false":
        reading.set(summary="")


def _elements(reading: _Reading, name: str, value: str) -> None:
    reading.set(elements=tuple(part.strip() for part in value.split(",") if part.strip()))


def _explain(reading: _Reading, name: str, value: str) -> None:
    if value not in ("true", "false"):
        raise BadSearch(f"_explain: expected true or false, found '{value}'")
    reading.set(explain=value == "true")


def _cursor(reading: _Reading, name: str, value: str) -> None:
    reading.set(cursor=value)


def _type(reading: _Reading, name: str, value: str) -> None:
    """Read beforehand, by ``_types``; within one type it may only name that type."""
    if len(reading.types) == 1 and value != reading.types[0]:
        raise BadSearch(f"_type: '{value}' in a search of {reading.types[0]}; leave it out or search at the root")


def _contained(reading: _Reading, name: str, value: str) -> None:
    if value != "false":
        raise BadSearch(
            f"_contained: expected false, found '{value}': contained resources have no identity outside the resource "
            "that holds them and are not searched by themselves; search for that resource instead"
        )


def _contained_type(reading: _Reading, name: str, value: str) -> None:
    """Says which resource of a match on a contained one is returned; there are no such matches."""
    if value not in ("container", "contained"):
        raise BadSearch(f"_containedType: expected container or contained, found '{value}'")
    if value == "contained":
        raise BadSearch("_containedType: contained resources are not searched by themselves; leave it out")


def _query(reading: _Reading, name: str, value: str) -> None:
    raise BadSearch(
        f"_query: this server has no named query '{value}'; what a named query would ask is said with search "
        "parameters, _filter, or an operation, all of which are in /metadata"
    )


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
    if include.source == "*":
        if include.param != "*":
            raise BadSearch(f"{name}: '{include.param}' needs the type that it is a parameter of; found '*'")
        return
    checked_type(include.source, name)
    if include.param != "*":
        reference_parameter(include.source, include.param)
        allowed = parameters.target_types(include.source, include.param)
        if include.target and include.target not in allowed:
            text = f"{include.source}.{include.param} refers to {', '.join(allowed)}, never to {include.target}"
            raise BadSearch(f"{name}: {text}")


Handler = Callable[[_Reading, str, str], None]
INCLUDES = frozenset({"_include", "_revinclude"})
REPEATED = INCLUDES | {"_type"}
"""Result parameters that may be given several times."""
UNSORTED = frozenset({"composite", "special"})

RESULT_PARAMETERS: dict[str, Handler] = {
    "_count": _count,
    "_sort": _sort,
    "_include": _include,
    "_revinclude": _include,
    "_total": _code("total", TOTALS),
    "_summary": _summary,
    "_elements": _elements,
    "_cursor": _cursor,
    "_explain": _explain,
    "_type": _type,
    "_contained": _contained,
    "_containedType": _contained_type,
    "_query": _query,
}
