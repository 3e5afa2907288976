"""POST of a Bundle to the base: batch or transaction by its type.

FHIR R4 (https://hl7.org/fhir/R4/http.html#transaction).
"""

from collections.abc import Callable
from typing import Any

from fhir_server.http.response import Response
from fhir_server.interactions.batch import batch
from fhir_server.interactions.exchange import Exchange
from fhir_server.interactions.transaction import transaction
from resources.errors import Invalid

_TYPES: dict[str, Callable[[Exchange, dict[str, Any]], Response]] = {"batch": batch, "transaction": transaction}


def bundle(exchange: Exchange) -> Response:
    """POST [base]. Raises Invalid when the body is no Bundle of a type that can be processed."""
    resource = exchange.resource()
    if resource["resourceType"] != "Bundle":
        text = (
            f"The base takes a Bundle, not a {resource['resourceType'][:64]}; resources are created at [base]/[type]."
        )
        raise Invalid(text, expression="resourceType")
    type = resource.get("type")
    if not isinstance(type, str) or type not in _TYPES:
        told = f"is {type[:64]!r}" if isinstance(type, str) else "is missing"
        raise Invalid(f"Bundle.type {told}; the base processes batch and transaction only.", expression="Bundle.type")
    return _TYPES[type](exchange, resource)
