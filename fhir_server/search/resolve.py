"""Terms of a query made into sets of the store: keys hashed, dictionary read, chains followed.

FHIR R4 Search (https://hl7.org/fhir/R4/search.html). Each resource type that is entered (by the search itself, a chain
or _has) passes ``Resolver.typed``, which adds the caller's restriction.
"""

from collections.abc import Iterable, Sequence
from typing import Any

from msgspec.structs import replace

from fhir_server.search.chain import chained, tested, walked
from fhir_server.search.checked import FarChecked, checked, found_by, listed
from fhir_server.search.coded import beside as coded_beside
from fhir_server.search.coded import coded, is_coded
from fhir_server.search.forks import forked, is_fork
from fhir_server.search.linked import linked
from fhir_server.search.measures import interval, intervals
from fhir_server.search.members import Far, Members
from fhir_server.search.restriction import OFFERED
from fhir_server.search.standing import restricted
from fhir_server.search.view import FarLinked, View
from fhir_server.search.within import within
from fhir_server.store import Session, Store
from fhir_server.store.model import Parameter
from fhir_server.store.order import SHIFT, first_place, window
from fhir_server.store.search_sets import (
    NOTHING,
    UNKNOWN_SIZE,
    Changed,
    Dated,
    Except,
    Instance,
    Interval,
    Lists,
    Set,
    Text,
    Window,
    both,
    either,
    size,
    walkable,
)
from resources import search_param
from resources.repository import Caller
from resources.search_param.intervals import BEGINNING, END
from resources.search_param.terms import (
    All,
    And,
    Checked,
    Clinical,
    Coded,
    Column,
    Family,
    Key,
    Linked,
    Listed,
    Lookup,
    Not,
    Or,
    Post,
    Range,
    Referred,
    Refers,
    Str,
    Term,
    Within,
    type_key,
)

