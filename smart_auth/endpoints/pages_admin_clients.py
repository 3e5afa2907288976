"""Administration of apps, backend services and signing keys. Only for administrators.

SMART App Launch 2.2 (registration is out of its scope and in ours), RFC 7591 for the names of the fields.
"""

from typing import Any

import msgspec
from flask import Response, request

from smart_auth.endpoints.pages_admin_people import CLEARANCES, administrator, asked_clearance, who
from smart_auth.endpoints.pages_desk import Desk, Gone
from smart_auth.errors import LoginRefused, Taken
from smart_auth.model import Client, ClientKind, Event, Told
from smart_auth.people.registration import NotRegistrable, check, new_id
from smart_auth.people.secret import fresh

KINDS = (
    (
        "public",
        "Nothing (public)",
        "Apps in a browser or on a phone: they can keep no secret. PKCE protects their log-in.",
    ),
    ("symmetric", "A shared secret", "Apps with a server of their own. The secret is made here and shown once."),
    ("asymmetric", "A key pair", "Apps and services that sign with a private key (private_key_jwt). The strongest."),
)
FLAGS = (
    ("backend", "Backend service", "May get tokens by itself, with system/ scopes and without a person."),
    ("trusted", "Our own app", "People are not asked for consent. Only for apps that you run yourself."),
    ("ehr", "EHR", "May start other apps with a patient and visit in hand."),
    ("introspects", "Resource server", "May ask whether any token is good."),
)
TEXTS = ("name", "id", "launch_uri", "scopes", "jwks_uri", "jwks")


def clients(desk: Desk, notice: str = "") -> Response:
    """GET /auth/admin/clients"""
    administrator(desk)
    found = sorted(desk.service.records.clients(), key=lambda one: one.name.casefold())
    return desk.page(
        "admin_clients.html", here="admin", tab="clients", heading="Apps and services", clients=found, notice=notice
    )


def new(desk: Desk) -> Response:
    """GET /auth/admin/clients/new"""
    administrator(desk)
    return _form(desk, None, Client(id="", name=""))


def client(desk: Desk, id: str) -> Response:
    """GET /auth/admin/clients/<id>"""
    administrator(desk)
    known = _known(desk, id)
    return _form(desk, known, known)


def _form(desk: Desk, known: Client | None, shown: Client, error: str = "", notice: str = "") -> Response:
    typed = msgspec.structs.asdict(shown) | {"redirect_uris": "\n".join(shown.redirect_uris)}
    return desk.page(
        "admin_client.html",
        400 if error else 200,
        here="admin",
        tab="clients",
        heading=known.name if known else "Register an app",
        known=known,
        typed=typed,
        kinds=KINDS,
        flags=FLAGS,
        clearances=CLEARANCES,
        error=error,
        notice=notice,
    )


def _known(desk: Desk, id: str) -> Client:
    found = desk.service.records.client(id)
    if found is None:
        raise Gone("There is no such app.")
    return found


def _typed() -> dict[str, Any]:
    """The fields that the form says."""
    sent: dict[str, Any] = {name: request.form.get(name, "").strip() for name in TEXTS}
    sent |= {name: request.form.get(name) == "yes" for name, _, _ in FLAGS}
    sent["scopes"] = " ".join(sent["scopes"].split())
    sent["redirect_uris"] = tuple(request.form.get("redirect_uris", "").split())
    kinds = {kind.value: kind for kind in ClientKind}
    sent["kind"] = kinds.get(request.form.get("kind", ""), ClientKind.PUBLIC)
    return sent


def register(desk: Desk) -> Response:
    """POST /auth/admin/clients"""
    me, sent = administrator(desk), _typed()
    typed = Client(**(sent | {"id": sent["id"] or new_id()}), created=desk.service.now())
    try:
        check(typed)
        if desk.service.records.client(typed.id):
            raise Taken("Another app has that client id.")
    except (NotRegistrable, Taken) as wrong:
        return _form(desk, None, typed, error=str(wrong))
    proof, secret = _proof(desk, typed)
    typed = msgspec.structs.replace(typed, **proof)
    desk.service.records.put_client(typed)
    _tell(desk, typed, "registered", who(me))
    notice = f"{typed.name} is registered. Its client id is {typed.id}."
    return _show_secret(desk, typed, secret) if secret else clients(desk, notice)


