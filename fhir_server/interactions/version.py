"""A stored version as the answer to a read: 304 when the client has it, subset, or the raw content of a Binary.

FHIR R4 read, vread and conditional read (https://hl7.org/fhir/R4/http.html#read, #vread, #cread).
"""

from fhir_server.http.conditional import not_modified, version_headers
from fhir_server.http.negotiation import names_fhir
from fhir_server.http.response import Response
from fhir_server.interactions.binary import raw
from fhir_server.interactions.exchange import Exchange
from fhir_server.interactions.subset import asked, subset
from resources.repository import Version


def version_response(exchange: Exchange, version: Version) -> Response:
    """``version`` as the request asks for it."""
    request = exchange.request
    environ = request.environ
    headers = version_headers(version)
    none_match, since = environ.get("HTTP_IF_NONE_MATCH", ""), environ.get("HTTP_IF_MODIFIED_SINCE", "")
    if (none_match or since) and not_modified(version, none_match, since):
        return Response(304, headers=headers, content_type="")
    if version.type == "Binary" and not names_fhir(environ.get("HTTP_ACCEPT", ""), request.param("_format")):
        return raw(version, headers)
    doc = subset(version.doc, *asked(request.query, version.type)) if request.query else version.doc
    return Response(200, doc, headers)
