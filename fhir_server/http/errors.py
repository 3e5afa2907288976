"""The one edge where errors become answers: FhirError to OperationOutcome, anything else to a 500 that tells nothing.

FHIR R4 (https://hl7.org/fhir/R4/http.html#Status-Codes, operationoutcome.html).
"""

import logging
import re
from collections.abc import Iterable
from dataclasses import replace

from fhir_server.http.response import Response
from fhir_server.logs import raised_at
from resources import json_codec
from resources.errors import FhirError, Issue, LoginRequired, MethodNotAllowed, OutcomeUnknown, operation_outcome

log = logging.getLogger("hearth.http")

_NO_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")

_EXTRA_HEADERS = {
    401: [("WWW-Authenticate", 'Bearer realm="hearth"')],
    503: [("Retry-After", "2")],
}


class WrongMethod(MethodNotAllowed):
    """The path is known but not with this method; ``allow`` lists the methods that are."""

    def __init__(self, method: str, allow: Iterable[str]) -> None:
        self.allow = ", ".join(sorted(allow))
        super().__init__(f"{method[:20]} is not done at this path; it takes {self.allow}.")


class InvalidToken(LoginRequired):
    """A token was sent and is not good (RFC 6750 section 3.1)."""


def error_response(error: FhirError) -> Response:
    """The OperationOutcome of ``error`` with its status and the headers that status asks for."""
    # Who reads Retry-After sends the same again by itself: not what may have been stored already.
    headers = [] if isinstance(error, OutcomeUnknown) else list(_EXTRA_HEADERS.get(error.status, ()))
    if isinstance(error, InvalidToken):
        headers = [("WWW-Authenticate", 'Bearer realm="hearth", error="invalid_token"')]
    if isinstance(error, WrongMethod):
        headers.append(("Allow", error.allow))
    return Response(error.status, outcome_bytes(error.issues), headers)


def outcome_bytes(issues: Iterable[Issue]) -> bytes:
    """An OperationOutcome as JSON bytes. Issues quote what was sent, so characters XML cannot carry are replaced."""
    return json_codec.encode(operation_outcome(map(_writable, issues)))


def _writable(issue: Issue) -> Issue:
    return replace(issue, text=_NO_XML.sub("\ufffd", issue.text), expression=_NO_XML.sub("\ufffd", issue.expression))


def unexpected_response(error: BaseException, request_id: str) -> Response:
    """A 500 that names the request id only. The log gets the kind of error and where it was raised: messages of
    exceptions may quote clinical values."""
    at = raised_at(error.__traceback__)
    log.error("unexpected error", extra={"request_id": request_id, "error": type(error).__name__, "at": at})
    text = f"The server failed on this request. Tell its operator the request id {request_id}."
    return Response(500, outcome_bytes([Issue("exception", text, severity="fatal")]))
