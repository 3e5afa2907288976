"""Binary in its native form: any content type in, the same bytes out.

FHIR R4 Binary, "Serving Binary Resources using the RESTful API" (https://hl7.org/fhir/R4/binary.html#rest).
"""

import base64
import re
from typing import Any

from fhir_server.http.negotiation import Format, media_type
from fhir_server.http.response import Headers, Response
from fhir_server.interactions.exchange import Exchange
from resources import json_codec
from resources.errors import BadSyntax, FhirError, UnsupportedMediaType
from resources.literal_reference import local
from resources.repository import Version

_ALWAYS_FHIR = {"application/fhir+json": Format.JSON, "application/fhir+xml": Format.XML}
_MAYBE_FHIR = frozenset({"application/json", "application/xml", "text/xml"})
_HEADER_TEXT = re.compile(r"[\x21-\x7e]{1,1000}")
# What a Binary holds came from outside: a browser may not run it in our origin.
_SAFE = [("Content-Security-Policy", "sandbox; default-src 'none'")]
_MEDIA_TYPE = re.compile(r"[\w.+-]+/[\w.+-]+(;\s*[\w.+-]+=(\"[\w.+ -]*\"|[\w.+-]+))*", re.ASCII)


def received(exchange: Exchange) -> dict[str, Any]:
    """The Binary resource in the body, or one made of the body as it is. Raises UnsupportedMediaType, BadSyntax."""
    name, _ = media_type(exchange.request.content_type)
    if name in _ALWAYS_FHIR:
        return exchange.resource()
    if not name:
        raise UnsupportedMediaType("A Binary needs a Content-Type: that of its data, or application/fhir+json.")
    body = exchange.body()
    return _if_binary(exchange, name, body) or _wrapped(exchange, body)


def _if_binary(exchange: Exchange, name: str, body: bytes) -> dict[str, Any] | None:
    # Plain JSON or XML may be a Binary resource or a file of that type; only the content tells.
    if name not in _MAYBE_FHIR or b"Binary" not in body[:4096]:
        return None
    try:
        found = exchange.parsed(body)
    except FhirError:
        return None
    return found if found["resourceType"] == "Binary" else None


def _wrapped(exchange: Exchange, body: bytes) -> dict[str, Any]:
    binary: dict[str, Any] = {"resourceType": "Binary", "contentType": exchange.request.content_type.strip()}
    if exchange.id:
        binary["id"] = exchange.id
    if security := exchange.request.header("X_SECURITY_CONTEXT"):
        binary["securityContext"] = {"reference": _security_context(exchange, security)}
    if body:
        binary["data"] = base64.b64encode(body).decode()
    return binary


def _security_context(exchange: Exchange, header: str) -> str:
    reference = header.strip().removeprefix(f"{exchange.service.base}/")
    if local(reference) is None:
        raise BadSyntax(
            "X-Security-Context takes a reference such as Patient/123.", expression="Binary.securityContext"
        )
    return reference


def raw(version: Version, headers: Headers) -> Response:
    """The data of a Binary with its content type, as a plain answer."""
    binary = json_codec.decode_stored(version.doc)
    headers = [*headers, *_SAFE]
    reference = binary.get("securityContext", {}).get("reference", "")
    if _HEADER_TEXT.fullmatch(reference):
        headers.append(("X-Security-Context", reference))
    return Response(200, _data(binary), headers, _content_type(binary))


def _data(binary: dict[str, Any]) -> bytes:
    try:
        return base64.b64decode(binary.get("data", ""))
    except ValueError:
        return b""


def _content_type(binary: dict[str, Any]) -> str:
    # The element was the client's text: only what is a media type may become a header.
    text = binary.get("contentType", "")
    return text if _MEDIA_TYPE.fullmatch(text) else "application/octet-stream"
