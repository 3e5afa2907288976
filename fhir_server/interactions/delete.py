"""The delete interaction, conditional delete included.

FHIR R4 (https://hl7.org/fhir/R4/http.html#delete, #3.1.0.7.1).
"""

from fhir_server.http.conditional import etag, if_match
from fhir_server.http.errors import outcome_bytes
from fhir_server.http.response import Response
from fhir_server.interactions.criteria import criteria_of
from fhir_server.interactions.exchange import Exchange
from fhir_server.interactions.written import done_issue
from resources.repository import Delete, Outcome


def delete(exchange: Exchange) -> Response:
    """DELETE [type]/[id]: 204, also when nothing was there. Raises Conflict when the resource is referred to."""
    seen = if_match(exchange.request.header("IF_MATCH"))
    [outcome] = exchange.repository.commit([Delete(exchange.type, exchange.id, if_match=seen)])
    return _deleted(exchange, outcome)


def conditional_delete(exchange: Exchange) -> Response:
    """DELETE [type]?criteria: at most one match is deleted. Raises MultipleMatches."""
    criteria, seen = criteria_of(exchange), if_match(exchange.request.header("IF_MATCH"))
    [outcome] = exchange.repository.commit([Delete(exchange.type, criteria=criteria, if_match=seen)])
    return _deleted(exchange, outcome)


def _deleted(exchange: Exchange, outcome: Outcome) -> Response:
    version = outcome.version
    headers = [("ETag", etag(version.version))] if version else []
    if exchange.prefer.returning == "OperationOutcome":
        return Response(200, outcome_bytes([done_issue(outcome)]), headers)
    return Response(204, headers=headers, content_type="")
