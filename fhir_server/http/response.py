"""The response that interactions return and its way out: status, headers, bytes.

FHIR R4 RESTful API (https://hl7.org/fhir/R4/http.html#return), PEP 3333.
"""

from http import HTTPStatus

import msgspec

Headers = list[tuple[str, str]]

FHIR_JSON = "application/fhir+json; charset=utf-8"
FHIR_XML = "application/fhir+xml; charset=utf-8"

STATUS_LINES = {status.value: f"{status.value} {status.phrase}" for status in HTTPStatus}


class Response(msgspec.Struct, gc=False):
    """``body`` is FHIR JSON while ``content_type`` is FHIR_JSON: the edge then renders it as the client accepts;
    any other content type leaves as it is."""

    status: int
    body: bytes = b""
    headers: Headers = []
    content_type: str = FHIR_JSON