def change(desk: Desk, id: str) -> Response:
    """POST /auth/admin/clients/<id>: what the form does not say stays as it is by then."""
    me, known = administrator(desk), _known(desk, id)
    sent = _typed() | {"id": id}
    typed = msgspec.structs.replace(known, **sent)
    try:
        check(typed)
    except NotRegistrable as wrong:
        return _form(desk, known, typed, error=str(wrong))
    if typed.kind is not known.kind:  # what was given to who proved itself one way is not renewed by another
        _end_access(desk, id)
    proof, secret = _proof(desk, typed)
    changed = _amended(desk, id, sent | proof)
    _tell(desk, changed, "changed", who(me))
    return _show_secret(desk, changed, secret) if secret else clients(desk, f"{changed.name} is saved.")


def _amended(desk: Desk, id: str, changes: dict[str, Any]) -> Client:
    """Writes these fields alone: a whole row would undo what another administrator changes at the same moment."""
    found = desk.service.records.amend_client(id, changes)
    if found is None:
        raise Gone("There is no such app.")
    return found


def _proof(desk: Desk, client: Client) -> tuple[dict[str, Any], str]:
    """What to store of a shared secret, and the secret of a client that has none yet, which is shown once."""
    if client.kind is not ClientKind.SYMMETRIC:
        return {"secret_argon2": ""}, ""
    return ({}, "") if client.secret_argon2 else _made_secret(desk)


def _made_secret(desk: Desk) -> tuple[dict[str, Any], str]:
    secret = fresh()
    return {"secret_argon2": desk.passwords.hash(secret)}, secret


def new_secret(desk: Desk, id: str) -> Response:
    """POST /auth/admin/clients/<id>/secret: the old one ends at once."""
    me, known = administrator(desk), _known(desk, id)
    if known.kind is not ClientKind.SYMMETRIC:
        return _form(desk, known, known, error="This app proves itself without a shared secret.")
    proof, secret = _made_secret(desk)
    changed = _amended(desk, id, proof)
    _tell(desk, changed, "new secret", who(me))
    return _show_secret(desk, changed, secret)


def _show_secret(desk: Desk, client: Client, secret: str) -> Response:
    return desk.page(
        "once.html",
        here="admin",
        tab="clients",
        heading=f"Secret of {client.name}",
        text=f"The app with the client id {client.id} proves itself with this secret (HTTP Basic).",
        secret=secret,
        back=f"/auth/admin/clients/{client.id}",
    )


def clear(desk: Desk, id: str) -> Response:
    """POST /auth/admin/clients/<id>/clearance"""
    me, known = administrator(desk), _known(desk, id)
    try:
        desk.service.clearances.change(known, asked_clearance(known.clearance), who(me))
    except LoginRefused as refused:
        return _form(desk, known, known, error=str(refused))
    changed = _known(desk, id)
    return _form(desk, changed, changed, notice="The clearance is saved.")


def disable(desk: Desk, id: str) -> Response:
    """POST /auth/admin/clients/<id>/disable: its tokens end too."""
    me, changed = administrator(desk), _amended(desk, id, {"disabled": True})
    _end_access(desk, id)
    _tell(desk, changed, "disabled", who(me))
    return _form(desk, changed, changed, notice="The app is disabled and its access has ended.")


def enable(desk: Desk, id: str) -> Response:
    """POST /auth/admin/clients/<id>/enable"""
    me, changed = administrator(desk), _amended(desk, id, {"disabled": False})
    _tell(desk, changed, "enabled", who(me))
    return _form(desk, changed, changed, notice="The app may be used again. People have to allow it anew.")


def delete(desk: Desk, id: str) -> Response:
    """POST /auth/admin/clients/<id>/delete"""
    me, known = administrator(desk), _known(desk, id)
    desk.service.records.delete_client(id, desk.service.now())
    _tell(desk, known, "deleted", who(me))
    return clients(desk, f"{known.name} is deleted and its access has ended.")


def _end_access(desk: Desk, id: str) -> None:
    desk.service.records.revoke_client(id, desk.service.now(), desk.service.families.keep())


def _tell(desk: Desk, client: Client, what: str, by: str) -> None:
    desk.service.tell(Told(event=Event.CLIENT_CHANGED, who=by, client=client.id, detail=what))
