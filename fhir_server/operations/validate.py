"""$validate: what would happen if this resource were written.

FHIR R4 (https://hl7.org/fhir/R4/resource-operation-validate.html).
"""

from typing import Any

from fhir_server.http.errors import outcome_bytes
from fhir_server.http.response import Response
from fhir_server.interactions.exchange import Exchange
from fhir_server.operations.parameters import Parameters, read_parameters
from resources import json_codec, validation
from resources.errors import FhirError, Invalid, Issue

_MODES = ("create", "update", "delete", "profile")


def validate(exchange: Exchange) -> Response:
    """$validate: 200 with an OperationOutcome that holds every issue, or says that there is none.

    Raises Invalid when the call itself is wrong (no resource, unknown mode).
    """
    given = read_parameters(exchange, ("resource", "mode", "profile"))
    mode = given.value("mode")
    if mode and mode not in _MODES:
        raise Invalid(f"mode={mode[:40]} is unknown; it is one of {', '.join(_MODES)}.", expression="mode")
    if mode == "delete":
        return _deletable(exchange)
    issues = _issues(exchange, _subject(exchange, given), mode)
    return Response(200, outcome_bytes([*issues, *_unchecked(given)] or [_fine()]))


def _subject(exchange: Exchange, given: Parameters) -> dict[str, Any]:
    if "resource" in given.resources:
        return given.resources["resource"]
    if exchange.id:
        return json_codec.decode_stored(exchange.repository.read(exchange.type, exchange.id).doc)
    raise Invalid(
        "The parameter resource is missing: post a resource, or Parameters that hold it.",
        expression="Parameters.parameter",
    )


def _issues(exchange: Exchange, resource: dict[str, Any], mode: str) -> list[Issue]:
    issues: list[Issue] = []
    if resource.get("resourceType") != exchange.type:
        issues.append(
            Issue("invalid", f"The URL names {exchange.type} but the resource is another type.", "resourceType")
        )
    if mode == "update" and exchange.id and resource.get("id") != exchange.id:
        issues.append(
            Issue("invalid", f"An update of {exchange.id} needs a resource with that id.", f"{exchange.type}.id")
        )
    try:
        validation.check(resource)
    except FhirError as error:
        issues.extend(error.issues)
    return issues


def _unchecked(given: Parameters) -> list[Issue]:
    """Silence on a profile that was not looked at would read as approval."""
    return [
        Issue(
            "not-supported",
            f"The profile {profile[:200]} is not installed here, so it was not checked.",
            severity="warning",
        )
        for profile in given.all("profile")
    ]


def _deletable(exchange: Exchange) -> Response:
    if not exchange.id:
        raise Invalid("mode=delete is asked of one resource: [type]/[id]/$validate.", expression="mode")
    exchange.repository.read(exchange.type, exchange.id)
    return Response(200, outcome_bytes([_fine()]))


def _fine() -> Issue:
    return Issue("informational", "No issues were found.", severity="information")
