"""The update interaction: by id, update as create, and conditional update.

FHIR R4 (https://hl7.org/fhir/R4/http.html#update, #cond-update).
"""

from typing import Any

from fhir_server.http.conditional import if_match, if_none_match_any
from fhir_server.http.response import Response
from fhir_server.interactions.create import received
from fhir_server.interactions.criteria import criteria_of
from fhir_server.interactions.exchange import Exchange
from fhir_server.interactions.written import written
from resources.errors import Invalid
from resources.repository import Put


def update(exchange: Exchange) -> Response:
    """PUT [type]/[id]: 200, or 201 when it made the resource. Raises Invalid, Conflict, PreconditionFailed."""
    resource = with_id(received(exchange), exchange.id)
    request = exchange.request
    command = Put(
        resource,
        exchange.type,
        exchange.id,
        if_match=if_match(request.header("IF_MATCH")),
        if_none_match=if_none_match_any(request.header("IF_NONE_MATCH")),
    )
    [outcome] = exchange.repository.commit([command])
    return written(exchange, outcome)


def conditional_update(exchange: Exchange) -> Response:
    """PUT [type]?criteria: updates the one match or creates. Raises MultipleMatches."""
    criteria = criteria_of(exchange)
    request = exchange.request
    command = Put(
        received(exchange),
        exchange.type,
        criteria=criteria,
        if_match=if_match(request.header("IF_MATCH")),
        if_none_match=if_none_match_any(request.header("IF_NONE_MATCH")),
    )
    [outcome] = exchange.repository.commit([command])
    return written(exchange, outcome, tell_location=True)


def with_id(resource: dict[str, Any], id: str) -> dict[str, Any]:
    """``resource`` when its id is that of the URL. Raises Invalid."""
    found = resource.get("id")
    if found != id:
        told = f"is {found[:64]!r}" if isinstance(found, str) else "is missing"
        raise Invalid(
            f"The URL names id {id!r} but the id of the resource {told}; both must be the same.",
            expression=_id_of(resource),
        )
    return resource


def _id_of(resource: dict[str, Any]) -> str:
    return f"{resource['resourceType']}.id"
