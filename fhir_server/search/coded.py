"""Codes in a value set, above or below another code: the lists of those that are in use.

FHIR R4 Search, :in, :not-in, :above, :below (https://hl7.org/fhir/R4/search.html#modifiers). A few lists are joined to
the search as any alternative codes are; of many lists beside something that can be walked, each row is asked instead,
so that the cost is that of the page whatever the size of the value set.
"""

from collections.abc import Sequence
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, NoReturn

from msgspec.structs import replace

from fhir_server.search.restriction import granted
from fhir_server.store import Stored
from fhir_server.store.expansion_sql import codes as kept_codes
from fhir_server.store.expansion_sql import lists as kept_lists
from fhir_server.store.expansion_sql import used
from fhir_server.store.search_sets import NOTHING, Lists, Set, either
from fhir_server.terminology.expansions import Codes, Expansion, Name, expansion
from fhir_server.terminology.stored import Asked
from resources import definitions, search_param
from resources.errors import TooCostly
from resources.search_param.matching import Subject
from resources.search_param.terms import All, Coded, Key, Lookup, Not, Or, Post, Term
from resources.search_param.token import CODED, plain_key
from resources.terminology.compose import ANY

if TYPE_CHECKING:
    from fhir_server.search.resolve import Resolver

FEW_LISTS = 64
"""Lists that are probed for each row."""
FEW_CODES = 500
"""Codes of an expansion that are looked for one by one; of more, each code in use is looked for in the expansion."""
MOST_PLAIN = 2_500
"""Codes that a branch without code systems is asked for."""
ATTEMPTS = 3
SHORT = 2_000
"""Members of all lists together that are rather named than asked for row by row."""
MOST_RESOURCES = 200
"""Resources of one canonical URL or of all that one expansion depends on, at a time."""


def is_coded(term: Term) -> bool:
    """Whether ``term`` asks for sets of codes and nothing else, or for what has none of them."""
    if isinstance(term, Not):
        return is_coded(term.term)
    if isinstance(term, Or) and len(term.terms) > FEW_LISTS and all(isinstance(t, Post | Lookup) for t in term.terms):
        return True  # as long as a value set, though named one by one
    return isinstance(term, Coded) or (isinstance(term, Or) and bool(term.terms) and all(map(is_coded, term.terms)))


def coded(resolver: "Resolver", term: Coded) -> Set:
    """The members of ``term``. Raises BadSearch for what is not known here, TooCostly."""
    hashes = _hashes(resolver, term)
    return resolver.lists(hashes, term.form) if hashes else NOTHING


def beside(resolver: "Resolver", type: str, term: Term) -> tuple[Set, "FarCoded | None"]:
    """``term``, which ``is_coded``, beside something else that can be walked: as a set, or as a test of its rows."""
    if isinstance(term, Not):
        near, far = beside(resolver, type, term.term)
        return near, far and FarCoded(resolver, far.branches, far.hashes, not far.wanted)
    near = resolver.as_set(type, term)
    if not isinstance(near, Lists) or len(near.hashes) <= FEW_LISTS:
        return near, None
    members = resolver.executor.length(near)
    if members < SHORT:
        return replace(near, size=members), None
    return near, FarCoded(resolver, frozenset(_branches(term)), frozenset(near.hashes), True)


class _Gone(Exception):
    """The rows of an expansion are no longer there."""


class FarCoded:
    """Whether a row is on one of many lists, read from its document."""

    def __init__(self, resolver: "Resolver", branches: frozenset[str], hashes: frozenset[int], wanted: bool) -> None:
        self.resolver, self.branches, self.hashes, self.wanted = resolver, branches, hashes, wanted

    def keep(self, rows: Sequence[Stored]) -> set[int]:
        return {row.o for row in rows if self._is_on(row) == self.wanted}

    def _is_on(self, row: Stored) -> bool:
        h, tenant = self.resolver.store.hasher.h, self.resolver.tenant
        posts = Subject(row.type, row.id, row.updated, row.doc).posts
        return any(key.branch in self.branches and h(tenant, key) in self.hashes for key in posts)


