"""The vread interaction.

FHIR R4 (https://hl7.org/fhir/R4/http.html#vread).
"""

from fhir_server.http.response import Response
from fhir_server.interactions.exchange import Exchange
from fhir_server.interactions.version import version_response
from resources.errors import NotFound


def version_number(text: str, what: str) -> int:
    """A version id of this server as a number. Raises NotFound for any other text: no such version was ever given."""
    if not (text.isascii() and text.isdigit()) or len(text) > 18 or text.startswith("0"):
        raise NotFound(f"{what} has no version {text[:64]!r}; versions here are 1, 2, 3 and so on.")
    return int(text)


def vread(exchange: Exchange) -> Response:
    """GET [type]/[id]/_history/[vid]. Raises NotFound, Gone."""
    number = version_number(exchange.rest, f"{exchange.type}/{exchange.id}")
    return version_response(exchange, exchange.repository.vread(exchange.type, exchange.id, number))
