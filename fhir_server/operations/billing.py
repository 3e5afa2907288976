"""Operation of billing: Encounter/[id]/$charge.

Ours (docs/adr/billing.md); FHIR R4 ChargeItem and Claim, Parameters.
"""

from functools import partial
from typing import Any

from capability.rows import Operation
from fhir_server.billing.charging import Charging
from fhir_server.http.response import Response
from fhir_server.interactions.exchange import Exchange
from fhir_server.operations.parameters import read_parameters
from resources import json_codec
from resources.errors import Forbidden, Issue, operation_outcome
from resources.json_codec import decode_stored

_PATIENT_SIDE = ("Patient/", "RelatedPerson/")


def charge(charging: Charging, exchange: Exchange) -> Response:
    """The ChargeItem of a finished visit and the draft of its Claim: the same however often it is asked for; what is
    missing as warnings. Raises NotFound, Forbidden, BusinessRule, Conflict."""
    read_parameters(exchange, ())
    if exchange.repository.caller.who.startswith(_PATIENT_SIDE):
        raise Forbidden("Visits are charged by the site.")
    encounter = decode_stored(exchange.repository.read("Encounter", exchange.id).doc)
    charged = charging.charged(exchange.repository, encounter)
    parts: list[dict[str, Any]] = [
        {"name": name, "resource": decode_stored(version.doc)}
        for name, version in (("charge", charged.charge), ("claim", charged.claim))
        if version
    ]
    if charged.lacks:
        issues = [Issue("required", text, severity="warning") for text in charged.lacks]
        parts.append({"name": "outcome", "resource": operation_outcome(issues)})
    return Response(200, json_codec.encode({"resourceType": "Parameters", "parameter": parts}), [])


def billing_operations(charging: Charging) -> tuple[Operation, ...]:
    """The rows over ``charging``."""
    return (
        Operation(
            "charge",
            "urn:x-hearth:operation:charge",
            frozenset({"instance"}),
            frozenset({"Encounter"}),
            partial(charge, charging),
            "The charge of a finished visit and the draft of its claim, made when there are none.",
            affects_state=True,
        ),
    )
