"""What a write answers: status, Location, ETag, Last-Modified, and the body the client prefers.

FHIR R4 (https://hl7.org/fhir/R4/http.html#create, #update, #return).
"""

from fhir_server.http.conditional import version_headers
from fhir_server.http.errors import outcome_bytes
from fhir_server.http.response import Response
from fhir_server.interactions.exchange import Exchange
from resources.errors import Issue
from resources.repository import Outcome, Version


def done_issue(outcome: Outcome) -> Issue:
    """A sentence on what a write did, for Prefer: return=OperationOutcome."""
    words = {201: "was created", 204: "was deleted"}.get(
        outcome.status, "was stored" if outcome.changed else "is unchanged"
    )
    version = outcome.version
    named = f"{version.reference} {words}, version {version.version}." if version else "Nothing was there to delete."
    return Issue("informational", named, severity="information")


def located(version: Version) -> str:
    """The version's place below the base: ``Patient/1/_history/2``."""
    return f"{version.type}/{version.id}/_history/{version.version}"


def written(exchange: Exchange, outcome: Outcome, *, tell_location: bool = False) -> Response:
    """The answer to a create, update or patch."""
    version = outcome.version
    assert version is not None  # only a Delete may come to nothing
    headers = version_headers(version)
    if outcome.status == 201 or tell_location:
        headers.append(("Location", f"{exchange.service.base}/{located(version)}"))
    return Response(outcome.status, _preferred(exchange, outcome, version), headers)


def _preferred(exchange: Exchange, outcome: Outcome, version: Version) -> bytes:
    returning = exchange.prefer.returning
    if returning == "minimal":
        return b""
    if returning == "OperationOutcome":
        return outcome_bytes([done_issue(outcome)])
    return version.doc
