"""The console of a server with log-in: for administrators, by the session of the account pages.

OWASP ASVS 5.0 V7.2 (sessions), V8.2 (who may); HIPAA 164.312(a)(1).
"""

from typing import Any

from flask import Response, request

from fhir_server.pages.hl7.door import Visitor, caller
from resources.repository import Grant, Grants
from smart_auth.endpoints.pages_desk import Desk, Forbidden, NotLoggedIn, OwesFactor
from smart_auth.model import Clearance, Person
from smart_auth.people.sessions import IDLE
from smart_auth.service import ADDRESS, AuthService

PAGE = "hl7"
"""The console among the host's pages: where a log-in for it leads, and its row of the menu."""


class SecuredDoor:
    """Meets door.Door over the authorization server."""

    def __init__(self, service: AuthService) -> None:
        self._desk = Desk(service)
        self.root = self._desk.root

    def visitor(self) -> Visitor:
        """Raises NotLoggedIn, OwesFactor, Forbidden."""
        ADDRESS.set(request.remote_addr or "")
        person = self._desk.person(PAGE).person
        if not person.administrator:
            raise Forbidden("This page is for administrators.")
        who = person.fhir_user or person.login
        return Visitor(caller(who, _grants(person)), self._desk.browser().csrf, person)

    def check_form(self, visitor: Visitor) -> None:
        """Raises Forbidden."""
        self._desk.check_form()

    def frame(self, visitor: Visitor | None) -> dict[str, Any]:
        person = visitor.person if visitor else None
        return {"menu": self._desk.menu(person), "person": person}

    def refusal(self, error: Exception) -> Response | None:
        match error:
            case NotLoggedIn():
                return self._desk.go("/auth/login", next=error.next, why=error.why)
            case OwesFactor():
                return self._desk.go("/auth/factor")
            case Forbidden():
                return self._desk.problem(403, "Not allowed", str(error))
        return None

    def finish(self, response: Response, visitor: Visitor | None) -> Response:
        if visitor:
            # Automatic log-off is also what is still on the screen.
            response.headers["Refresh"] = f"{IDLE + 5}; url={self._desk.url('/auth/login', why='idle')}"
        return self._desk.finish(response)


def _grants(person: Person) -> Grants:
    """An administrator looks at what messages made, as far as the clearance goes, and answers codes."""
    all, some = person.clearance is Clearance.VERY_RESTRICTED, person.clearance is Clearance.RESTRICTED
    return Grants((Grant("*", "rs", confidential=all, restricted=some), Grant("ConceptMap", "cruds")))
