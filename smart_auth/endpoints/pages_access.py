"""The page "Who has access to my data": what a person allowed, since when, last used; one click ends it.

SMART App Launch 2.2 ``management_endpoint``; ONC (g)(10) token revocation on the patient's direction.
"""

from typing import NamedTuple

from flask import Response, request

from smart_auth.endpoints.pages_desk import Desk
from smart_auth.model import Approval, Event, Person, Told
from smart_auth.scopes.consent import Question, questions


class Held(NamedTuple):
    """An access as the page tells it."""

    id: str
    name: str
    patient: str
    since: int
    last_used: int
    offline: bool
    may: list[Question]


def access(desk: Desk, notice: str = "") -> Response:
    """GET /auth/access"""
    person = desk.person("access").person
    held = [_held(desk, person, approval) for approval in desk.service.records.approvals(person.id)]
    return desk.page("access.html", here="access", held=held, notice=notice)


def _held(desk: Desk, person: Person, approval: Approval) -> Held:
    client = desk.service.records.client(approval.client)
    id = approval.context.patient
    patient = desk.service.chart.patient(person, id) if id else None
    return Held(
        approval.id,
        client.name if client else approval.client,
        patient.name if patient else id,
        approval.created,
        approval.last_used or approval.created,
        approval.offline,
        questions(approval.scopes, person, approval.context),
    )


def end(desk: Desk) -> Response:
    """POST /auth/access: no token of the family is good for anything from now on."""
    person = desk.person("access").person
    approval = desk.service.records.approval(request.form.get("end", ""))
    if approval is None or approval.person != person.id:
        return desk.problem(404, "Not found", "There is no such access. It may have been ended already.")
    now = desk.service.now()
    desk.service.records.revoke_family(approval.id, now, now + desk.service.lifetimes.user_token)
    who = person.fhir_user or person.login
    desk.service.tell(Told(event=Event.REVOKED, who=who, client=approval.client, detail="ended by the person"))
    client = desk.service.records.client(approval.client)
    return access(desk, f"The access of {client.name if client else approval.client} has ended.")
