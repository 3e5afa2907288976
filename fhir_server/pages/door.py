"""Who may look at pages: whoever is on this machine while there is no authentication, else see secured_door.

RFC 9110 section 7.2 (Host), Fetch Metadata Request Headers; OWASP ASVS 5.0 V3.5 (cross-site request forgery).
"""

import hmac
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Protocol

from flask import Response, request

from fhir_server.http.request import client_address, request_id
from fhir_server.http.this_machine import ThisMachine
from resources.errors import Forbidden
from resources.repository import WHOLE_RECORD, Caller, Grants

FOREIGN = "This form was not sent from this browser, or it is too old. Go back, reload and try again."


@dataclass(frozen=True, slots=True)
class Visitor:
    """Who looks. ``caller`` is who the record and the audit trail see, ``csrf`` what the forms must bring back,
    ``person`` the account that is logged in (None while there is no log-in)."""

    caller: Caller
    csrf: str
    person: Any = None


class Door(Protocol):
    """Lets visitors in."""

    root: str
    """The path above the pages, '' when the server is at the top of its host."""

    def visitor(self, *, active: bool = True) -> Visitor:
        """Who makes this request, which keeps a log-in alive when it is ``active``. Raises what ``refusal`` answers, or
        FhirError."""
        ...

    def check_form(self, visitor: Visitor) -> None:
        """Raises what ``refusal`` answers, or FhirError, for a form of another site."""
        ...

    def frame(self, visitor: Visitor | None) -> dict[str, Any]:
        """What the frame of a page shows: ``menu``, ``person``."""
        ...

    def refusal(self, error: Exception) -> Response | None:
        """The answer to what this door raised; None for what it did not."""
        ...

    def finish(self, response: Response, visitor: Visitor | None, *, logs_off: bool = True) -> Response:
        """The answer with what the door puts on it; a page that does not ``logs_off`` by that sees to it itself."""
        ...


def caller(who: str, client: str, grants: Grants) -> Caller:
    """The caller that ``who`` is in this request to the pages that audit rows name as ``client``."""
    environ = request.environ
    return Caller(who, client=client, address=client_address(environ), request_id=request_id(environ), grants=grants)


class OpenDoor:
    """Of a server without authentication: this machine, by a loopback name, from no other site's page. ``secret`` makes
    what forms of ``client`` bring back, the same on all workers."""

    def __init__(self, machine: ThisMachine, root: str, secret: bytes, client: str) -> None:
        self.root, self._machine, self._client = root, machine, client
        self._csrf = hmac.new(secret, f"form of {client}".encode(), sha256).hexdigest()

    def visitor(self, *, active: bool = True) -> Visitor:
        """Raises Forbidden."""
        self._machine.check(request.headers.get("Host", ""))
        return Visitor(caller("open", self._client, WHOLE_RECORD), self._csrf)

    def check_form(self, visitor: Visitor) -> None:
        """Raises Forbidden."""
        # Pages with Referrer-Policy no-referrer send "Origin: null": Sec-Fetch-Site tells, and the token proves.
        sent = request.form.get("csrf", "").encode()
        foreign = request.headers.get("Sec-Fetch-Site", "same-origin") != "same-origin"
        if foreign or not hmac.compare_digest(sent, visitor.csrf.encode()):
            raise Forbidden(FOREIGN)

    def frame(self, visitor: Visitor | None) -> dict[str, Any]:
        return {"menu": (), "person": None}

    def refusal(self, error: Exception) -> Response | None:
        return None

    def finish(self, response: Response, visitor: Visitor | None, *, logs_off: bool = True) -> Response:
        return response
