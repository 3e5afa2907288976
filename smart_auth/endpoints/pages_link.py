"""The page behind a one-time link: choose the first password, or a new one.

OWASP ASVS 5.0 V6.4.2: looking at the page (mail scanners do) does not use the link up, saving does.
"""

from flask import Response, request

from smart_auth.endpoints.pages_desk import Desk, Gone
from smart_auth.endpoints.pages_login import welcome
from smart_auth.errors import LoginRefused
from smart_auth.model import Person
from smart_auth.people.links import Purpose
from smart_auth.people.passwords import objection

WORDS = {
    Purpose.ADMINISTRATOR: ("Welcome to Hearth", "Choose the password of the first administrator."),
    Purpose.INVITATION: ("Welcome to Hearth", "An account was made for you. Choose a password to open it."),
    Purpose.RESET: ("Choose a new password", "Your old password ends, and you are logged off everywhere."),
}
USED = "This link was used already or is too old. Ask your administrator for a new one."


def look(desk: Desk, secret: str, error: str = "") -> Response:
    """GET /auth/link/<secret>"""
    invited = desk.links.look(secret)
    owner = desk.service.records.person(invited.person) if invited else None
    if invited is None or owner is None or owner.disabled:
        raise Gone(USED)
    heading, text = WORDS[invited.purpose]
    status = 400 if error else 200
    return desk.page("link.html", status, heading=heading, text=text, owner=owner, secret=secret, error=error)


def save(desk: Desk, secret: str) -> Response:
    """POST /auth/link/<secret>: a second factor that the account has is still asked for at the log-in."""
    invited = desk.links.look(secret)
    owner = desk.service.records.person(invited.person) if invited else None
    if owner is None or owner.disabled:
        raise Gone(USED)
    password = request.form.get("password", "")
    reason = objection(password, owner.login, owner.name)
    if not reason and password != request.form.get("again", ""):
        reason = "The password was not typed the same twice."
    if reason:
        return look(desk, secret, reason)
    if desk.links.use(secret) is None:
        raise Gone(USED)
    return _opened(desk, owner, password)


def _opened(desk: Desk, owner: Person, password: str) -> Response:
    try:
        changed = desk.accounts.set_password(owner, password)
    except LoginRefused as refused:
        return desk.problem(400, "Not saved", str(refused))
    desk.lockout.succeeded(f"login:{changed.login}")
    if changed.totp:
        desk.end_session()
        return desk.go("/auth/login", why="saved")
    return welcome(desk, desk.log_in.by_link(changed, desk.address()), "", "")
