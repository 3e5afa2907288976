"""What an endpoint answers: JSON that no cache keeps; refusals in OAuth's words.

RFC 6749 sections 5.1 and 5.2, RFC 6750 section 3.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

from smart_auth.errors import OAuthError

NO_STORE: Mapping[str, str] = {"Cache-Control": "no-store", "Pragma": "no-cache"}


class Answer(NamedTuple):
    """Status, JSON body (None for an empty one) and headers."""

    status: int
    body: dict[str, Any] | None
    headers: Mapping[str, str] = NO_STORE


def refused(error: OAuthError) -> Answer:
    """A refusal as JSON; with status 401 it says how to authenticate."""
    body = {"error": error.error, "error_description": error.description}
    return Answer(error.status, body, {**NO_STORE, **_challenge(error)})


def _challenge(error: OAuthError) -> dict[str, str]:
    if error.error == "invalid_client":
        return {"WWW-Authenticate": 'Basic realm="clients", charset="UTF-8"'} if error.status == 401 else {}
    if error.status in (401, 403):
        told = f'error="{error.error}", error_description="{error.description}"'
        return {"WWW-Authenticate": f'Bearer realm="fhir", {told}'}
    return {}
