"""The last step of every answer: the accepted format, ``_pretty``, compression, and the headers all answers share.

FHIR R4 (https://hl7.org/fhir/R4/http.html#parameters: _format, _pretty), RFC 9110 section 12.5.3 (Accept-Encoding).
"""

import re
import zlib
from functools import lru_cache

from fhir_server.http.negotiation import Format
from fhir_server.http.response import FHIR_JSON, FHIR_XML, Response
from resources import json_codec, xml_codec

_LEAST_PACKED = 1024
_LEVEL = 1  # the network is rarely slower than a higher level would be
_PRETTY = frozenset({"true", "1"})
_TEXT = re.compile(r"(application/(fhir\+)?(json|xml)|text/)")


def render(response: Response, wanted: Format, pretty: str) -> Response:
    """Turn a FHIR JSON body into the wanted format, in place. Raises NotAcceptable for what XML cannot carry."""
    if not response.body or response.content_type != FHIR_JSON:
        return response
    if wanted is Format.XML:
        response.body = xml_codec.encode(json_codec.decode_stored(response.body), pretty=pretty in _PRETTY)
        response.content_type = FHIR_XML
    elif pretty in _PRETTY:
        response.body = json_codec.pretty(response.body)
    return response


def compress(response: Response, accept_encoding: str) -> None:
    """Pack a text body of over a kilobyte when the client takes gzip, in place."""
    if len(response.body) <= _LEAST_PACKED or not takes_gzip(accept_encoding):
        return
    if not _TEXT.match(response.content_type):
        return
    packer = zlib.compressobj(_LEVEL, zlib.DEFLATED, 31)
    response.body = packer.compress(response.body) + packer.flush()
    response.headers.append(("Content-Encoding", "gzip"))


@lru_cache(maxsize=256)
def takes_gzip(accept_encoding: str) -> bool:
    """Whether Accept-Encoding lists gzip (or ``*``) with a weight above zero."""
    weights: dict[str, bool] = {}
    for part in accept_encoding.lower().split(","):
        name, _, weight = part.partition(";")
        weights[name.strip()] = weight.replace(" ", "") not in {"q=0", "q=0.0", "q=0.00", "q=0.000"}
    return weights.get("gzip", weights.get("*", False))
