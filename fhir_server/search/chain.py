"""Chains and _has: one type of resource by what it refers to, or by what refers to it.

FHIR R4 Search (https://hl7.org/fhir/R4/search.html#chaining, #has). A chain starts at its other end where
few resources match there; where there are more, the rest of the search is found first and each of its rows is tested.
"""

from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING

from msgspec.structs import replace

from fhir_server.search.link import references
from fhir_server.search.members import Far, TooMany
from fhir_server.store import Stored
from fhir_server.store.search_sets import NOTHING, Chosen, Lists, Patients, Set, Subjects, both
from resources.search_param.compartments import main_branch
from resources.search_param.parameters import standard
from resources.search_param.terms import Key, Referred, Refers

if TYPE_CHECKING:
    from fhir_server.search.resolve import Resolver

SUBJECTS_FROM = 4
"""Targets of a chain that are rather tested by the subject column than list by list."""
FEW_TARGETS, MANY_TARGETS = 1_000, 10_000
"""Targets of a chain that become one list each; that are tested by the subject column. Of still more, the sources are
walked instead: some are soon found to match."""
ALL = 50_000
"""Members of a chain that stands inside an alternative or a negation."""
USUAL_SOURCES = 20
"""Sources of a _has that one candidate has, where all candidates are asked together."""
FEW_SOURCES = 2_000
"""Sources of a _has that are looked at; with more, the candidates are tested one by one."""


def chained(resolver: "Resolver", term: Refers | Referred) -> Set | None:
    """The members of ``term``; None when there are too many at its other end to name, see ``tested``."""
    return _by_targets(resolver, term) if isinstance(term, Refers) else _by_sources(resolver, term)


def tested(resolver: "Resolver", term: Refers | Referred) -> Far:
    """``term`` as a test of rows that are found otherwise."""
    return FarTargets(resolver, term) if isinstance(term, Refers) else FarSources(resolver, term)


def walked(resolver: "Resolver", term: Refers | Referred) -> Set:
    """A chain inside an alternative or a negation: all its members, found beforehand. Raises TooMany."""
    near = chained(resolver, term)
    if near is not None:
        return near
    far = [tested(resolver, term)]
    return Chosen(tuple(o for o, _ in resolver.executor.names(term.type, resolver.everything(term.type), far, ALL)))


def _by_targets(resolver: "Resolver", term: Refers) -> Set | None:
    """The sources of a chain by their targets; None when the targets are too many to name."""
    near, far = resolver.typed(term.target, term.term)
    try:
        targets = resolver.executor.names(term.target, near, far, MANY_TARGETS)
    except TooMany:
        return None
    names = [f"{term.target}/{id}" for _, id in targets]
    hasher, tenant = resolver.store.hasher, resolver.tenant
    subjects: tuple[int, ...] = ()
    if len(names) > SUBJECTS_FROM and set(term.branches) == _subject_branch(term.type):
        subjects = tuple(hasher.subject(tenant, name) for name in names)
        if len(names) > FEW_TARGETS:
            return Subjects(subjects)
    hashes = tuple(hasher.fresh(tenant, Key(term.type, b, "ref", name)) for name in names for b in term.branches)
    return replace(resolver.lists(hashes, "ref"), subjects=subjects) if hashes else NOTHING


def _by_sources(resolver: "Resolver", term: Referred) -> Set | None:
    """The targets of a _has: the subjects of its sources, or what their documents refer to; None when there are
    too many sources."""
    executor = resolver.executor
    near, far = resolver.typed(term.source, term.term)
    near = executor.measured(near, None)
    sources = executor.count(near, FEW_SOURCES + 1)
    if sources > FEW_SOURCES:
        return None
    if term.type == "Patient" and not far and set(term.branches) == _subject_branch(term.source):
        return Patients(term.source, near, sources) if sources else NOTHING
    rows = executor.rows(term.source, near, far, FEW_SOURCES)
    ids = {id for row in rows for id in _referred_ids(row, term.branches, term.type)}
    return Chosen(tuple(executor.places(term.type, ids).values()))


class FarTargets:
    """A chain from the other end: the references of each row, and which of their targets match."""

    def __init__(self, resolver: "Resolver", term: Refers) -> None:
        self.resolver, self.term = resolver, term
        self.near, self.far = resolver.typed(term.target, term.term)

    def keep(self, rows: Sequence[Stored]) -> set[int]:
        target, executor = self.term.target, self.resolver.executor
        named = {row.o: _referred_ids(row, self.term.branches, target) for row in rows}
        places = executor.places(target, {id for ids in named.values() for id in ids})
        among = both(Chosen(tuple(places.values())), self.near)
        matching = {id for _, id in executor.names(target, among, self.far, len(places) + 1)}
        return {o for o, ids in named.items() if ids & matching}


class FarSources:
    """A _has from the other end: which rows have a source that matches on the list of references to them."""

    def __init__(self, resolver: "Resolver", term: Referred) -> None:
        self.resolver, self.term = resolver, term
        self.near, self.far = resolver.typed(term.source, term.term)

    def keep(self, rows: Sequence[Stored]) -> set[int]:
        resolver, term = self.resolver, self.term
        fresh, tenant = resolver.store.hasher.fresh, resolver.tenant
        owner = {
            fresh(tenant, Key(term.source, branch, "ref", f"{term.type}/{row.id}")): row.o
            for row in rows
            for branch in term.branches
        }
        if not self.far:
            return {owner[h] for h in resolver.executor.any_on(list(owner), self.near)}
        try:
            return self._referred(rows, tuple(owner))
        except TooMany:  # of so many, the first that fits is looked for
            return {o for h, o in owner.items() if self._any(h)}

    def _referred(self, rows: Sequence[Stored], hashes: tuple[int, ...]) -> set[int]:
        """Those of ``rows`` that a source refers to, all sources read together."""
        term, most = self.term, USUAL_SOURCES * len(hashes)
        among = both(Lists(hashes, most), self.near)
        sources = self.resolver.executor.rows(term.source, among, self.far, most)
        ids = {id for source in sources for id in _referred_ids(source, term.branches, term.type)}
        return {row.o for row in rows if row.id in ids}

    def _any(self, h: int) -> bool:
        return self.resolver.executor.any(both(Lists((h,), 20), self.near), self.far)


@cache
def _subject_branch(type: str) -> set[str]:
    """The branch that the subject column holds completely: that of the main patient, where there can be only one."""
    name = main_branch(type)
    leaves = [leaf for p in standard(type).values() for b in p.branches if b.text == name for leaf in b.leaves]
    single = not any(step.many for leaf in leaves for step in leaf.steps)
    return {name} if name and single and type != "Patient" else set()


def _referred_ids(row: Stored, branches: tuple[str, ...], target: str) -> set[str]:
    """The ids of the ``target`` resources that the document of ``row`` refers to under ``branches``."""
    return {id for type, id in references(row.type, branches, row.doc) if type == target}
