"""Stored search parameters in a query: that they are in force when it is read, and what is said of those being indexed.

FHIR R4 SearchParameter (https://hl7.org/fhir/R4/searchparameter.html). A search that names only what the specification
defines asks the database nothing more than before.
"""

from collections.abc import Callable, Iterator
from typing import Any

import msgspec

from fhir_server.search.parameters import branches, reference_names
from fhir_server.search.query import Query
from fhir_server.store.parameters import StoredParameters
from resources.definitions import RESOURCE_TYPES
from resources.errors import BadSearch, Issue, Unavailable
from resources.search_param.parameters import parameters as indexed
from resources.search_param.registry import Registry, using


def in_force(stored: StoredParameters, read: Callable[[], Query]) -> tuple[Registry, Query]:
    """What ``read`` gives, and the registry it was read with. One that names stored parameters, or some that nobody
    knows, is read with those that are in force now. Raises BadSearch."""
    with stored.pinned() as registry:
        try:
            query, error = read(), None
        except BadSearch as found:
            query, error = Query(()), found
        if not error and not _depends(registry, query):
            return registry, query
        renewed = stored.renewed()
    if renewed:
        with stored.pinned() as registry:
            return registry, read()
    if error:
        raise error
    return registry, query


def _depends(registry: Registry, query: Query) -> bool:
    """Whether others than those of ``registry`` might make a difference."""
    if query.issues or any(include.param == "*" for include in query.includes):
        return True
    return bool(registry.customs and _named(registry, query))


def unfinished(stored: StoredParameters, registry: Registry, query: Query) -> list[Issue]:
    """A warning for each parameter in ``query`` whose index is not complete."""
    if not registry.indexing:
        return []
    with using(registry):
        named = _named(registry, query) & registry.indexing
    states = {state.n: state for state in stored.states()} if named else {}
    return [_warning(states[n].custom.param.code, states[n].done, states[n].total) for n in sorted(named & set(states))]


def refuse_unfinished(stored: StoredParameters, registry: Registry, query: Query) -> None:
    """Raise Unavailable for criteria that would miss what is not indexed yet, and make a second one of it."""
    found = unfinished(stored, registry, query)
    if found:
        raise Unavailable(issues=[Issue("transient", issue.text) for issue in found])


def _warning(code: str, done: int, total: int) -> Issue:
    """How far it is in hundredths: how many resources there are is not for everybody."""
    far = f"{100 * done // total} % is done" if total else "it has just begun"
    text = f"The index of the search parameter '{code}' is being built: {far}. Until then results may be incomplete."
    return Issue("incomplete", text, severity="warning")


def _named(registry: Registry, query: Query) -> set[int]:
    """The numbers of the stored parameters that a query names; ``registry`` is the one worked with."""
    numbers = {custom.branch: custom.number for custom in registry.customs}
    return {numbers[text] for text in _texts(query) if text in numbers}


def _texts(query: Query) -> Iterator[str]:
    """The branches that a query names, and other texts in its terms."""
    for type in query.types:
        yield from _all(query.term(type))
        for key in query.sort:
            found = indexed(type).get(key.name)
            yield from (branch.text for branch in found.branches) if found else ()
    for include in query.includes:
        for source in sorted(RESOURCE_TYPES) if include.source == "*" else (include.source,):
            for name in reference_names(source) if include.param == "*" else (include.param,):
                yield from branches(source, name)


def _all(term: Any) -> Iterator[str]:
    """The texts in a term of any depth."""
    if isinstance(term, str):
        yield term
    elif isinstance(term, tuple):
        for part in term:
            yield from _all(part)
    elif isinstance(term, msgspec.Struct):
        for name in term.__struct_fields__:
            yield from _all(getattr(term, name))
