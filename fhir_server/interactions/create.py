"""The create interaction, conditional create included.

FHIR R4 (https://hl7.org/fhir/R4/http.html#create, #ccreate).
"""

from typing import Any

from fhir_server.http.response import Response
from fhir_server.interactions import binary
from fhir_server.interactions.exchange import Exchange
from fhir_server.interactions.written import written
from resources.errors import Invalid
from resources.repository import Create


def create(exchange: Exchange) -> Response:
    """POST [type]: 201 with Location; with If-None-Exist 200 when one matches. Raises Invalid, MultipleMatches."""
    resource = received(exchange)
    criteria = exchange.request.environ.get("HTTP_IF_NONE_EXIST")
    command = Create(resource, if_none_exist=cleaned_criteria(criteria, exchange.type) if criteria else None)
    [outcome] = exchange.repository.commit([command])
    return written(exchange, outcome, tell_location=True)


def received(exchange: Exchange) -> dict[str, Any]:
    """The resource in the body, of the type that the path names. Raises Invalid."""
    resource = binary.received(exchange) if exchange.type == "Binary" else exchange.resource()
    return of_type(resource, exchange.type)


def of_type(resource: dict[str, Any], type: str) -> dict[str, Any]:
    """``resource`` when it is a ``type``. Raises Invalid."""
    found = resource["resourceType"]
    if found != type:
        raise Invalid(f"The URL names {type} but the resource is of type {found[:64]}.", expression="resourceType")
    return resource


def cleaned_criteria(text: str, type: str) -> str:
    """Search criteria as a bare query string: ``?`` and ``Patient?`` in front are taken off."""
    return text.strip().removeprefix(type).removeprefix("?")
