"""The search interaction: of a type, of the whole system, in a compartment; by GET and by POST.

FHIR R4 (https://hl7.org/fhir/R4/http.html#search, search.html).
"""

from urllib.parse import urlencode

from fhir_server.http.negotiation import media_type
from fhir_server.http.request import Pairs, parse_query
from fhir_server.http.response import Response
from fhir_server.interactions.criteria import OF_THE_ANSWER, search_pairs
from fhir_server.interactions.exchange import Exchange
from fhir_server.interactions.searchset import searchset
from fhir_server.interactions.subset import asked
from resources import definitions
from resources.errors import BadSyntax, NotFound, UnsupportedMediaType
from resources.repository import SearchRequest

_FORM = "application/x-www-form-urlencoded"


def search(exchange: Exchange) -> Response:
    """GET [type]?... or GET [base]?... Raises BadSearch, TooCostly."""
    return _answer(exchange, exchange.request.query)


def search_by_post(exchange: Exchange) -> Response:
    """POST [type]/_search or [base]/_search: parameters of the form and of the URL count together."""
    return _answer(exchange, exchange.request.query + _form(exchange))


def _form(exchange: Exchange) -> Pairs:
    name, _ = media_type(exchange.request.content_type)
    body = exchange.body()
    if name != _FORM and (name or body):
        raise UnsupportedMediaType(
            f"A search by POST is sent as {_FORM}, not as {name[:100] or 'a body without Content-Type'}."
        )
    try:
        return parse_query(body.decode("ascii")) if body else ()
    except UnicodeDecodeError:
        raise BadSyntax("The form is not percent-encoded UTF-8.") from None


def _answer(exchange: Exchange, query: Pairs) -> Response:
    request, place = search_request(exchange, query)
    asked(request.params, request.type)
    page = exchange.repository.search(request)
    carried = urlencode([pair for pair in query if pair[0] in OF_THE_ANSWER]) if query else ""
    return Response(200, searchset(page, exchange.service.base, place, carried))


def search_request(exchange: Exchange, query: Pairs) -> tuple[SearchRequest, str]:
    """The search that the path and ``query`` ask for, and the path its links name. Raises NotFound."""
    pairs = search_pairs(query)
    if not exchange.rest:
        return SearchRequest(exchange.type, pairs, lenient=exchange.lenient), exchange.type
    if exchange.type not in definitions.compartment_codes():
        raise NotFound(
            f"There is no {exchange.type} compartment; compartments are {', '.join(definitions.compartment_codes())}."
        )
    compartment = (exchange.type, exchange.id)
    type = "" if exchange.rest == "*" else exchange.rest
    return SearchRequest(type, pairs, compartment, exchange.lenient), f"{exchange.type}/{exchange.id}/{exchange.rest}"
