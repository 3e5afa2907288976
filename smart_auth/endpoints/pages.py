"""The pages of the authorization server as rows: rule, method, view; one door that checks forms and shows refusals.

SMART App Launch 2.2, OpenID Connect Core 1.0; each page cites its own sections in its module, pages_*.py.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

from flask import Blueprint, Response, request

from resources.errors import Unavailable
from smart_auth.endpoints import (
    pages_access,
    pages_account,
    pages_admin_clients,
    pages_admin_keys,
    pages_admin_people,
    pages_authorize,
    pages_factor,
    pages_link,
    pages_login,
)
from smart_auth.endpoints.pages_desk import Desk, Forbidden, Gone, NotLoggedIn, OwesFactor
from smart_auth.errors import LoginRefused
from smart_auth.oauth.authorize import RefusedPage, RefusedRedirect
from smart_auth.service import AuthService

View = Callable[..., Response]

REFUSALS = (RefusedRedirect, RefusedPage, NotLoggedIn, OwesFactor, Forbidden, Gone, LoginRefused, Unavailable)

_PERSON = "/auth/admin/people/<id>"
_CLIENT = "/auth/admin/clients/<id>"

ROUTES: tuple[tuple[str, str, View], ...] = (
    ("/auth/continue", "GET", pages_authorize.arrived),
    ("/auth/login", "GET", pages_login.form),
    ("/auth/login", "POST", pages_login.password),
    ("/auth/login/code", "POST", pages_login.code),
    ("/auth/login/passkey", "POST", pages_login.passkey),
    ("/auth/factor", "GET", pages_factor.factor),
    ("/auth/logout", "POST", pages_login.logout),
    ("/auth/patient", "GET", pages_authorize.patients),
    ("/auth/patient", "POST", pages_authorize.choose_patient),
    ("/auth/patient/search", "POST", pages_authorize.search_patients),
    ("/auth/encounter", "GET", pages_authorize.encounters),
    ("/auth/encounter", "POST", pages_authorize.choose_encounter),
    ("/auth/consent", "GET", pages_authorize.consent),
    ("/auth/consent", "POST", pages_authorize.answer_consent),
    ("/auth/cancel", "POST", pages_authorize.cancel),
    ("/auth/access", "GET", pages_access.access),
    ("/auth/access", "POST", pages_access.end),
    ("/auth/account", "GET", pages_account.account),
    ("/auth/account/name", "POST", pages_account.rename),
    ("/auth/account/password", "POST", pages_account.password),
    ("/auth/account/code", "GET", pages_account.ask_code_app),
    ("/auth/account/code", "POST", pages_account.set_code_app),
    ("/auth/account/code/remove", "POST", pages_account.remove_code_app),
    ("/auth/account/passkey", "POST", pages_account.add_passkey),
    ("/auth/account/passkey/remove", "POST", pages_account.remove_passkey),
    ("/auth/account/sessions", "POST", pages_account.log_off_others),
    ("/auth/account/sessions/end", "POST", pages_account.log_off_one),
    ("/auth/link/<secret>", "GET", pages_link.look),
    ("/auth/link/<secret>", "POST", pages_link.save),
    ("/auth/admin/people", "GET", pages_admin_people.people),
    ("/auth/admin/people", "POST", pages_admin_people.invite),
    ("/auth/admin/people/search", "POST", pages_admin_people.search),
    (_PERSON, "GET", pages_admin_people.person),
    (f"{_PERSON}/role", "POST", pages_admin_people.change_role),
    (f"{_PERSON}/clearance", "POST", pages_admin_people.clear),
    (f"{_PERSON}/link", "POST", pages_admin_people.link),
    (f"{_PERSON}/code/remove", "POST", pages_admin_people.remove_code_app),
    (f"{_PERSON}/passkeys/remove", "POST", partial(pages_admin_people.act, action="remove-passkeys")),
    (f"{_PERSON}/disable", "POST", partial(pages_admin_people.act, action="disable")),
    (f"{_PERSON}/enable", "POST", partial(pages_admin_people.act, action="enable")),
    (f"{_PERSON}/log-off", "POST", partial(pages_admin_people.act, action="log-off")),
    ("/auth/admin/clients", "GET", pages_admin_clients.clients),
    ("/auth/admin/clients", "POST", pages_admin_clients.register),
    ("/auth/admin/clients/new", "GET", pages_admin_clients.new),
    (_CLIENT, "GET", pages_admin_clients.client),
    (_CLIENT, "POST", pages_admin_clients.change),
    (f"{_CLIENT}/clearance", "POST", pages_admin_clients.clear),
    (f"{_CLIENT}/secret", "POST", pages_admin_clients.new_secret),
    (f"{_CLIENT}/disable", "POST", pages_admin_clients.disable),
    (f"{_CLIENT}/enable", "POST", pages_admin_clients.enable),
    (f"{_CLIENT}/delete", "POST", pages_admin_clients.delete),
    ("/auth/admin/keys", "GET", pages_admin_keys.keys),
    ("/auth/admin/keys/rotate", "POST", pages_admin_keys.rotate),
    ("/auth/admin/keys/withdraw", "POST", pages_admin_keys.withdraw),
)


def register(blueprint: Blueprint, service: AuthService) -> None:
    """Puts every page and static file on the blueprint. /auth/authorize comes by GET or POST and is no form of ours."""
    desk = Desk(service)
    for rule, method, view in ROUTES:
        _add(blueprint, rule, [method], _served(desk, view, form=method == "POST"))
    _add(blueprint, "/auth/authorize", ["GET", "POST"], _served(desk, pages_authorize.authorize, form=False))
    _add(blueprint, "/auth/static/<name>", ["GET"], partial(_static, desk))


def _add(blueprint: Blueprint, rule: str, methods: list[str], view: View) -> None:
    name = "page " + " ".join(methods) + rule.replace(".", "_")
    blueprint.add_url_rule(rule, name, view, methods=methods, provide_automatic_options=False)


def _served(desk: Desk, view: View, *, form: bool) -> View:
    def serve(**path: Any) -> Response:
        try:
            if form:
                desk.check_form()
            return view(desk, **path)
        except REFUSALS as error:
            return _refused(desk, error)

    return serve


def _refused(desk: Desk, error: Exception) -> Response:
    """The answer to what a view refuses."""
    match error:
        case RefusedRedirect():
            return desk.leave(error.url)
        case NotLoggedIn():
            return desk.go("/auth/login", next=error.next, why=error.why)
        case OwesFactor():
            return desk.go("/auth/factor")
        case RefusedPage():
            return desk.problem(error.status, "This cannot go on", error.description, error.error)
        case Forbidden():
            return desk.problem(403, "Not allowed", str(error))
        case Gone():
            return desk.problem(410, "No longer there", str(error))
        case Unavailable():
            return desk.without_records("For a moment Hearth cannot read its records. Please try again shortly.")
    return desk.problem(400, "Not done", str(error))


def _static(desk: Desk, name: str) -> Response:
    """A file of the pages. Its address changes with its content, so it may be kept for a year."""
    file = desk.files.get(name)
    if file is None:
        return desk.problem(404, "Not found", "There is no such file.")
    response = Response(file.body, content_type=file.type)
    response.set_etag(file.etag)
    response.headers["Cache-Control"] = (
        "public, max-age=31536000, immutable" if request.args.get("v") == file.etag[:12] else "public, max-age=300"
    )
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Cross-Origin-Resource-Policy"] = "same-origin"
    response.make_conditional(request)
    return response
