"""The read interaction.

FHIR R4 (https://hl7.org/fhir/R4/http.html#read).
"""

from fhir_server.http.response import Response
from fhir_server.interactions.exchange import Exchange
from fhir_server.interactions.version import version_response


def read(exchange: Exchange) -> Response:
    """GET [type]/[id]: the current version. Raises NotFound, Gone."""
    return version_response(exchange, exchange.repository.read(exchange.type, exchange.id))
