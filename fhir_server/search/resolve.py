"""Terms of a query made into sets of the store: keys hashed, dictionary read, chains followed.

FHIR R4 Search (https://hl7.org/fhir/R4/search.html). Each resource type that is entered (by the search itself, a chain
or _has) passes ``Resolver.typed``, which adds the caller's restriction.
"""

from collections.abc import Callable, Iterable, Sequence
from functools import cache
from typing import Any, Protocol

from msgspec.structs import replace

from fhir_server.search.link import references
from fhir_server.search.linked import MOSTLY_SHARED, linked
from fhir_server.search.standing import restricted
from fhir_server.search.view import FarLinked, View
from fhir_server.store import Session, Store, Stored
from fhir_server.store.model import Parameter
from fhir_server.store.order import SHIFT, first_place, window
from fhir_server.store.search_sets import (
    NOTHING,
    Changed,
    Chosen,
    Dated,
    Except,
    Instance,
    Interval,
    Lists,
    Patients,
    Set,
    Subjects,
    Text,
    Window,
    both,
    either,
    size,
    walkable,
)
from resources import search_param
from resources.errors import TooCostly
from resources.repository import Caller
from resources.search_param.compartments import main_branch
from resources.search_param.intervals import BEGINNING, END
from resources.search_param.parameters import parameters
from resources.search_param.terms import (
    All,
    And,
    Clinical,
    Column,
    Family,
    Key,
    Linked,
    Lookup,
    Not,
    Or,
    Post,
    Range,
    Referred,
    Refers,
    Str,
    Term,
    type_key,
)

SUBJECTS_FROM = 4
"""Targets of a chain that are rather tested by the subject column than list by list."""
FEW_TARGETS, MANY_TARGETS = 1_000, 10_000
"""Targets of a chain that become one list each; that are tested by the subject column. Of still more, the sources are
walked instead: some are soon found to match."""
ALL = 50_000
"""Members of a chain that stands inside an alternative or a negation."""
FEW_SOURCES = 2_000
"""Sources of a _has that are looked at; with more, the candidates are tested one by one."""
SLACK = 691_200 << SHIFT
"""A day of ticks: more than places move on when they are taken."""
FEW_CANDIDATES = 50
"""Resources that are asked one by one whether something refers to them."""
USUAL_SIZE = {"type": 1_000_000, "s|c": 3_000, "ref": 250}
"""Lengths of lists that the statistics do not know, by form of the key; all others 20."""


class TooMany(TooCostly):
    """A set has more members than can be named at once (a statement that ran out of time is a plain TooCostly)."""


class Far(Protocol):
    """A test that SQL alone cannot make; ``keep`` gives the order keys of the rows that pass."""

    def keep(self, rows: Sequence[Stored]) -> set[int]: ...


class Members(Protocol):
    """What the resolver needs of the executor; every method raises TooMany beyond ``limit``."""

    def names(self, type: str, near: Set, far: Sequence[Far], limit: int) -> list[tuple[int, str]]:
        """(o, id) of the members, in any order."""
        ...

    def rows(self, type: str, near: Set, far: Sequence[Far], limit: int) -> list[Stored]:
        """The members, in any order."""
        ...

    def places(self, type: str, ids: Iterable[str]) -> dict[str, int]:
        """``o`` of those ids that exist and are not deleted, unrestricted."""
        ...

    def any_on(self, hashes: Sequence[int], near: Set) -> set[int]:
        """Those lists that hold a member of ``near``."""
        ...

    def measured(self, near: Set, everything: Callable[[], Set] | None) -> Set:
        """``near`` with those sizes counted that decide what to walk."""
        ...

    def all_orders(self, near: Set, far: Sequence[Far], limit: int) -> list[int]:
        """The order keys of the members."""
        ...

    def rids(self, near: Set, limit: int) -> list[int]:
        """The row numbers of the members, in any order."""
        ...

    def references(self, near: Set, limit: int) -> list[str]:
        """``Type/id`` of the members, in any order."""
        ...

    def count(self, near: Set, cap: int) -> int:
        """The number of members, counted no further than ``cap``."""
        ...


