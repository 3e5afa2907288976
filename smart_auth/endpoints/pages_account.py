"""The page of one's own account: name, password, code app, passkeys, log-ins.

OWASP ASVS 5.0 V6.2.2, V7.5.1: how one logs in is changed only shortly after a log-in, the password only with the old.
"""

from io import BytesIO

import segno
from flask import Response, request
from markupsafe import Markup

from smart_auth.endpoints.pages_authorize import rebound, under_way
from smart_auth.endpoints.pages_desk import Desk, Kind, NotLoggedIn
from smart_auth.errors import LoginRefused
from smart_auth.model import Event, Session, Told
from smart_auth.people.sessions import LoggedIn

# Seconds after a log-in in which credentials may be changed.
RECENT = 600
AMR = {"pwd": "password", "otp": "code", "hwk": "passkey"}


def account(desk: Desk, *, notice: str = "", error: str = "") -> Response:
    """GET /auth/account"""
    session, person = desk.person("account")
    passkey = None
    if desk.passkeys.available and _is_recent(desk, session.created):
        options, challenge = desk.passkeys.ask_registration(person)
        passkey = {"options": options, "challenge": desk.keep(Kind.CHALLENGE, challenge)}
    return desk.page(
        "account.html",
        400 if error else 200,
        here="account",
        notice=notice,
        error=error,
        session=session,
        log_ins=[(one, _how(one)) for one in desk.sessions.all(person.id)],
        passkey=passkey,
        passkeys=desk.service.records.passkeys(person.id),
        passkeys_available=desk.passkeys.available,
    )


def _how(session: Session) -> str:
    return " and ".join(AMR[word] for word in session.amr if word in AMR)


def _is_recent(desk: Desk, since: int) -> bool:
    return desk.service.now() - since <= RECENT


def _recent(desk: Desk, *, owing: bool = False) -> LoggedIn:
    """Who is logged in since shortly. Raises NotLoggedIn."""
    logged_in = desk.person("account", owing=owing)
    if not _is_recent(desk, logged_in.session.created):
        raise NotLoggedIn("account", "recent")
    return logged_in


def rename(desk: Desk) -> Response:
    """POST /auth/account/name"""
    person = desk.person("account").person
    try:
        changed = desk.accounts.rename(person, request.form.get("name", ""), person.fhir_user or person.login)
    except LoginRefused as refused:
        return account(desk, error=str(refused))
    _seen_as(desk, changed.id)
    return account(desk, notice="Your name is saved.")


def password(desk: Desk) -> Response:
    """POST /auth/account/password"""
    session, person = _recent(desk)
    new = request.form.get("password", "")
    try:
        if person.password_argon2:
            desk.log_in.confirm_password(person, request.form.get("present", ""), desk.address())
        if new != request.form.get("again", ""):
            raise LoginRefused("The new password was not typed the same twice.")
        changed = desk.accounts.set_password(person, new)
    except LoginRefused as refused:
        return account(desk, error=str(refused))
    desk.start_session(changed, session.amr)
    return account(desk, notice="Your password is changed. Other browsers are logged off.")


def ask_code_app(desk: Desk, seed: str = "", error: str = "", handle: str = "") -> Response:
    """GET /auth/account/code: a new seed, sealed while it waits for its first code. ``handle`` is of the authorization
    request that goes on afterwards."""
    logged_in = _recent(desk, owing=True)
    person = logged_in.person
    seed = seed or desk.totp.propose()
    uri = desk.totp.uri(seed, person.login)
    sealed = desk.service.sealer.seal("totp-proposal", seed.encode())
    return desk.page(
        "code_app.html",
        400 if error else 200,
        here="account",
        handle=handle,
        owed=desk.owes_factor(logged_in),
        error=error,
        uri=uri,
        qr=_picture(uri),
        seed=desk.keep(Kind.SEED, sealed),
        seed_text=" ".join(seed[at : at + 4] for at in range(0, len(seed), 4)),
    )


def _picture(text: str) -> Markup:
    """The QR code as inline SVG, without style attributes (the page's policy allows none)."""
    out = BytesIO()
    segno.make(text, error="m", micro=False).save(
        out, kind="svg", border=2, xmldecl=False, svgns=False, svgclass=None, lineclass=None, omitsize=True, nl=False
    )
    return Markup(out.getvalue().decode())


