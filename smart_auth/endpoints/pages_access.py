"""The page "Who has access to my data": what a person allowed, since when, last used; one click ends it.

SMART App Launch 2.2 ``management_endpoint``; ONC (g)(10) token revocation on the patient's direction.
"""

from collections.abc import Iterator
from typing import NamedTuple

from flask import Response, request

from smart_auth.endpoints.pages_desk import Desk
from smart_auth.model import Approval, Event, Person, Told
from smart_auth.scopes.algebra import parse
from smart_auth.scopes.consent import Question, questions


class Held(NamedTuple):
    """An access as the page tells it. ``by`` is who allowed it when that was somebody else, and ``id`` '' then."""

    id: str
    name: str
    by: str
    patient: str
    since: int
    last_used: int
    offline: bool
    may: list[Question]


def access(desk: Desk, notice: str = "") -> Response:
    """GET /auth/access"""
    person = desk.person("access").person
    held = [_held(desk, person, approval) for approval in desk.service.records.approvals(person.id)]
    others = list(_by_others(desk, person)) if person.fhir_user.startswith("Patient/") else []
    return desk.page("access.html", here="access", held=held, others=others, notice=notice)


def _held(desk: Desk, person: Person, approval: Approval) -> Held:
    id = approval.context.patient
    patient = desk.service.chart.patient(person, id) if id else None
    return _told(desk, person, approval, patient=patient.name if patient else id)


def _by_others(desk: Desk, patient: Person) -> Iterator[Held]:
    """Apps that see this patient's data through relatives and through staff who opened them with this patient. Who of
    the staff it was is in the audit trail, for which there is a procedure."""
    for approval in desk.service.records.approvals_about(patient.patient, patient.id):
        person = desk.service.records.person(approval.person)
        if person and parse(approval.scopes).resources:
            yield _told(desk, person, approval, by="a member of staff" if person.staff else person.name)


def _told(desk: Desk, person: Person, approval: Approval, *, patient: str = "", by: str = "") -> Held:
    client = desk.service.records.client(approval.client)
    return Held(
        "" if by else approval.id,
        client.name if client else approval.client,
        by,
        patient,
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
    who = person.fhir_user or person.login
    told = Told(event=Event.REVOKED, who=who, client=approval.client, detail="ended by the person")
    desk.service.families.revoke(approval.id, told)
    client = desk.service.records.client(approval.client)
    return access(desk, f"The access of {client.name if client else approval.client} has ended.")