class Resolver:
    """Resolves terms for one caller in one session; ``base`` is the public address, by which links may name resources
    too."""

    def __init__(self, store: Store, session: Session, caller: Caller, executor: Members, base: str = "") -> None:
        self.store, self.session, self.caller, self.executor = store, session, caller, executor
        self.tenant, self.base = caller.tenant, base
        self.view = View(self)

    def typed(self, type: str, term: Term, permission: str = "s", beside: Set | None = None) -> tuple[Set, list[Far]]:
        """The resources of ``type`` that fit ``term`` and that the caller may see by ``permission``: a set, and tests
        beyond SQL. ``beside`` is a set of that type that they are all in."""
        far: list[Far] = []
        narrowed, known = restricted(self, type, term, permission)
        if known or beside is not None:
            narrowed = narrowed if isinstance(narrowed, And) else And((narrowed,))
            return self._all_of(type, narrowed, far, beside, known), far
        near = self._conjunction(type, narrowed, far)
        return (near if walkable(near) else both(near, self.everything(type))), far

    def everything(self, type: str) -> Set:
        return self._list(type_key(type))

    def _conjunction(self, type: str, term: Term, far: list[Far]) -> Set:
        """``term`` as a set; what of its top-level conjunction needs a walk goes to ``far``."""
        if isinstance(term, And):
            return self._all_of(type, term, far)
        if isinstance(term, Linked):
            return self._all_of(type, And((term,)), far)
        return self._joined(term, far) if isinstance(term, Refers | Referred) else self.as_set(type, term)

    def _all_of(
        self, type: str, term: And, far: list[Far], beside: Set | None = None, known: Sequence[Set] = ()
    ) -> Set:
        """A _has or a link beside few candidates is asked of each of them, instead of being listed. ``known`` are sets
        that its members are in as well."""
        late = [t for t in term.terms if isinstance(t, Referred | Linked)]
        parts = [self._part(type, t, far) for t in term.terms if t not in late]
        parts.extend(known)
        if beside is not None:
            parts.append(beside)
        if not any(walkable(part) for part in parts):
            parts.append(self.everything(type))
        near = both(*parts)
        for other in late:
            near = self._late(near, other, far, beside is not None)
        return near

    def _part(self, type: str, term: Term, far: list[Far]) -> Set:
        """What is not in a set is only asked of what the rest of the conjunction finds."""
        return Except(self.as_set(type, term.term)) if isinstance(term, Not) else self._conjunction(type, term, far)

    def _late(self, near: Set, term: Referred | Linked, far: list[Far], few: bool) -> Set:
        if few or size(near) <= FEW_CANDIDATES or (isinstance(term, Linked) and term.type in MOSTLY_SHARED):
            far.append(self._far(term))
            return near
        return both(near, linked(self, term) if isinstance(term, Linked) else self._joined(term, far))

    def as_set(self, type: str, term: Term) -> Set:
        """``term`` as a set, whatever it takes."""
        match term:
            case Post():
                return self._list(term.key)
            case All():
                return self.everything(term.type)
            case Clinical():
                return Window(*window(term.lo, term.hi))
            case Range():
                return Interval((self._hash(term.key),), term.lo_from, term.lo_to, term.hi_from, term.hi_to)
            case Str():
                return Text((self._hash(term.key),), term.norm, term.how)
            case Column():
                return self._column(type, term)
            case Lookup():
                return self._lookup(term)
            case Family():
                return self.as_set(type, search_param.expand(term, self._dictionary(term)))
            case And():
                return both(*(self.as_set(type, t) for t in term.terms)) if term.terms else self.everything(type)
            case Or():
                return self._union(type, term)
            case Not():
                return both(self.everything(term.type), Except(self.as_set(term.type, term.term)))
            case Refers() | Referred():
                return self._by_walking(term)
            case Linked():
                return linked(self, term)

    def _hash(self, key: Key) -> int:
        return self.store.hasher.h(self.tenant, key)

    def _list(self, key: Key) -> Lists:
        return self._lists((self._hash(key),), key.form)

    def _lists(self, hashes: tuple[int, ...], form: str) -> Lists:
        usual = USUAL_SIZE.get(form, 20)
        known = self.store.most_common
        return Lists(hashes, sum(known(h) or usual for h in hashes))

    def _column(self, type: str, term: Column) -> Set:
        if term.name == "id":
            return Instance(type, (str(term.value),))
        millis = -(-int(term.value) // 1000)  # rows hold milliseconds: x * 1000 >= v is x >= ceil(v / 1000)
        return Changed(type, term.op, millis)

    def _union(self, type: str, term: Or) -> Set:
        """A date search on the clinical parameter becomes one Dated; everything else is a plain union."""
        terms = list(_flat(term))
        windows = [window(t.lo, t.hi) for t in terms if isinstance(t, Clinical)]
        others = [t for t in terms if not isinstance(t, Clinical)]
        if not windows:
            return either(*(self.as_set(type, t) for t in others))
        precise = either(*(Window(lo, hi) for lo, hi in _merged(windows)))
        if all(isinstance(t, Range) for t in others):  # written for imprecise dates only, see Entries.precise
            return self._dated(type, precise, others)
        return either(precise, *(self.as_set(type, t) for t in others))

    def _dated(self, type: str, precise: Set, ranges: Sequence[Term]) -> Dated:
        """What starts before a day stands before it in the clinical order, unless it has no start."""
        given = [t for t in ranges if isinstance(t, Range)]
        other = either(*(self.as_set(type, t) for t in given))
        latest = max((t.lo_to for t in given), default=BEGINNING)
        if latest >= END:
            return Dated(precise, other)
        endless = (replace(t, lo_to=min(t.lo_to, BEGINNING + 1)) for t in given if t.lo_from <= BEGINNING)
        found = either(*(self.as_set(type, t) for t in endless))
        open_start = replace(found, size=0) if isinstance(found, Interval) else found
        return Dated(precise, other, first_place(latest) + SLACK, None if open_start == NOTHING else open_start)

    # --- the dictionary -------------------------------------------------------------------------------------------

    def _dictionary(self, term: Lookup | Family) -> list[tuple[str, str, str]]:
        rows = self._dictionary_rows("DISTINCT system, code, unit", term, ())
        return [(system, code, unit) for system, code, unit in rows]

    def _lookup(self, term: Lookup) -> Set:
        extra = [("unit = {}", term.unit), ("substr(display, 1, length({0})) = {0}", term.display)]
        rows = self._dictionary_rows("DISTINCT h", term, [(sql, value) for sql, value in extra if value is not None])
        return self._lists(tuple(h for (h,) in rows), term.form) if rows else NOTHING

    def _dictionary_rows(
        self, columns: str, term: Lookup | Family, extra: Iterable[tuple[str, str]]
    ) -> list[tuple[Any, ...]]:
        """Read anew for each search: a code that was stored a moment ago must be found."""
        given: list[tuple[str, str | None]] = [("system = {}", term.system), ("code = {}", term.code)]
        tests: list[tuple[str, Parameter]] = [
            ("tenant = {}", self.tenant),
            ("type = {}", term.type),
            ("branch = {}", term.branch),
            ("form = {}", term.form),
        ]
        tests += [(sql, value) for sql, value in given if value is not None] + list(extra)
        where = " AND ".join(sql.format(f"${n}") for n, (sql, _) in enumerate(tests, 1))
        return self.session.query(f"SELECT {columns} FROM dic WHERE {where}", [value for _, value in tests])

    # --- chains ---------------------------------------------------------------------------------------------------

    def _joined(self, term: Refers | Referred, far: list[Far]) -> Set:
        found = self._by_targets(term) if isinstance(term, Refers) else self._by_sources(term)
        if found is None:
            far.append(self._far(term))
            return self.everything(term.type)
        return found

    def _by_targets(self, term: Refers) -> Set | None:
        """The sources of a chain by their targets; None when the targets are too many to name."""
        near, far = self.typed(term.target, term.term)
        try:
            targets = self.executor.names(term.target, near, far, MANY_TARGETS)
        except TooMany:
            return None
        names = [f"{term.target}/{id}" for _, id in targets]
        fresh, tenant = self.store.hasher.fresh, self.tenant
        subjects: tuple[int, ...] = ()
        if len(names) > SUBJECTS_FROM and set(term.branches) == _subject_branch(term.type):
            subjects = tuple(self.store.hasher.subject(tenant, name) for name in names)
            if len(names) > FEW_TARGETS:
                return Subjects(subjects)
        hashes = tuple(fresh(tenant, Key(term.type, b, "ref", name)) for name in names for b in term.branches)
        return replace(self._lists(hashes, "ref"), subjects=subjects) if hashes else NOTHING

    def _by_sources(self, term: Referred) -> Set | None:
        """The targets of a _has: the subjects of its sources, or what their documents refer to; None when there are
        too many sources."""
        near, far = self.typed(term.source, term.term)
        near = self.executor.measured(near, None)
        sources = self.executor.count(near, FEW_SOURCES + 1)
        if sources > FEW_SOURCES:
            return None
        if term.type == "Patient" and not far and set(term.branches) == _subject_branch(term.source):
            return Patients(term.source, near, sources) if sources else NOTHING
        rows = self.executor.rows(term.source, near, far, FEW_SOURCES)
        ids = {id for row in rows for id in referred_ids(row, term.branches, term.type)}
        return Chosen(tuple(self.executor.places(term.type, ids).values()))

    def _far(self, term: Refers | Referred | Linked) -> Far:
        if isinstance(term, Linked):
            return FarLinked(self.view, term.type, term.patient)
        return FarTargets(self, term) if isinstance(term, Refers) else FarSources(self, term)

    def _by_walking(self, term: Refers | Referred) -> Set:
        """A chain inside an alternative or a negation: all its members, found beforehand."""
        far: list[Far] = []
        near = self._joined(term, far)
        if not far:
            return near
        return Chosen(tuple(o for o, _ in self.executor.names(term.type, near, far, ALL)))


class FarTargets:
    """A chain from the other end: the references of each row, and which of their targets match."""

    def __init__(self, resolver: Resolver, term: Refers) -> None:
        self.resolver, self.term = resolver, term
        self.near, self.far = resolver.typed(term.target, term.term)

    def keep(self, rows: Sequence[Stored]) -> set[int]:
        target, executor = self.term.target, self.resolver.executor
        named = {row.o: referred_ids(row, self.term.branches, target) for row in rows}
        places = executor.places(target, {id for ids in named.values() for id in ids})
        among = both(Chosen(tuple(places.values())), self.near)
        matching = {id for _, id in executor.names(target, among, self.far, len(places) + 1)}
        return {o for o, ids in named.items() if ids & matching}


class FarSources:
    """A _has from the other end: which rows have a source that matches on the list of references to them."""

    def __init__(self, resolver: Resolver, term: Referred) -> None:
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
        return {o for h, o in owner.items() if self._any(h)}

    def _any(self, h: int) -> bool:
        near = both(Lists((h,), 20), self.near)
        return bool(self.resolver.executor.names(self.term.source, near, self.far, ALL))


@cache
def _subject_branch(type: str) -> set[str]:
    """The branch that the subject column holds completely: that of the main patient, where there can be only one."""
    name = main_branch(type)
    leaves = [leaf for p in parameters(type).values() for b in p.branches if b.text == name for leaf in b.leaves]
    single = not any(step.many for leaf in leaves for step in leaf.steps)
    return {name} if name and single and type != "Patient" else set()


def referred_ids(row: Stored, branches: tuple[str, ...], target: str) -> set[str]:
    """The ids of the ``target`` resources that the document of ``row`` refers to under ``branches``."""
    return {id for type, id in references(row.type, branches, row.doc) if type == target}


def _flat(term: Or) -> Iterable[Term]:
    for part in term.terms:
        if isinstance(part, Or):
            yield from _flat(part)
        else:
            yield part


def _merged(windows: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Windows that touch become one: what is left then bounds the walk of a list."""
    found: list[tuple[int, int]] = []
    for lo, hi in sorted(windows):
        if found and lo <= found[-1][1]:
            found[-1] = (found[-1][0], max(hi, found[-1][1]))
        else:
            found.append((lo, hi))
    return found
