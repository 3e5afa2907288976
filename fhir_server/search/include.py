"""_include and _revinclude: what the matches of a page refer to, and what refers to them.

FHIR R4 Search, including other resources (https://hl7.org/fhir/R4/search.html#include). One query per round and
direction; every resource once; only what the caller may see.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from functools import lru_cache

from fhir_server.search.execute import Executor
from fhir_server.search.link import references
from fhir_server.search.parameters import reference_names
from fhir_server.search.query import Include
from fhir_server.search.resolve import Resolver
from fhir_server.search.restriction import granted, visible
from fhir_server.store import Stored
from fhir_server.store.search_sets import Lists
from resources.definitions import RESOURCE_TYPES
from resources.errors import TooCostly
from resources.search_param.parameters import parameters
from resources.search_param.terms import All, Key

ROUNDS = 10
"""How often :iterate looks again; a cycle ends by itself, since every resource is taken once."""
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
        """The included resources of a page. Raises TooCostly when they are more than MOST."""
        self.seen = {(row.type, row.id) for row in matches}
        frontier, includes = list(matches), list(self.includes)
        for _ in range(ROUNDS):
            if not frontier or not includes:
                break
            frontier = self._round(frontier, includes)
            includes = self.iterated
        return list(self.found.values())

    def _round(self, frontier: list[Stored], includes: Sequence[Include]) -> list[Stored]:
        new: list[Stored] = []
        forward = [include for include in includes if not include.reverse]
        if forward:
            new += self._take(self._targets(frontier, forward))
        for include in includes:
            if include.reverse:
                new += self._take(self._sources(frontier, include))
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

    def _sources(self, frontier: list[Stored], include: Include) -> list[Stored]:
        names = [f"{row.type}/{row.id}" for row in frontier if include.target in ("", row.type)]
        sources = [include.source] if include.source != "*" else sorted(RESOURCE_TYPES)
        caller = self.resolver.caller  # who may read but not search cannot have them found; `_take` asks for reading
        open = [source for source in sources if granted(caller, source, "s") and granted(caller, source, "r")]
        return [row for source in open for row in self._referring(source, include.param, names)]

    def _referring(self, source: str, param: str, names: list[str]) -> list[Stored]:
        fresh, tenant = self.resolver.store.hasher.fresh, self.resolver.tenant
        keys = (
            Key(source, branch, "ref", name)
            for branch, kind in _branches(source, param)
            for name in names
            if _fits(kind, name)
        )
        hashes = tuple(fresh(tenant, key) for key in keys)
        if not hashes:
            return []
        lists = Lists(hashes, 20 * len(hashes))
        everything = All(source)
        if visible(self.resolver.caller, source, everything) is everything:
            return self.executor.rows(source, lists, [], MOST)  # they hold that type alone
        near, far = self.resolver.typed(source, everything, "s", lists)
        return self.executor.rows(source, near, far, MOST)


def _ways(type: str, includes: Sequence[Include]) -> list[tuple[tuple[str, ...], str]]:
    """The branches that ``includes`` follow from resources of ``type``, with the target type they take ('': any)."""
    return [
        (texts, kind or include.target)
        for include in includes
        if include.source in ("*", type) and (include.param == "*" or include.param in parameters(type))
        for texts, kind in _by_target(type, include.param)
        if not (kind and include.target) or kind == include.target
    ]


@lru_cache(4096)
def _branches(type: str, param: str) -> tuple[tuple[str, str], ...]:
    """(branch, target type or '') of a reference parameter, of all of them for ``*``."""
    names = reference_names(type) if param == "*" else (param,)
    return tuple(dict.fromkeys((b.text, b.target) for name in names for b in parameters(type)[name].branches))


@lru_cache(4096)
def _by_target(type: str, param: str) -> tuple[tuple[tuple[str, ...], str], ...]:
    """The branches of a reference parameter by the target type they are read for ('': any)."""
    by_target: dict[str, list[str]] = defaultdict(list)
    for text, target in _branches(type, param):
        by_target[target].append(text)
    if param == "*":  # what a typed branch (patient) finds, the untyped one (subject) finds too
        by_target = {"": sorted({text for texts in by_target.values() for text in texts})}
    return tuple((tuple(texts), target) for target, texts in by_target.items())


def _fits(target: str, name: str) -> bool:
    return not target or name.startswith(f"{target}/")
