"""Conditional interactions: what their criteria lock, and the one resource they mean.

FHIR R4 http.html#ccreate, #cond-update, #cdelete. Two criteria can only disturb each other when one selects what the
other's resource brings along, so a commit that asks holds its criteria *and* the identifiers that it carries.
"""

from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qsl

from fhir_server.repository.services import Services
from fhir_server.store import Session, Stored
from resources.errors import MultipleMatches, PreconditionFailed
from resources.repository import Caller, Command, Create, Delete, Patch, Put
from resources.search_param.escapes import plain, split


def criteria_of(command: Command) -> str | None:
    """The query string by which ``command`` selects, or None when it names its resource."""
    if isinstance(command, Create):
        return command.if_none_exist
    return command.criteria if isinstance(command, Put | Patch | Delete) else None


def type_of(command: Command) -> str:
    """The resource type a writing ``command`` is about."""
    return command.resource["resourceType"] if isinstance(command, Create) else getattr(command, "type", "")


def lock_parts(type: str, criteria: str) -> Iterator[tuple[str, ...]]:
    """What to lock for ``criteria``: the identifiers when it selects by nothing else (all of them, or any of several
    after commas), else all criteria of the type."""
    pairs = parse_qsl(criteria, keep_blank_values=True)
    texts = [text for name, value in pairs if name == "identifier" for text in split(value, ",")]
    exact = ["|".join(map(plain, parts)) for text in texts if len(parts := split(text, "|")) == 2 and parts[1]]
    if exact and len(exact) == len(texts) and all(name == "identifier" for name, _ in pairs):
        yield from ((type, "identifier", value) for value in exact)
    else:
        yield (type, "criteria")


def carried(resource: dict[str, Any]) -> Iterator[tuple[str, ...]]:
    """What to lock for the identifiers that ``resource`` brings into the record."""
    found = resource.get("identifier")
    for identifier in found if isinstance(found, list) else [found]:
        if isinstance(identifier, dict) and "value" in identifier:
            yield (resource["resourceType"], "identifier", f"{identifier.get('system', '')}|{identifier['value']}")


def the_one(services: Services, session: Session, caller: Caller, type: str, criteria: str) -> Stored | None:
    """The one current resource that meets ``criteria``, None without any.

    Raises MultipleMatches; PreconditionFailed when the criteria select nothing in particular.
    """
    if not any(value for _, value in parse_qsl(criteria, keep_blank_values=True)):
        raise PreconditionFailed(
            f"The criteria {criteria!r} select nothing; give at least one search parameter with a value."
        )
    found = services.engine.matches(session, caller, type, criteria)
    if len(found) > 1:
        raise MultipleMatches(
            f"More than one {type} meets {criteria!r}; criteria that select one resource are expected."
        )
    return found[0] if found else None
