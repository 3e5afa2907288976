"""The capabilities interaction.

FHIR R4 (https://hl7.org/fhir/R4/http.html#capabilities); _summary and _elements cut it down as any other resource.
"""

from fhir_server.http.response import Response
from fhir_server.interactions.exchange import Exchange
from fhir_server.interactions.subset import asked, subset
from resources.errors import BadSearch

_MODES = ("full", "normative", "terminology")


def capabilities(exchange: Exchange) -> Response:
    """GET metadata: the whole CapabilityStatement for every mode, as servers may. Raises BadSearch."""
    mode = exchange.request.param("mode") or "full"
    if mode not in _MODES:
        raise BadSearch(f"mode={mode[:40]} is unknown; it is one of {', '.join(_MODES)}.", expression="mode")
    return Response(200, subset(exchange.service.statement(), *asked(exchange.request.query)))
