"""Administration of people: invite, change role, reset, log off, shut out.

HIPAA 164.312(a)(2)(i), 164.308(a)(3)(ii)(C) (termination). Only for administrators.
"""

from collections.abc import Callable
from typing import Any

from flask import Response, request

from smart_auth.endpoints.pages_desk import Desk, Forbidden, Gone
from smart_auth.errors import LoginRefused, Taken
from smart_auth.model import Clearance, Person
from smart_auth.people.accounts import Role
from smart_auth.people.links import Purpose

PAGE = 100
CLEARANCES = (
    (Clearance.NORMAL, "Normal", "Nothing that is labelled restricted, but by breaking the glass."),
    (Clearance.RESTRICTED, "Restricted", "Also what is labelled restricted (R)."),
    (Clearance.VERY_RESTRICTED, "Very restricted", "Also what is labelled very restricted (V)."),
)
_NOTHING = {"name": "", "login": "", "fhir_user": "", "patient": "", "administrator": False}


def administrator(desk: Desk) -> Person:
    """Who administers. Raises NotLoggedIn or Forbidden."""
    person = desk.person("admin").person
    if not person.administrator:
        raise Forbidden("This page is for administrators.")
    return person


def who(person: Person) -> str:
    return person.fhir_user or person.login


def search(desk: Desk) -> Response:
    """POST /auth/admin/people/search: also the next page; names stand in no URL, and so in no log or history."""
    return people(desk, text=request.form.get("q", "").strip()[:100], after=request.form.get("after", "")[:64])


def people(
    desk: Desk,
    *,
    text: str = "",
    after: str = "",
    error: str = "",
    notice: str = "",
    typed: dict[str, Any] | None = None,
) -> Response:
    """GET /auth/admin/people"""
    administrator(desk)
    found = desk.service.records.find_people(text, after, PAGE + 1)
    return desk.page(
        "admin_people.html",
        400 if error else 200,
        here="admin",
        tab="people",
        heading="People",
        people=found[:PAGE],
        q=text,
        after=found[PAGE - 1].login if len(found) > PAGE else "",
        typed=_NOTHING | (typed or {}),
        error=error,
        notice=notice,
    )


def _typed() -> dict[str, Any]:
    names = ("name", "login", "fhir_user", "patient")
    return {name: request.form.get(name, "").strip() for name in names} | {
        "administrator": request.form.get("administrator") == "yes"
    }


def _role(typed: dict[str, Any]) -> Role:
    return Role(fhir_user=typed["fhir_user"], patient=typed["patient"], administrator=typed["administrator"])


def invite(desk: Desk) -> Response:
    """POST /auth/admin/people"""
    me, typed = administrator(desk), _typed()
    try:
        made = desk.accounts.make(typed["login"], typed["name"], _role(typed), who(me))
    except Taken:
        return people(desk, error="Somebody else has that login.", typed=typed)
    except LoginRefused as refused:
        return people(desk, error=str(refused), typed=typed)
    return _show_link(desk, me, made, Purpose.INVITATION)


def _show_link(desk: Desk, me: Person, person: Person, purpose: Purpose) -> Response:
    secret = desk.accounts.invite(person, purpose, who(me))
    return desk.page(
        "once.html",
        here="admin",
        tab="people",
        heading=f"Link for {person.name}",
        text="Give this link to the person, and to nobody else: who has it chooses the password.",
        secret=desk.service.url(f"/auth/link/{secret}"),
        back=f"/auth/admin/people/{person.id}",
    )


def person(desk: Desk, id: str, *, error: str = "", notice: str = "", typed: dict[str, Any] | None = None) -> Response:
    """GET /auth/admin/people/<id>"""
    administrator(desk)
    one, records = _one(desk, id), desk.service.records
    shown = {"fhir_user": one.fhir_user, "patient": one.patient, "administrator": one.administrator}
    return desk.page(
        "admin_person.html",
        400 if error else 200,
        here="admin",
        tab="people",
        heading=one.name,
        one=one,
        typed=typed or shown,
        passkeys=len(records.passkeys(one.id)),
        approvals=len(records.approvals(one.id)),
        sharing=_sharing(desk, one),
        clearances=CLEARANCES,
        error=error,
        notice=notice,
    )


def _sharing(desk: Desk, one: Person) -> list[str]:
    """Logins that are the same entry of the record: audit rows name that and cannot tell them apart."""
    found = desk.service.records.find_people(one.fhir_user, "", PAGE) if one.fhir_user else ()
    return [other.login for other in found if other.fhir_user == one.fhir_user and other.id != one.id]


def _one(desk: Desk, id: str) -> Person:
    found = desk.service.records.person(id)
    if found is None:
        raise Gone("There is no such person.")
    return found


def change_role(desk: Desk, id: str) -> Response:
    """POST /auth/admin/people/<id>/role"""
    me, typed = administrator(desk), _typed()
    try:
        desk.accounts.change_role(_one(desk, id), _role(typed), who(me))
    except LoginRefused as refused:
        return person(desk, id, error=str(refused), typed=typed)
    # Whoever changed their own role is logged off by that, and the log-in page is next.
    return desk.go(f"/auth/admin/people/{id}")


def clear(desk: Desk, id: str) -> Response:
    """POST /auth/admin/people/<id>/clearance"""
    me, one = administrator(desk), _one(desk, id)
    try:
        desk.service.clearances.change(one, asked_clearance(one.clearance), who(me))
    except LoginRefused as refused:
        return person(desk, id, error=str(refused))
    return person(desk, id, notice="The clearance is saved.")


def asked_clearance(now: Clearance) -> Clearance:
    """The clearance that a form asks for; ``now`` when it asks for none that there is."""
    return {one.value: one for one in Clearance}.get(request.form.get("clearance", ""), now)


def act(desk: Desk, id: str, action: str) -> Response:
    """POST /auth/admin/people/<id>/<action>"""
    me, one = administrator(desk), _one(desk, id)
    perform, notice = _ACTIONS[action]
    try:
        perform(desk, one, who(me))
    except LoginRefused as refused:
        return person(desk, id, error=str(refused))
    if one.id == me.id and action in ("disable", "log-off"):
        return desk.go("/auth/login")
    return person(desk, id, notice=notice)


def link(desk: Desk, id: str) -> Response:
    """POST /auth/admin/people/<id>/link"""
    me, one = administrator(desk), _one(desk, id)
    return _show_link(desk, me, one, Purpose.RESET if one.password_argon2 else Purpose.INVITATION)


def remove_code_app(desk: Desk, id: str) -> Response:
    """POST /auth/admin/people/<id>/code/remove: for who lost the phone and the recovery codes."""
    me, one = administrator(desk), _one(desk, id)
    desk.accounts.set_totp(one, b"", who(me))
    return person(desk, id, notice="The code app is off.")


_ACTIONS: dict[str, tuple[Callable[[Desk, Person, str], None], str]] = {
    "disable": (lambda desk, one, by: desk.accounts.disable(one, by), "The person is shut out."),
    "enable": (lambda desk, one, by: desk.accounts.enable(one, by), "The person can log in again."),
    "remove-passkeys": (
        lambda desk, one, by: desk.accounts.remove_passkeys(one, by),
        "The passkeys are removed.",
    ),
    "log-off": (
        lambda desk, one, by: desk.accounts.log_off_everywhere(one, by),
        "The person is logged off everywhere.",
    ),
}
