"""Pages of a server with log-in: for those whom a rule admits, by the session of the account pages.

OWASP ASVS 5.0 V7.2 (sessions), V8.2 (who may); HIPAA 164.312(a)(1).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from flask import Response, request

from fhir_server.pages.door import Visitor, caller
from resources.repository import Grant, Grants
from smart_auth.endpoints.pages_desk import Desk, Forbidden, NotLoggedIn, OwesFactor
from smart_auth.model import Clearance, Person
from smart_auth.people.sessions import IDLE
from smart_auth.service import ADDRESS, AuthService


@dataclass(frozen=True, slots=True)
class Rule:
    """Who comes in: ``page`` names the pages after a log-in and in the menu, ``client`` in audit rows; ``admits`` says
    of a person, ``refusal`` what others read, ``grants`` what a person may do here."""

    page: str
    client: str
    admits: Callable[[Person], bool]
    refusal: str
    grants: Callable[[Person], Grants]


def cleared(person: Person, types: Mapping[str, str]) -> Grants:
    """``types`` (letters by resource type) as far as the clearance of ``person`` goes."""
    all, some = person.clearance is Clearance.VERY_RESTRICTED, person.clearance is Clearance.RESTRICTED
    return Grants(Grant(type, letters, confidential=all, restricted=some) for type, letters in types.items())


class SecuredDoor:
    """Meets door.Door over the authorization server."""

    def __init__(self, service: AuthService, rule: Rule) -> None:
        self._desk, self._rule = Desk(service), rule
        self.root = self._desk.root

    def visitor(self, *, active: bool = True) -> Visitor:
        """Raises NotLoggedIn, OwesFactor, Forbidden."""
        ADDRESS.set(request.remote_addr or "")
        self._desk.browser(active=active)
        person = self._desk.person(self._rule.page).person
        if not self._rule.admits(person):
            raise Forbidden(self._rule.refusal)
        who = person.fhir_user or person.login
        made = caller(who, self._rule.client, self._rule.grants(person))
        return Visitor(made, self._desk.browser().csrf, person)

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

    def finish(self, response: Response, visitor: Visitor | None, *, logs_off: bool = True) -> Response:
        if visitor and logs_off:
            # Automatic log-off is also what is still on the screen.
            response.headers["Refresh"] = f"{IDLE + 5}; url={self._desk.url('/auth/login', why='idle')}"
        return self._desk.finish(response)