def _branches(term: Term) -> list[str]:
    if isinstance(term, Or):
        return [branch for part in term.terms for branch in _branches(part)]
    if isinstance(term, Post):
        return [term.key.branch]
    return [term.branch] if isinstance(term, Coded | Lookup) else []


# --- from codes to lists ------------------------------------------------------------------------------------------


def _hashes(resolver: "Resolver", term: Coded) -> tuple[int, ...]:
    """An expansion that others drop between two statements is made again."""
    of = term.of.removeprefix(f"{resolver.base}/") if resolver.base else term.of
    find, versions = partial(_found, resolver), partial(_versions, resolver)
    read = _coded_lists if term.form == CODED else _plain_lists
    for _ in range(ATTEMPTS):
        found = expansion(resolver.session, resolver.tenant, term.how, of, find, versions)
        with suppress(_Gone):
            return tuple(sorted(read(resolver, term, found)))
    raise TooCostly(f"The codes of {of[:300]} change faster than they can be read; search again.")


def _coded_lists(resolver: "Resolver", term: Coded, found: Expansion) -> list[int]:
    session, tenant = resolver.session, resolver.tenant
    if found.codes is None and (found.whole or found.size > FEW_CODES):
        lists = kept_lists(session, found.id, tenant, term.type, term.branch, term.form)
        return _gone() if lists is None else lists
    codes = _all_codes(resolver, found, ())
    fresh = resolver.store.hasher.fresh
    lists = [fresh(tenant, Key(term.type, term.branch, CODED, f"{s}|{c}")) for s, c in codes if c != ANY]
    lists = used(session, lists)
    for system in {s for s, c in codes if c == ANY}:
        whole = resolver.as_set(term.type, Lookup(term.type, term.branch, CODED, system=system))
        lists += whole.hashes if isinstance(whole, Lists) else ()
    return lists


def _plain_lists(resolver: "Resolver", term: Coded, found: Expansion) -> list[int]:
    """The lists of codes that have no system of their own: the binding tells it, else any system will do."""
    known = definitions.codes(term.binding) if term.binding else {}
    names: set[str] = set()
    for system, code in _all_codes(resolver, found, tuple(known)):
        if code == ANY and system not in known:
            raise TooCostly(f"All codes of {system[:300]} are too many to look for.")
        names.update(known[system] if code == ANY else (code,))
    if len(names) > MOST_PLAIN:
        raise TooCostly(f"The value set has {len(names)} codes; {MOST_PLAIN} can be looked for here.")
    return [resolver.store.hasher.h(resolver.tenant, plain_key(term.type, term.branch, name)) for name in names]


def _all_codes(resolver: "Resolver", found: Expansion, systems: tuple[str, ...]) -> list[Name] | Codes:
    if found.codes is not None:
        return [pair for pair in found.codes if pair[0] in systems] if systems else found.codes
    codes = kept_codes(resolver.session, found.id, systems)
    return _gone() if codes is None else codes


def _gone() -> NoReturn:
    raise _Gone


# --- what the caller may see --------------------------------------------------------------------------------------


def _found(resolver: "Resolver", asked: Asked) -> Sequence[Stored]:
    """The resources that answer one question. Nothing where the type is not open: as if there were none."""
    if not granted(resolver.caller, asked.type, "s"):
        return ()
    near, far = resolver.typed(asked.type, _term(asked))
    rows = resolver.executor.rows(asked.type, near, far, MOST_RESOURCES)
    return resolver.view.seen(rows, "s")


def _term(asked: Asked) -> Term:
    if not asked.parameter:
        return All(asked.type)
    return search_param.compile_param(asked.type, asked.parameter, "", escaped(asked.value))


def escaped(value: str) -> str:
    """A value as a query holds it."""
    for character in "\\,|$":
        value = value.replace(character, f"\\{character}")
    return value


def _versions(resolver: "Resolver", asked: Sequence[Asked]) -> list[tuple[str, str, int]] | None:
    parts: list[Set] = []
    for type in sorted({each.type for each in asked}):
        if not granted(resolver.caller, type, "s"):
            continue
        near, far = resolver.typed(type, Or(tuple(_term(each) for each in asked if each.type == type)))
        if far:
            return None
        parts.append(near)
    return resolver.executor.versions(either(*parts)) if parts else []
