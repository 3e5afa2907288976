"""_include and _revinclude: what the matches of a page refer to, and what refers to them.

FHIR R4 Search, including other resources (https://hl7.org/fhir/R4/search.html#include). One query per round and
direction; every resource once; only what the caller may see.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from functools import lru_cache

from fhir_server.search.execute import Executor
from fhir_server.search.link import references
from fhir_server.search.parameters import reference_names, target_types
from fhir_server.search.query import Include
from fhir_server.search.resolve import Resolver
from fhir_server.search.restriction import granted, visible
from fhir_server.store import Stored
from fhir_server.store.search_sets import Lists, Set, Span, either
from resources.definitions import RESOURCE_TYPES
from resources.errors import TooCostly
from resources.search_param.parameters import parameters
from resources.search_param.registry import Custom, current
from resources.search_param.terms import All, Key

ROUNDS = 50
"""How often :iterate looks again; a cycle ends by itself, since every resource is taken once."""
LISTS = 100_000
"""Lists of references that one round looks on for what refers to its resources."""
MOST = 10_000
"""Resources that one page may include."""

Name = tuple[str, str]
"""(type, id) of a resource."""


class Including:
    """Collects the includes of one page."""

    def __init__(self, executor: Executor, resolver: Resolver, includes: Sequence[Include]) -> None:
        self.executor, self.resolver, self.includes = executor, resolver, includes
        self.iterated = [include for include in includes if include.iterate]
        self.found: dict[Name, Stored] = {}
        self.seen: set[Name] = set()

    def of(self, matches: Sequence[Stored]) -> list[Stored]:
        """The included resources of a page. Raises TooCostly when they are more than MOST or farther than ROUNDS."""
        self.seen = {(row.type, row.id) for row in matches}
        frontier, includes = list(matches), list(self.includes)
        for _ in range(ROUNDS):
            if not frontier or not includes:
                break
            frontier = self._round(frontier, includes)
            includes = self.iterated
        if frontier and includes:
            raise TooCostly(f"':iterate' leads further than {ROUNDS} steps; include less, or search for the rest apart")
        return list(self.found.values())

    def _round(self, frontier: list[Stored], includes: Sequence[Include]) -> list[Stored]:
        new: list[Stored] = []
        forward = [include for include in includes if not include.reverse]
        if forward:
            new += self._take(self._targets(frontier, forward))
        reverse = [include for include in includes if include.reverse]
        if reverse:
            new += self._take(self._sources(frontier, reverse))
        return new

    def _take(self, rows: Iterable[Stored]) -> list[Stored]:
        unknown = {name: row for row in rows if (name := (row.type, row.id)) not in self.seen}
        fresh = {(row.type, row.id): row for row in self.resolver.view.seen(unknown.values(), "r")}
        self.seen.update(fresh)
        self.found.update(fresh)
        new = list(fresh.values())
        if len(self.found) > MOST:
            raise TooCostly(f"more than {MOST} resources would be included in one page; lower _count or include less")
        return new

    # --- forward ----------------------------------------------------------------------------------------------------

    def _targets(self, frontier: list[Stored], includes: Sequence[Include]) -> list[Stored]:
        ways = {type: _ways(type, includes) for type in {row.type for row in frontier}}
        named = {
            name: None
            for row in frontier
            for texts, only in ways[row.type]
            for name in references(row.type, texts, row.doc)
            if not only or name[0] == only
        }
        caller = self.resolver.caller
        wanted = [name for name in named if name not in self.seen and granted(caller, name[0], "r")]
        found = self.executor.session.read_many(wanted, self.executor.tenant)
        return [row for row in found.values() if not row.deleted]

    # --- reverse ----------------------------------------------------------------------------------------------------

    def _sources(self, frontier: list[Stored], includes: Sequence[Include]) -> list[Stored]:
        """What refers to the frontier, of all types in one statement, unless a restriction has to test rows."""
        hashes = self._lists(frontier, includes)
        tested = [source for source in hashes if not self._is_free(source)]
        free = [h for source, its in hashes.items() if source not in tested for h in its]
        parts: list[Set] = [Lists(tuple(free), 20 * len(free))] if free else []
        found: list[Stored] = []
        for source in tested:
            its = hashes[source]
            near, far = self.resolver.typed(source, All(source), "s", Lists(tuple(its), 20 * len(its)))
            if far:
                found += self.executor.rows(source, near, far, MOST)
            else:
                parts.append(near)
        return found + self._read(either(*parts), hashes) if parts else found

    def _lists(self, frontier: list[Stored], includes: Sequence[Include]) -> dict[str, dict[int, None]]:
        """By type the lists of what refers to the frontier."""
        fresh, tenant = self.resolver.store.hasher.fresh, self.resolver.tenant
        found: dict[str, dict[int, None]] = defaultdict(dict)
        left = LISTS
        for include in includes:
            rows = [row for row in frontier if include.target in ("", row.type)]
            for source in self._open(include.source):
                keys = _keys(source, include.param, rows)
                left -= len(keys)
                if left < 0:
                    raise TooCostly(f"{LISTS} lists would be looked on for what to include; lower _count or name types")
                found[source].update(dict.fromkeys(fresh(tenant, key) for key in keys))
        return {source: its for source, its in found.items() if its}

    def _open(self, source: str) -> list[str]:
        """Who may read but not search cannot have them found; `_take` asks for reading."""
        sources = [source] if source != "*" else sorted(RESOURCE_TYPES)
        caller = self.resolver.caller
        return [type for type in sources if granted(caller, type, "s") and granted(caller, type, "r")]

    def _is_free(self, source: str) -> bool:
        everything = All(source)
        return visible(self.resolver.caller, source, everything) is everything

    def _read(self, near: Set, types: Collection[str]) -> list[Stored]:
        found = self.executor.first(self.executor.measured(near, None), (), Span(), MOST + 1)
        if len(found) > MOST:
            raise TooCostly(f"more than {MOST} resources would be included in one page; lower _count or include less")
        return [row for row in found if row.type in types]


def _keys(source: str, param: str, rows: Sequence[Stored]) -> list[Key]:
    """The lists of what refers to ``rows`` by a reference parameter of ``source``."""
    names = reference_names(source) if param == "*" else (param,)
    keys = (
        Key(source, branch, "ref", f"{row.type}/{row.id}")
        for name in names
        if name in parameters(source)
        for branch, kind in _branches(source, name)
        for row in rows
        if row.type in ((kind,) if kind else target_types(source, name))
    )
    return list(dict.fromkeys(keys))


def _ways(type: str, includes: Sequence[Include]) -> list[tuple[tuple[str, ...], str]]:
    """The branches that ``includes`` follow from resources of ``type``, with the target type they take ('': any)."""
    return [
        (texts, kind or include.target)
        for include in includes
        if include.source in ("*", type) and (include.param == "*" or include.param in parameters(type))
        for texts, kind in _by_target(type, include.param)
        if not (kind and include.target) or kind == include.target
    ]


def _branches(type: str, param: str) -> tuple[tuple[str, str], ...]:
    """(branch, target type or '') of a reference parameter, of all of them for ``*``."""
    return _read(current().of(type), type, param)


@lru_cache(4096)
def _read(customs: tuple[Custom, ...], type: str, param: str) -> tuple[tuple[str, str], ...]:
    names = reference_names(type) if param == "*" else (param,)
    return tuple(dict.fromkeys((b.text, b.target) for name in names for b in parameters(type)[name].branches))


def _by_target(type: str, param: str) -> tuple[tuple[tuple[str, ...], str], ...]:
    """The branches of a reference parameter by the target type they are read for ('': any)."""
    return _grouped(_branches(type, param), param)


@lru_cache(4096)
def _grouped(branches: tuple[tuple[str, str], ...], param: str) -> tuple[tuple[tuple[str, ...], str], ...]:
    by_target: dict[str, list[str]] = defaultdict(list)
    for text, target in branches:
        by_target[target].append(text)
    if param == "*":  # what a typed branch (patient) finds, the untyped one (subject) finds too
        by_target = {"": sorted({text for texts in by_target.values() for text in texts})}
    return tuple((tuple(texts), target) for target, texts in by_target.items())
