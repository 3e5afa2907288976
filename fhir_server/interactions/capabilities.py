"""The capabilities interaction.

FHIR R4 (https://hl7.org/fhir/R4/http.html#capabilities); _summary and _elements cut it down as any other resource.
"""

from capability.terminology import terminology_statement
from fhir_server.http.response import Response
from fhir_server.interactions.exchange import Exchange
from fhir_server.interactions.subset import asked, subset
from fhir_server.operations.terminology import TERMINOLOGY
from resources.errors import BadSearch

_MODES = ("full", "normative", "terminology")


def capabilities(exchange: Exchange) -> Response:
    """GET metadata: the CapabilityStatement, or with mode=terminology the TerminologyCapabilities. Raises BadSearch."""
    mode = exchange.request.param("mode") or "full"
    if mode not in _MODES:
        raise BadSearch(f"mode={mode[:40]} is unknown; it is one of {', '.join(_MODES)}.", expression="mode")
    service = exchange.service
    stated = terminology_statement(service.base, TERMINOLOGY) if mode == "terminology" else service.statement()
    return Response(200, subset(stated, *asked(exchange.request.query)))
