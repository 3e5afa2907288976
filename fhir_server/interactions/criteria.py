"""The search criteria of a conditional update, patch or delete: the query without the parameters of the answer.

FHIR R4 (https://hl7.org/fhir/R4/http.html#cond-update, #3.1.0.7.1).
"""

from urllib.parse import urlencode

from fhir_server.http.request import Pairs
from fhir_server.interactions.exchange import Exchange
from resources.errors import PreconditionFailed

OF_THE_ANSWER = frozenset({"_format", "_pretty", "fhirVersion"})


def search_pairs(query: Pairs) -> Pairs:
    """The pairs that select: without those that shape the answer."""
    return tuple(pair for pair in query if pair[0] not in OF_THE_ANSWER)


def criteria_text(query: Pairs) -> str:
    """The criteria as a query string. Raises PreconditionFailed without any: they would match everything."""
    pairs = [pair for pair in search_pairs(query) if pair[1]]
    if not pairs:
        raise PreconditionFailed(
            "A conditional interaction needs search criteria, such as ?identifier=system|value; there are none."
        )
    return urlencode(pairs)


def criteria_of(exchange: Exchange) -> str:
    """The criteria of the request."""
    return criteria_text(exchange.request.query)
