"""The patch interaction: JSON Patch, XML Patch and FHIRPath Patch, by id or by criteria.

FHIR R4 (https://hl7.org/fhir/R4/http.html#patch, fhirpatch.html), RFC 6902, RFC 5261.
"""

from collections.abc import Callable
from typing import Any

from fhir_server.http.conditional import if_match
from fhir_server.http.negotiation import media_type
from fhir_server.http.response import Response
from fhir_server.interactions.criteria import criteria_of
from fhir_server.interactions.exchange import Exchange
from fhir_server.interactions.written import written
from resources.errors import BadSyntax, Invalid, UnsupportedMediaType
from resources.patch import fhirpath_patch, json_patch, xml_patch
from resources.repository import Patch

Apply = Callable[[dict[str, Any]], dict[str, Any]]


def patch(exchange: Exchange) -> Response:
    """PATCH [type]/[id]. Raises NotFound, Gone, PreconditionFailed, Invalid when the patch does not fit."""
    seen = if_match(exchange.request.header("IF_MATCH"))
    [outcome] = exchange.repository.commit([Patch(exchange.type, received_patch(exchange), exchange.id, if_match=seen)])
    return written(exchange, outcome)


def conditional_patch(exchange: Exchange) -> Response:
    """PATCH [type]?criteria. Raises NotFound for no match, MultipleMatches."""
    criteria, seen = criteria_of(exchange), if_match(exchange.request.header("IF_MATCH"))
    command = Patch(exchange.type, received_patch(exchange), criteria=criteria, if_match=seen)
    [outcome] = exchange.repository.commit([command])
    return written(exchange, outcome)


def received_patch(exchange: Exchange) -> Apply:
    """The patch in the body, ready to be applied. Raises UnsupportedMediaType, BadSyntax."""
    name, _ = media_type(exchange.request.content_type)
    if name in PATCH_FORMATS:
        return PATCH_FORMATS[name](exchange.body() or _refuse_empty())
    if name not in _RESOURCE_FORMATS:
        listed = ", ".join([*PATCH_FORMATS, "application/fhir+json (a Parameters resource)"])
        raise UnsupportedMediaType(
            f"A patch is sent as {listed}; not as {name[:100] or 'a body without Content-Type'}."
        )
    return parameters_patch(exchange.resource())


def _refuse_empty() -> bytes:
    raise BadSyntax("The body is empty; a patch is expected.")


def parameters_patch(resource: dict[str, Any]) -> Apply:
    """A FHIRPath Patch. Raises Invalid when ``resource`` is no Parameters."""
    if resource.get("resourceType") != "Parameters":
        raise Invalid("A FHIRPath Patch is a Parameters resource.", expression="resourceType")
    return lambda current: fhirpath_patch.apply(current, resource)


def json_document(body: bytes) -> Apply:
    """A JSON Patch document. Raises BadSyntax."""
    operations = json_patch.parse(body)
    return lambda current: json_patch.apply(current, operations)


def xml_document(body: bytes) -> Apply:
    """An XML Patch document. Raises BadSyntax."""
    return lambda current: xml_patch.apply(current, body)


PATCH_FORMATS: dict[str, Callable[[bytes], Apply]] = {
    "application/json-patch+json": json_document,
    "application/xml-patch+xml": xml_document,
}
_RESOURCE_FORMATS = frozenset(
    {"application/fhir+json", "application/json", "application/fhir+xml", "application/xml", "text/xml"}
)
