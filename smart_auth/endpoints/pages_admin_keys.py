"""Administration of the token signing keys: which there are, and a button that rotates. Only for administrators.

RFC 7517 (JWK Set), NIST SP 800-57 part 1 section 5.3 (cryptoperiods).
"""

from flask import Response, request

from smart_auth.endpoints.pages_admin_people import administrator, who
from smart_auth.endpoints.pages_desk import Desk, Gone
from smart_auth.model import Event, Told


def keys(desk: Desk, notice: str = "") -> Response:
    """GET /auth/admin/keys"""
    administrator(desk)
    found = sorted(desk.service.records.signing_keys(), key=lambda one: one.created, reverse=True)
    return desk.page("admin_keys.html", here="admin", tab="keys", heading="Signing keys", keys=found, notice=notice)


def rotate(desk: Desk) -> Response:
    """POST /auth/admin/keys/rotate: what is signed from now on is signed with a new key."""
    me = administrator(desk)
    desk.service.keys.rotate()
    desk.service.tell(Told(event=Event.KEY_ROTATED, who=who(me), detail="by hand"))
    return keys(desk, "A new key signs from now on.")


def withdraw(desk: Desk) -> Response:
    """POST /auth/admin/keys/withdraw: after a theft; every token that the key signed is refused from now on."""
    me, kid = administrator(desk), request.form.get("kid", "")
    if kid not in {one.kid for one in desk.service.records.signing_keys()}:
        raise Gone("There is no such key.")
    desk.service.keys.withdraw(kid)
    desk.service.tell(Told(event=Event.KEY_ROTATED, who=who(me), detail="withdrawn by hand"))
    return keys(desk, "The key is withdrawn. What it signed is refused.")
