"""Pages of the log-in: password, second factor, passkey, log out.

OWASP ASVS 5.0 V6.3, V7.2; OpenID Connect Core 3.1.2.3. Where there is an authorization request, it goes on from here.
"""

import msgspec
from flask import Response, request

from smart_auth.endpoints.pages_authorize import carry_on, describe, rebound, under_way
from smart_auth.endpoints.pages_desk import Desk, Gone, Kind
from smart_auth.errors import LoginRefused
from smart_auth.model import Event, Person, Told
from smart_auth.people.login import Passed
from smart_auth.people.secret import digest

# Where a log-in leads that no app asked for; a name, so that no address can be smuggled in.
AFTER = {"access": "/auth/access", "account": "/auth/account", "admin": "/auth/admin/people"}
WHY = {
    "idle": "You were logged off after 15 minutes without activity.",
    "out": "You are logged out. You can close this window.",
    "saved": "Your password is saved. Log in with it and with your code.",
    "factor": "Your account needs two factors. Log in with your passkey or code app; an administrator can reset them.",
    "recent": "To change how you log in, please log in once more.",
}


class SecondFactor(msgspec.Struct, frozen=True):
    """A person whose password fitted and who owes a code. ``password`` is a digest of the hash that it fitted: a new
    password ends what began with the old one."""

    person: str
    password: str


def form(desk: Desk) -> Response:
    """GET /auth/login"""
    handle, why = request.args.get("request", ""), request.args.get("why", "")
    person = desk.browser().person
    if person and not handle and why not in ("recent", "idle", "factor"):
        return desk.go(home(desk, person))
    return ask(desk, handle, request.args.get("next", ""), why=WHY.get(why, ""))


def ask(desk: Desk, handle: str, next: str, *, login: str = "", error: str = "", why: str = "") -> Response:
    """The page with both ways to log in; 401 when it says why the last try was refused."""
    flow = under_way(desk, handle) if handle else None
    passkey = None
    if desk.passkeys.available:
        options, challenge = desk.passkeys.ask_login()
        passkey = {"options": options, "challenge": desk.keep(Kind.CHALLENGE, challenge)}
    return desk.page(
        "login.html",
        401 if error else 200,
        next=next,
        login=login,
        error=error,
        why=why,
        passkey=passkey,
        cancel=flow is not None,
        **describe(desk, flow),
    )


def password(desk: Desk) -> Response:
    """POST /auth/login"""
    handle, next, login = (request.form.get(name, "") for name in ("request", "next", "login"))
    try:
        passed = desk.log_in.by_password(login, request.form.get("password", ""), desk.address())
    except LoginRefused as refused:
        return ask(desk, handle, next, login=login, error=str(refused))
    if passed.complete:
        return welcome(desk, passed, handle, next)
    owes = SecondFactor(passed.person.id, digest(passed.person.password_argon2))
    pending = desk.keep(Kind.SECOND_FACTOR, msgspec.json.encode(owes), 300)
    return ask_code(desk, handle, next, pending)


def ask_code(desk: Desk, handle: str, next: str, pending: str, error: str = "") -> Response:
    flow = under_way(desk, handle) if handle else None
    context = describe(desk, flow)
    return desk.page("code.html", 401 if error else 200, next=next, pending=pending, error=error, **context)


def code(desk: Desk) -> Response:
    """POST /auth/login/code"""
    handle, next, pending = (request.form.get(name, "") for name in ("request", "next", "pending"))
    kept = desk.look(Kind.SECOND_FACTOR, pending)
    if kept is None:
        return ask(desk, handle, next, error="That took too long. Please log in again.")
    owes = msgspec.json.decode(kept, type=SecondFactor)
    try:
        passed = desk.log_in.by_code(owes.person, request.form.get("code", ""), desk.address())
    except LoginRefused as refused:
        return ask_code(desk, handle, next, pending, str(refused))
    if desk.use(Kind.SECOND_FACTOR, pending) is None or owes.password != digest(passed.person.password_argon2):
        raise Gone("This log-in was finished in another window.")
    return welcome(desk, passed, handle, next)


def passkey(desk: Desk) -> Response:
    """POST /auth/login/passkey"""
    handle, next = request.form.get("request", ""), request.form.get("next", "")
    challenge = desk.use(Kind.CHALLENGE, request.form.get("challenge", ""))
    try:
        if challenge is None:
            raise LoginRefused("That took too long. Please try again.")
        passed = desk.log_in.by_passkey(request.form.get("answer", ""), challenge, desk.address())
    except LoginRefused as refused:
        return ask(desk, handle, next, error=str(refused))
    return welcome(desk, passed, handle, next)


def welcome(desk: Desk, passed: Passed, handle: str, next: str) -> Response:
    """A new session; then on with what the person came for."""
    flow = under_way(desk, handle) if handle else None
    if flow:
        desk.use(Kind.REQUEST, handle)
    desk.start_session(passed.person, passed.amr)
    if flow:
        return carry_on(desk, rebound(desk, flow.request))
    return desk.go(_after(desk, next) or home(desk, passed.person))


def _after(desk: Desk, name: str) -> str:
    """The page of this name, ours or the host's; '' when there is none."""
    return AFTER.get(name, "") or next((page.path for page in desk.service.host_pages if page.name == name), "")


def logout(desk: Desk) -> Response:
    """POST /auth/logout"""
    person = desk.browser().person
    desk.end_session()
    if person:
        desk.service.tell(Told(event=Event.LOGOUT, who=person.fhir_user or person.login))
    return desk.go("/auth/login", why="out")


def home(desk: Desk, person: Person) -> str:
    """Where a person begins: what the host serves for them, else what they can see here."""
    if person.administrator:
        return AFTER["admin"]
    return next((page.path for page in desk.service.host_pages if page.is_for(person)), AFTER["access"])
