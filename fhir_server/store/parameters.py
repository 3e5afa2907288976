"""The stored search parameters of one database, as this process last read them.

FHIR R4 SearchParameter (https://hl7.org/fhir/R4/searchparameter.html). Writes say with which generation their entries
were read, and the database refuses those of another (`OldRegistry`): only then are they read anew. Searches that ask
for a stored parameter, or for one that nobody knows, look first: `renewed`.
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from fhir_server.store import parameter_sql as sql
from fhir_server.store.model import DatabaseError
from fhir_server.store.parameter_sql import INDEXING, READY, State
from resources import json_codec
from resources.definitions import SearchParam
from resources.errors import FhirError, Gone
from resources.search_param.registry import BUILT_IN, MOST, Custom, Registry, current, meant, using

_MALFORMED = (LookupError, TypeError, ValueError, AttributeError)
log = logging.getLogger(__name__)


class StoredParameters:
    """The registry of ``store``; safe to share between threads."""

    def __init__(self, store: Any) -> None:
        self._store = store
        self._registry: Registry | None = None
        self._read: dict[int, tuple[int, str, SearchParam | None]] = {}

    def registry(self) -> Registry:
        """What was last read; read when there was nothing yet."""
        found = self._registry
        return self._anew() if found is None else found

    def latest(self) -> Registry:
        """What is in force now; what was last read when the database cannot be asked."""
        try:
            return self._anew()
        except FhirError:
            return self.registry()

    @contextmanager
    def pinned(self) -> Iterator[Registry]:
        """Work with one registry inside the block."""
        with using(self.registry()) as registry:
            yield registry

    def forget(self) -> None:
        """Others are in force: read them when they are next asked for."""
        self._registry = None

    def renewed(self) -> bool:
        """Look into the database; whether other parameters are in force, or ready, than are worked with here."""
        known = current()
        return not self._anew().is_like(known)

    def states(self) -> list[State]:
        """How far each is."""
        self._anew()
        return sql.states(self._session())

    def _session(self) -> Any:
        """A session that no statement of a search is counted in, nor anything that a transaction may take back; on
        SQLite there is but one."""
        session = self._store.session()
        busy = session.in_transaction or session.watching is not None
        return self._store.aside() if busy and self._store.dialect == "postgresql" else session

    def _anew(self) -> Registry:
        session = self._session()
        generation, applied = sql.generation(session)
        if generation != applied and not self._store.session().in_transaction:
            applied = self._bring_up_to_date(session, applied)
        rows = sql.states(session, INDEXING, READY) if applied else []
        found, known = _registry(applied, [row for row in rows if row.n != sql.WHOLE]), self._registry
        if known is None or not found.is_like(known):  # the same object serves on, and what was compiled with it
            known = self._registry = found
        return known

    def _bring_up_to_date(self, session: Any, before: int) -> int:
        """Make table parameter say what the SearchParameters say; the generation it is as of."""
        try:
            with session.transaction():
                generation, applied = sql.claimed(session)
                if generation != applied:
                    self._apply(session, generation)
                return generation
        except (FhirError, DatabaseError) as error:  # one that only reads, or is busy: what it says serves a search
            log.warning("search parameters not brought up to date: %s", type(error).__name__)
            return before

    def _apply(self, session: Any, generation: int) -> None:
        known = [row for row in sql.states(session, INDEXING, READY) if row.n != sql.WHOLE]
        wanted = self._wanted(session, {row.id: row.custom.param for row in known})
        gone = [row.n for row in known if wanted.get(row.id) != row.definition]
        kept = {row.id for row in known if row.n not in gone}
        new = [(id, text) for id, text in wanted.items() if id not in kept]
        first = generation * sql.AT_ONCE
        sql.add(session, [State(first + n, id, text, INDEXING, -1, 0, 0) for n, (id, text) in enumerate(new, 1)])
        sql.remove(session, gone, generation)
        if gone:
            sql.ask_for_all(session)
        sql.applied(session, generation)

    def _wanted(self, session: Any, known: dict[str, SearchParam]) -> dict[str, str]:
        """By id the definitions of the SearchParameters that are in force, ``known`` so far: of two by one code the
        older one. What cannot be opened stays as it was."""
        stored = sql.stored(session)
        unread = [rid for rid, version in stored if self._read.get(rid, (0,))[0] != version]
        for rid, version, id, doc in sql.documents(session, unread) if unread else ():
            try:
                self._read[rid] = (version, id, self._parameter(doc))
            except FhirError as error:
                log.error("SearchParameter/%s cannot be opened: %s", id, error)
                self._read[rid] = (0, id, known.get(id))
        found: list[Custom] = []
        for rid, _ in stored:
            _, id, param = self._read.get(rid, (0, "", None))
            if param and len(found) < MOST and not collides(param, found):
                found.append(Custom(0, id, param))
        return {custom.id: sql.definition(custom.param) for custom in found}

    def _parameter(self, sealed: bytes) -> SearchParam | None:
        from resources.search_param.custom import parameter_of  # FHIRPath, which a server may not need otherwise

        try:
            with using(BUILT_IN):
                return parameter_of(json_codec.decode_stored(self._store.sealer.open(sealed)))
        except Gone:
            return None
        except _MALFORMED as error:  # stored when nobody looked at it; it must not keep everybody from writing
            log.warning("a SearchParameter cannot be read: %s", type(error).__name__)
            return None


def collides(param: SearchParam, others: list[Custom]) -> bool:
    """Whether another parameter has its code for some resource type."""
    types = frozenset().union(*map(meant, param.base))
    alike = (other.param for other in others if other.param.code == param.code)
    return any(not types.isdisjoint(meant(base)) for other in alike for base in other.base)


def _registry(generation: int, rows: list[State]) -> Registry:
    if not generation:
        return BUILT_IN
    indexing = frozenset(row.n for row in rows if row.status == INDEXING)
    return Registry(generation, tuple(row.custom for row in rows), indexing)
