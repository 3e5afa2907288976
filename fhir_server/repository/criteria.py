"""Conditional interactions: what their criteria lock, and the one resource they mean.

FHIR R4 http.html#ccreate, #cond-update, #cdelete. Two criteria can only disturb each other when one selects what the
other's resource brings along, so a commit that asks holds its criteria *and* the identifiers that it carries.
"""

from collections.abc import Collection, Iterator, Sequence
from functools import lru_cache
from typing import Any
from urllib.parse import parse_qsl

from fhir_server.repository.services import Services
from fhir_server.store import Session, Stored
from resources.errors import MultipleMatches, PreconditionFailed
from resources.repository import Caller, Command, Create, Delete, Patch, Put
from resources.search_param.escapes import plain, split
from resources.search_param.parameters import standard

MOST_IDENTIFIERS = 100
"""Of criteria that are looked up together with others."""


Identities = tuple[tuple[str, str], ...]
"""Identifiers (system, value), any of which selects."""


def criteria_of(command: Command) -> str | Identities | None:
    """The query string or the identifiers by which ``command`` selects, or None when it names its resource."""
    if isinstance(command, Create):
        return command.if_none_exist
    if isinstance(command, Put):
        return command.criteria if command.criteria is not None else command.identities or None
    return command.criteria if isinstance(command, Patch | Delete) else None


def type_of(command: Command) -> str:
    """The resource type a writing ``command`` is about."""
    return command.resource["resourceType"] if isinstance(command, Create) else getattr(command, "type", "")


def lock_parts(type: str, criteria: str | Identities) -> Iterator[tuple[str, ...]]:
    """What to lock for ``criteria``: the identifiers when it selects by nothing else (all of them, or any of several
    after commas), else all criteria of the type."""
    exact = _exact(criteria)
    if exact:
        yield from ((type, "identifier", f"{system}|{value}") for each in exact for system, value in each)
    else:
        yield (type, "criteria")


def _exact(criteria: str | Identities) -> tuple[Identities, ...]:
    return _identifiers(criteria) if isinstance(criteria, str) else (criteria,)


@lru_cache(maxsize=512)  # of one commit: asked for its locks, and again to be looked up
def _identifiers(criteria: str) -> tuple[tuple[tuple[str, str], ...], ...]:
    """For each parameter the identifiers (system, value) that it takes one of; () when there are other criteria."""
    pairs = parse_qsl(criteria.removeprefix("?"), keep_blank_values=True)
    texts = [[split(text, "|") for text in split(value, ",")] for _, value in pairs]
    if any(name != "identifier" for name, _ in pairs) or any(len(t) != 2 or not t[1] for each in texts for t in each):
        return ()
    return tuple(tuple((plain(system), plain(value)) for system, value in each) for each in texts)


def carried(resource: dict[str, Any]) -> Iterator[tuple[str, ...]]:
    """What to lock for the identifiers that ``resource`` brings into the record."""
    found = resource.get("identifier")
    for identifier in found if isinstance(found, list) else [found]:
        if isinstance(identifier, dict) and "value" in identifier:
            yield (resource["resourceType"], "identifier", f"{identifier.get('system', '')}|{identifier['value']}")


def the_ones(
    services: Services, session: Session, caller: Caller, wanted: Collection[tuple[str, str | Identities]]
) -> dict[tuple[str, str | Identities], Sequence[Stored]]:
    """What meets each of the (type, criteria) that select by any of some identifiers: one look for all of them.

    Others are left out: `the_one` looks for them one by one.
    """
    asked = {key: _exact(key[1]) for key in wanted if "identifier" in standard(key[0])}
    exact = {key: found[0] for key, found in asked.items() if len(found) == 1 and len(found[0]) <= MOST_IDENTIFIERS}
    identities = [(type, *each) for (type, _), any in exact.items() for each in any]
    known = services.engine.listed(session, caller, identities)
    return {
        (type, criteria): list({row.id: row for each in any for row in known.get((type, *each), ())}.values())
        for (type, criteria), any in exact.items()
    }


def the_one(
    services: Services, session: Session, caller: Caller, type: str, criteria: str | Identities
) -> Stored | None:
    """The one current resource that meets ``criteria``, None without any.

    Raises MultipleMatches; PreconditionFailed when the criteria select nothing in particular.
    """
    if not isinstance(criteria, str):
        rows = services.engine.identified(session, caller, [(type, *each) for each in criteria], ())
        return single(rows, type, criteria)
    if not any(value for _, value in parse_qsl(criteria, keep_blank_values=True)):
        raise PreconditionFailed(
            f"The criteria {criteria!r} select nothing; give at least one search parameter with a value."
        )
    return single(services.engine.matches(session, caller, type, criteria), type, criteria)


def single(found: Sequence[Stored], type: str, criteria: str | Identities) -> Stored | None:
    """The one of ``found``, None without any. Raises MultipleMatches."""
    if len(found) > 1:
        raise MultipleMatches(
            f"More than one {type} meets {criteria!r}; criteria that select one resource are expected."
        )
    return found[0] if found else None
