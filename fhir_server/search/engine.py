"""The search: one request in, one page out.

FHIR R4 Search (https://hl7.org/fhir/R4/search.html) and paging (https://hl7.org/fhir/R4/http.html#paging).
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from urllib.parse import parse_qsl

from fhir_server.search import limits
from fhir_server.search.cursor import Cursors, Position, with_cursor
from fhir_server.search.execute import COUNTED, Executor
from fhir_server.search.explain import allow, explanation
from fhir_server.search.include import Including
from fhir_server.search.members import Far
from fhir_server.search.query import DEFAULT_COUNT, MAX_COUNT, Query, parse
from fhir_server.search.registered import in_force, refuse_unfinished, unfinished
from fhir_server.search.resolve import Resolver
from fhir_server.search.restriction import granted, members, refuse_far, restriction, unrestricted
from fhir_server.search.sizes import Sizes
from fhir_server.search.sort import ALL_TO_SORT, Page, Row, first_descends, native
from fhir_server.search.view import Name
from fhir_server.store import Session, Store, Stored
from fhir_server.store.search_sets import NOTHING, Chosen, Set, Span, either, size
from resources.definitions import compartment
from resources.errors import BadSearch, Forbidden
from resources.main_patient import patient_of
from resources.repository import Caller, Hit, SearchPage, SearchRequest
from resources.search_param.parameters import standard
from resources.search_param.registry import Registry, using
from resources.search_param.terms import And, Key, Term
from resources.search_param.token import identifier_keys

ESTIMATED = 10_000
"""Up to here an estimated total is exact, and whatever the number for callers who may not see all."""


class SearchEngine:
    """Searches one store. ``link_key`` seals page links (the same on all nodes); counts are entries of one page;
    ``base`` is the public address, whose resources may be named by URL too."""

    def __init__(
        self,
        store: Store,
        link_key: bytes,
        *,
        default_count: int = DEFAULT_COUNT,
        max_count: int = MAX_COUNT,
        base: str = "",
    ) -> None:
        self.store = store
        self.cursors, self.sizes = Cursors(link_key), Sizes(COUNTED)
        self.default_count, self.max_count, self.base = default_count, max_count, base

    def search(self, session: Session, caller: Caller, request: SearchRequest) -> SearchPage:
        """One page as ``caller`` may see it. Raises BadSearch, Forbidden (another caller's page link), TooCostly."""
        limits.check(request.params)
        registry, query = self._query(request)
        query = replace(query, issues=(*query.issues, *unfinished(self.store.parameters, registry, query)))
        with using(registry), session.limited(self.store.timeout):
            search = _Search(self, session, caller, request, query)
            return search.explained() if query.explain else search.page()

    def matches(self, session: Session, caller: Caller, type: str, criteria: str) -> list[Stored]:
        """At most two resources of ``type`` that fit the query string ``criteria``, for conditional interactions.

        Runs in the open transaction of ``session`` and sees its writes. Raises BadSearch, also for criteria without
        a filter.
        """
        limits.check_text(criteria)
        params = tuple(parse_qsl(criteria.removeprefix("?"), keep_blank_values=True))
        limits.check(params)
        registry, query = self._query(SearchRequest(type, params))
        if not query.filters:
            raise BadSearch(
                f"the criteria '{criteria}' name no search parameter of {type}; they would fit every resource"
            )
        refuse_unfinished(self.store.parameters, registry, query)
        with using(registry), session.limited(self.store.timeout):
            return self._matches(session, caller, type, query)

    def _query(self, request: SearchRequest) -> tuple[Registry, Query]:
        """The query and the search parameters that it was read with."""
        read = partial(parse, request, self.default_count, self.max_count, self.base)
        return in_force(self.store.parameters, read)

    def _matches(self, session: Session, caller: Caller, type: str, query: Query) -> list[Stored]:
        restriction(caller, type, "s")
        term = query.term(type)
        for asked in query.asked(type):
            refuse_far(caller, asked)
        executor = Executor(session, caller.tenant, self.sizes)
        resolver = Resolver(self.store, session, caller, executor, self.base)
        near, far = resolver.typed(type, term)
        near = executor.measured(near, partial(resolver.everything, type))
        rows = executor.first(near, far, Span(), 2)
        return resolver.view.seen([row for row in rows if row.type == type], "s")

    def identified(
        self, session: Session, caller: Caller, identities: Collection[tuple[str, str, str]], names: Collection[Name]
    ) -> list[Stored]:
        """What `resources.repository.Repository.identified` says, as ``caller`` may see it."""
        listed = self.listed(session, caller, identities).values()
        for type in {type for type, _ in names}:
            restriction(caller, type, "s")
        named = [row for row in session.read_many(sorted(names), caller.tenant).values() if not row.deleted]
        seen = self.resolver(session, caller).view.seen(named, "s")
        return list({(row.type, row.id): row for rows in (*listed, seen) for row in rows}.values())

    def listed(
        self, session: Session, caller: Caller, identities: Collection[tuple[str, str, str]]
    ) -> dict[tuple[str, str, str], list[Stored]]:
        """What `fhir_server.repository.services.Search.listed` says."""
        for type in {type for type, *_ in identities}:
            restriction(caller, type, "s")
        h, asked = self.store.hasher.fresh, dict[int, tuple[str, str, str]]()
        for each in identities:
            asked.update((h(caller.tenant, key), each) for key in _lists(*each))
        view, found = self.resolver(session, caller).view, dict[tuple[str, str, str], list[Stored]]()
        for number, row in session.read_listed(asked, caller.tenant):
            each = asked[number]
            if row.type == each[0] and view.seen([row], "s"):  # a list is found by a hash
                found.setdefault(each, []).append(row)
        return found

    def resolver(self, session: Session, caller: Caller) -> Resolver:
        """What finds and tests resources as ``caller`` may see them."""
        return Resolver(self.store, session, caller, Executor(session, caller.tenant, self.sizes), self.base)


@dataclass(slots=True)
class _Slice:
    """One page in the order shown, and whether there are more on either side; ``stored`` where already read."""

    rows: list[Row]
    before: bool
    after: bool
    stored: list[Stored] | None = None


class _Search:
    """One request at work."""

    def __init__(
        self, engine: SearchEngine, session: Session, caller: Caller, request: SearchRequest, query: Query
    ) -> None:
        self.engine, self.session, self.caller, self.request, self.query = engine, session, caller, request, query
        self.executor = Executor(session, caller.tenant, engine.sizes)
        self.resolver = Resolver(engine.store, session, caller, self.executor, engine.base)
        self.types = self._types()
        self.near: Set = NOTHING
        self.far: Sequence[Far] = ()
        self.link = query.link()
        self.bound = f"{request.type}?{request.compartment}?{self.link}"

    def page(self) -> SearchPage:
        near, far = self.near, self.far = self._set()
        if self.query.summary == "count" or self.query.count == 0:
            return self._answer([], {"self": self.link}, self._count(near, far, exact=True))
        position = self.engine.cursors.open(self.caller, self.bound, self.query.cursor) if self.query.cursor else None
        cut = self._slice(near, far, position)
        matches, patients = self._checked(cut)
        hits = [Hit(row.as_version()) for row in matches]
        if self.query.includes:
            included = Including(self.executor, self.resolver, self.query.includes).of(matches)
            hits += [Hit(row.as_version(), "include") for row in included]
            patients.update(whose(included))
        return self._answer(hits, self._links(cut, position), self._total(near, far), patients)

    def explained(self) -> SearchPage:
        """The page, and how it came about. Raises Forbidden."""
        allow(self.caller)
        with self.session.watched() as asked:
            page = self.page()
        return replace(page, issues=(*page.issues, *explanation(self.near, self.far, asked)))

    def _answer(
        self, hits: list[Hit], links: dict[str, str], total: int | None, patients: Iterable[str] = ()
    ) -> SearchPage:
        query, of = self.query, frozenset(patients)
        return SearchPage(tuple(hits), links, total, query.issues, query.summary, query.elements, of)

    def _types(self) -> tuple[str, ...]:
        """The types to search. Raises Forbidden when one that is named is not open, or none is."""
        if self.request.type or any(name == "_type" and value for name, value in self.request.params):
            for type in self.query.types:
                restriction(self.caller, type, "s")
            return self._in_compartment()
        types = self._in_compartment()
        open = tuple(type for type in types if granted(self.caller, type, "s"))
        return open or _refuse()

    def _in_compartment(self) -> tuple[str, ...]:
        if self.request.compartment is None:
            return self.query.types
        code = self.request.compartment[0]
        rows = compartment(code)
        if self.request.type:
            if not rows.get(self.request.type) and self.request.type != code:
                raise BadSearch(f"{self.request.type} does not belong to the compartment of a {code}")
            return self.query.types
        return tuple(type for type in self.query.types if rows.get(type))

    # --- the set ------------------------------------------------------------------------------------------------------

    def _set(self) -> tuple[Set, Sequence[Far]]:
        if len(self.types) == 1:
            (type,) = self.types
            near, far = self.resolver.typed(type, self._term(type))
            return self.executor.measured(near, partial(self.resolver.everything, type)), far
        parts = [self._whole(type) for type in self.types]
        return either(*parts), ()

    def _whole(self, type: str) -> Set:
        """One of several types: tests beyond SQL are done beforehand."""
        near, far = self.resolver.typed(type, self._term(type))
        near = self.executor.measured(near, partial(self.resolver.everything, type))
        return Chosen(tuple(self.executor.all_orders(near, far, ALL_TO_SORT))) if far else near

    def _term(self, type: str) -> Term:
        term = self.query.term(type)
        for asked in self.query.asked(type):
            refuse_far(self.caller, asked)
        of = self.request.compartment
        return term if of is None else And((members(type, of), term))

    # --- one page -----------------------------------------------------------------------------------------------------

    def _slice(self, near: Set, far: Sequence[Far], position: Position | None) -> _Slice:
        limit = self.query.count + 1
        if near == NOTHING:
            return _Slice([], False, False)
        descending = native(self.query)
        stored = None
        if descending is None:
            rows = Page(self.executor, self.resolver, self.query, limit, position).rows(near, far)
        else:
            stored = self._native(near, far, limit, position, descending)
            rows = [(row.o, ()) for row in stored]
        return _cut(rows, stored, len(rows) == limit, position)

    def _native(
        self, near: Set, far: Sequence[Far], limit: int, position: Position | None, descending: bool
    ) -> list[Stored]:
        if position is None:
            return self.executor.first(near, far, Span(), limit, descending)
        down = descending == position.forward
        span = Span(hi=position.o) if down else Span(lo=position.o + 1)
        stored = self.executor.first(near, far, span, limit, down)
        return stored if position.forward else stored[::-1]

    def _checked(self, cut: _Slice) -> tuple[list[Stored], set[str]]:
        """The resources of a page, type and restriction checked again: a list is found by a hash. And their main
        patients, which the check asks for and the audit trail too."""
        stored = cut.stored
        if stored is None:
            stored = self.session.read_places([o for o, _ in cut.rows], self.caller.tenant)
        types = self.types
        rows = [row for row in stored if row.type in types]
        patients = whose(rows)
        found = self.resolver.view.seen(rows, "s", patients)
        return found, set(patients if len(found) == len(rows) else whose(found))

    def _links(self, cut: _Slice, position: Position | None) -> dict[str, str]:
        base = self.link
        links = {"self": with_cursor(base, self.query.cursor)}
        if cut.before or cut.after:
            links["first"] = base
        if cut.rows and cut.after:
            links["next"] = self._link(base, True, cut.rows[-1])
        if cut.rows and cut.before:
            links["previous"] = self._link(base, False, cut.rows[0])
        if position is not None and not cut.rows:
            links["previous" if position.forward else "next"] = self._turned(base, position)
        return links

    def _link(self, base: str, forward: bool, row: Row) -> str:
        o, values = row
        return with_cursor(base, self.engine.cursors.seal(self.caller, self.bound, Position(forward, o, values)))

    def _turned(self, base: str, position: Position) -> str:
        """The way back from a page that was emptied meanwhile: the row that it began behind is on it."""
        down = first_descends(self.query) == position.forward
        return self._link(base, not position.forward, (position.o + (-1 if down else 1), position.values))

    # --- totals -------------------------------------------------------------------------------------------------------

    def _total(self, near: Set, far: Sequence[Far]) -> int | None:
        if self.query.total == "none":
            return None
        # The sizes that an estimate is made of count what others alone may see.
        exact = self.query.total == "accurate" or not unrestricted(self.caller, "s")
        return self._count(near, far, exact)

    def _count(self, near: Set, far: Sequence[Far], exact: bool) -> int:
        if far:
            return len(self.executor.all_orders(near, far, ALL_TO_SORT))
        if exact:
            return self.executor.count(near)
        counted = self.executor.count(near, ESTIMATED)
        return counted if counted < ESTIMATED else max(ESTIMATED, size(near))


def _lists(type: str, system: str, value: str) -> list[Key]:
    """Where a resource of ``type`` with that identifier stands."""
    parameter = standard(type).get("identifier")
    if parameter is None:
        raise BadSearch(f"{type} cannot be searched by identifier")
    return identifier_keys(type, parameter.branches, system, value)


def whose(rows: Iterable[Stored]) -> list[str]:
    """The main patient of each of ``rows`` ('': none)."""
    return [patient_of(row.type, row.id, row.doc) for row in rows]


def _refuse() -> tuple[str, ...]:
    raise Forbidden("No type may be searched.")


def _cut(rows: list[Row], stored: list[Stored] | None, more: bool, position: Position | None) -> _Slice:
    """One row more than the page was asked for: it says whether the page is the last, and is not shown."""
    if position is None or position.forward:
        end = -1 if more else None
        return _Slice(rows[:end], position is not None, more, stored and stored[:end])
    start = 1 if more else 0
    return _Slice(rows[start:], more, True, stored and stored[start:])
