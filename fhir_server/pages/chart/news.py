"""Whether the record has news of a patient, for a page that stays open and asks.

Ours. A result is on the screen in two seconds; a question costs three searches for one row each and tells nothing of
the record, so that who looked at it is not drowned by pages that wait.
"""

import msgspec
from flask import Response, request

from fhir_server.pages.door import Door, Visitor
from fhir_server.pages.rendering import guard
from resources.errors import FhirError
from resources.repository import Repository, SearchRequest

_WATCHED = ("Observation", "DiagnosticReport", "MedicationRequest")
"""What others write while a page is open; each can be searched by patient."""
_LATEST = (("_sort", "-_lastUpdated"), ("_count", "1"))


def mark(repository: Repository, subject: str) -> str:
    """Another word as soon as something of ``subject`` (``Patient/1``) is new that may be seen; else ''."""
    seen = [type for type in _WATCHED if repository.caller.grants.of(type, "s")]
    try:
        return repository.digest(SearchRequest(type, (("patient", subject), *_LATEST)) for type in seen) if seen else ""
    except FhirError:
        return ""


def told(door: Door, visitor: Visitor, now: str) -> Response:
    """``{"mark": …, "news": …}`` for the script of a page that was made when the mark was that of its question."""
    body = msgspec.json.encode({"mark": now, "news": now != request.args.get("mark", "")})
    return door.finish(guard(Response(body, content_type="application/json")), visitor, logs_off=False)