def set_code_app(desk: Desk) -> Response:
    """POST /auth/account/code"""
    (session, person), handle = _recent(desk, owing=True), request.form.get("request", "")
    flow = under_way(desk, handle) if handle else None
    sealed = desk.use(Kind.SEED, request.form.get("seed", ""))
    if sealed is None:
        return ask_code_app(desk, error="That took too long. Please scan the new picture.", handle=handle)
    seed = desk.service.sealer.open("totp-proposal", sealed).decode()
    enrolled = desk.totp.enrol(person, seed, request.form.get("code", ""))
    if enrolled is None:
        return ask_code_app(desk, seed, "That code does not fit. Wait for the next one and try again.", handle)
    changed = desk.accounts.set_totp(person, enrolled[0], person.fhir_user or person.login)
    # Password and code were both shown just now: this is a log-in with two factors from here on.
    desk.start_session(changed, tuple(dict.fromkeys((*session.amr, "otp", "mfa"))))
    next = rebound(desk, flow.request).handle if flow else ""
    return desk.page("recovery.html", here="account", handle=next, codes=enrolled[1])


def remove_code_app(desk: Desk) -> Response:
    """POST /auth/account/code/remove"""
    person = _recent(desk).person
    if desk.service.required_factor.applies(person) and not desk.service.records.passkeys(person.id):
        return account(desk, error="Your account needs two factors. Add a passkey first, or set up another code app.")
    desk.accounts.set_totp(person, b"", person.fhir_user or person.login)
    _seen_as(desk, person.id)
    return account(desk, notice="The code app is off.")


def add_passkey(desk: Desk) -> Response:
    """POST /auth/account/passkey"""
    person = _recent(desk).person
    challenge = desk.use(Kind.CHALLENGE, request.form.get("challenge", ""))
    name = request.form.get("name", "").strip()[:60] or "Passkey"
    try:
        if challenge is None:
            raise LoginRefused("That took too long. Please try again.")
        desk.passkeys.register(person, request.form.get("answer", ""), challenge, name)
    except LoginRefused as refused:
        return account(desk, error=str(refused))
    _told(desk, "passkey added")
    return account(desk, notice=f"The passkey “{name}” is added.")


def remove_passkey(desk: Desk) -> Response:
    """POST /auth/account/passkey/remove"""
    person = _recent(desk).person
    try:
        id = bytes.fromhex(request.form.get("passkey", ""))
    except ValueError:
        id = b""
    if not desk.service.records.delete_passkey(person.id, id):
        return account(desk, error="There is no such passkey.")
    _told(desk, "passkey removed")
    return account(desk, notice="The passkey is removed.")


def log_off_others(desk: Desk) -> Response:
    """POST /auth/account/sessions"""
    session, person = desk.person("account")
    desk.sessions.end_all(person.id)
    desk.start_session(person, session.amr)
    desk.service.tell(Told(event=Event.LOGOUT, who=person.fhir_user or person.login, detail="every other browser"))
    return account(desk, notice="Every other browser is logged off.")


def log_off_one(desk: Desk) -> Response:
    """POST /auth/account/sessions/end"""
    session, person = desk.person("account")
    asked = request.form.get("end", "")
    ended = next((one for one in desk.sessions.all(person.id) if one.session_hash == asked), None)
    if ended is None or ended == session:
        return account(desk, error="That log-in has ended already.")
    desk.sessions.end(ended)
    desk.service.tell(Told(event=Event.LOGOUT, who=person.fhir_user or person.login, detail="another browser"))
    return account(desk, notice="That browser is logged off.")


def _told(desk: Desk, detail: str) -> None:
    person = desk.person("account").person
    who = person.fhir_user or person.login
    desk.service.tell(Told(event=Event.CREDENTIAL_CHANGED, who=who, detail=detail))


def _seen_as(desk: Desk, person: str) -> None:
    """Shows the page with what was changed just now."""
    browser = desk.browser()
    changed = desk.service.records.person(person)
    if browser.session and changed:
        browser.logged_in = LoggedIn(browser.session, changed)