SLACK = 691_200 << SHIFT
"""A day of ticks: more than places move on when they are taken."""
BESIDE = frozenset({"holds", "ends", "tail"})
"""Comparisons of strings that always stand beside something that can be walked."""
FEW_CANDIDATES = 50
"""Resources that are asked one by one whether something refers to them."""
USUAL_SIZE = {"type": 1_000_000, "s|c": 3_000, "ref": 250, "gram": 1_000}
"""Lengths of lists that the statistics do not know, by form of the key; all others 20."""


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
        return replace(self._list(type_key(type)), whole=True)

    def _conjunction(self, type: str, term: Term, far: list[Far]) -> Set:
        """``term`` as a set; what of its top-level conjunction needs a walk goes to ``far``."""
        if isinstance(term, And):
            return self._all_of(type, term, far)
        if isinstance(term, Linked | Checked) or (isinstance(term, Not) and (is_coded(term) or is_fork(term))):
            return self._all_of(type, And((term,)), far)
        if is_fork(term):
            return self._forked(type, term, far)
        return self._chained(term, far) if isinstance(term, Refers | Referred) else self.as_set(type, term)

    def _all_of(
        self, type: str, term: And, far: list[Far], beside: Set | None = None, known: Sequence[Set] = ()
    ) -> Set:
        """A _has or a link beside few candidates is asked of each of them, instead of being listed; so is a link that
        most have. ``known`` are sets that its members are in as well."""
        terms = list(_opened(term.terms, far))
        late = [t for t in terms if isinstance(t, Referred | Linked)]
        coded = [t for t in terms if is_coded(t)]
        parts = [self._part(type, t, far) for t in terms if t not in late and t not in coded]
        parts.extend(known)
        if beside is not None:
            parts.append(beside)
        parts += self._codes(type, coded, far, any(walkable(part) for part in parts))
        if not any(walkable(part) for part in parts):
            parts.append(self.everything(type))
        near = both(*parts)
        for other in late:
            near = self._late(near, other, far, beside is not None)
        return near

    def _part(self, type: str, term: Term, far: list[Far]) -> Set:
        """What is not in a set is only asked of what the rest of the conjunction finds."""
        if is_fork(term):
            return self._forked(type, term, far)
        return Except(self.as_set(type, term.term)) if isinstance(term, Not) else self._conjunction(type, term, far)

    def _forked(self, type: str, term: Term, far: list[Far]) -> Set:
        near, test = forked(self, type, term)
        if test is not None:
            far.append(test)
        return near

    def _codes(self, type: str, terms: Sequence[Term], far: list[Far], walked: bool) -> list[Set]:
        """Sets of codes as sets; those of many lists as tests when something else is ``walked``, or must be."""
        parts: list[Set] = []
        for term in terms:
            negated = isinstance(term, Not)
            near, test = coded_beside(self, type, term)
            if test is not None and (walked or negated):
                far.append(test)
            else:
                parts.append(Except(near) if negated else near)
                walked = walked or not negated
        return parts

    def _late(self, near: Set, term: Referred | Linked, far: list[Far], few: bool) -> Set:
        if few or size(near) <= FEW_CANDIDATES or (isinstance(term, Linked) and term.type in OFFERED):
            far.append(self._far(term))
            return near
        return both(near, linked(self, term) if isinstance(term, Linked) else self._chained(term, far))

    def _chained(self, term: Refers | Referred, far: list[Far]) -> Set:
        found = chained(self, term)
        if found is None:
            far.append(tested(self, term))
            return self.everything(term.type)
        return found

    def _far(self, term: Referred | Linked) -> Far:
        if isinstance(term, Linked):
            return FarLinked(self.view, term.type, term.patient)
        return tested(self, term)

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
                return interval(self.store.hasher, self.tenant, term)
            case Str():
                most = UNKNOWN_SIZE - 1 if term.how in BESIDE else UNKNOWN_SIZE  # never counted, never walked
                return Text((self._hash(term.key),), term.norm, term.how, most)
            case Column():
                return self._column(type, term)
            case Lookup():
                return self._lookup(term)
            case Coded():
                return coded(self, term)
            case Family():
                return self._family(type, term)
            case And():
                return both(*(self.as_set(type, t) for t in term.terms)) if term.terms else self.everything(type)
            case Or():
                return self._union(type, term)
            case Not():
                return both(self.everything(term.type), Except(self.as_set(term.type, term.term)))
            case Refers() | Referred():
                return walked(self, term)
            case Linked():
                return linked(self, term)
            case Within():
                return within(self, term)
            case Checked():
                return checked(self, term)
            case Listed():
                return listed(self, term)

    def _family(self, type: str, term: Family) -> Set:
        rows = tuple(self._dictionary(term))
        found = intervals(self.store.hasher, self.tenant, term, rows)
        return self.as_set(type, search_param.expand(term, rows)) if found is None else found

    def _hash(self, key: Key) -> int:
        return self.store.hasher.h(self.tenant, key)

    def _list(self, key: Key) -> Lists:
        return self.lists((self._hash(key),), key.form)

    def lists(self, hashes: tuple[int, ...], form: str) -> Lists:
        """The lists of these hashes, all of keys of one form, with their length as far as it is known."""
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
            named = [t for t in others if isinstance(t, Lookup) and t.code and t.unit is None and t.display is None]
            if len(named) > 1:
                found = [*self._lookups(named), *(self.as_set(type, t) for t in others if t not in set(named))]
                return either(*found)
            return either(*(self.as_set(type, t) for t in others))
        precise = either(*(Window(lo, hi) for lo, hi in _merged(windows)))
        if all(isinstance(t, Range) for t in others):  # written for imprecise dates only, see Entries.precise
            return self._dated(type, precise, others)
        return either(precise, *(self.as_set(type, t) for t in others))

    def _dated(self, type: str, precise: Set, ranges: Sequence[Term]) -> Dated:
        """What starts before a day stands before it in the clinical order, unless it has no start."""
        given = [t for t in ranges if isinstance(t, Range)]
        other = either(*(self.as_set(type, t) for t in given))
        latest = max((min(t.lo_to, t.hi_to) for t in given), default=BEGINNING)  # it starts before it ends
        if latest >= END:
            return Dated(precise, other)
        endless = (replace(t, lo_to=min(t.lo_to, BEGINNING + 1)) for t in given if t.lo_from <= BEGINNING)
        found = either(*(self.as_set(type, t) for t in endless))
        open_start = replace(found, size=0) if isinstance(found, Interval) else found
        return Dated(precise, other, first_place(latest) + SLACK, None if open_start == NOTHING else open_start)

    def range_keys(self, term: Family) -> list[Key]:
        """The keys of ranges that ``term`` stands for."""
        found = search_param.expand(term, self._dictionary(term))
        parts = found.terms if isinstance(found, Or) else (found,)
        return [part.key for part in parts if isinstance(part, Range)]

    # --- the dictionary -------------------------------------------------------------------------------------------

    def _dictionary(self, term: Lookup | Family) -> list[tuple[str, str, str]]:
        return self._dictionary_rows("DISTINCT system, code, unit", term, ())

    def _lookup(self, term: Lookup) -> Set:
        extra = [("unit = {}", term.unit), ("substr(display, 1, length({0})) = {0}", term.display)]
        rows = self._dictionary_rows("DISTINCT h", term, [(sql, value) for sql, value in extra if value is not None])
        return self.lists(tuple(h for (h,) in rows), term.form) if rows else NOTHING

    def _lookups(self, terms: Sequence[Lookup]) -> list[Set]:
        """Codes without a system, or of one, that a query lists: one statement for all that are asked of a branch."""
        asked: dict[tuple[str, str, str], dict[str, set[str | None]]] = {}
        for t in terms:
            systems = asked.setdefault((t.type, t.branch, t.form), {})
            systems.setdefault(t.code or "", set()).add(t.system)
        found: list[Set] = []
        for (type, branch, form), codes in asked.items():
            sql = self.executor.sql()
            where = f"tenant = {sql.p(self.tenant)} AND type = {sql.p(type)} AND branch = {sql.p(branch)}"
            each = f"form = {sql.p(form)} AND {sql.named('code', list(codes))}"
            rows = self.session.query(f"SELECT code, system, h FROM dic WHERE {where} AND {each}", sql.params)
            hashes = dict.fromkeys(h for code, system, h in rows if codes[code] & {None, system})
            found.append(self.lists(tuple(hashes), form) if hashes else NOTHING)
        return found

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


def _opened(terms: Iterable[Term], far: list[Far]) -> Iterable[Term]:
    """``terms`` with what only documents tell as tests of what the others find."""
    for term in terms:
        if isinstance(term, Checked):
            far.append(FarChecked(term.test))
            yield from found_by(term)
        else:
            yield term


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
