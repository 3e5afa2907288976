"""Which client calls: by its id alone (public), HTTP Basic, or a signed assertion; exactly one of them.

RFC 6749 sections 2.3 and 3.2.1, OpenID Connect Core section 9; SMART App Launch 2.2 section 2.0.10. Every failure has
the same answer, takes the same work where a secret is compared, and is counted.
"""

import binascii
import hmac
import secrets
from base64 import b64decode
from collections.abc import Callable, Mapping
from hashlib import sha256
from typing import NamedTuple, NoReturn
from urllib.parse import unquote_plus

from smart_auth.errors import OAuthError
from smart_auth.model import Client, ClientKind
from smart_auth.oauth import client_assertion
from smart_auth.oauth.client_assertion import ClientAssertions
from smart_auth.people.lockout import Lockout, of_address
from smart_auth.people.passwords import Passwords
from smart_auth.people.secret import digest
from smart_auth.ports import Records


class Presented(NamedTuple):
    """What came with a request: the Authorization header, the form, and from where."""

    authorization: str
    form: Mapping[str, str]
    address: str = ""


class ClientAuthentication:
    """Authenticates clients. A secret that was right is remembered as an HMAC under a key of this process: Argon2 is
    slow on purpose, and a client that calls often must neither pay nor wait for it each time."""

    def __init__(self, records: Records, assertions: ClientAssertions, lockout: Lockout) -> None:
        self._records, self._assertions, self._lockout = records, assertions, lockout
        self._passwords = Passwords()
        self._pepper = secrets.token_bytes(32)
        self._proved: set[bytes] = set()

    def __call__(self, presented: Presented, *, public: bool = True) -> Client:
        """The client. ``public`` lets one in that only names itself, or whose refresh token or code names it.

        Raises OAuthError invalid_client (401) or invalid_request (two methods at once).
        """
        form = presented.form
        methods = [name for name, sent in _METHODS.items() if sent(presented)]
        if len(methods) > 1:
            raise OAuthError("invalid_request", "Only one way of client authentication can be used at a time.")
        client = self._by(methods[0], presented) if methods else self._named(form, public)
        if client.disabled or form.get("client_id", client.id) != client.id:
            _refuse()
        return client

    def _by(self, method: str, presented: Presented) -> Client:
        check: dict[str, Callable[[Presented], Client]] = {"basic": self._basic, "assertion": self._assertion}
        return check[method](presented) if method in check else _refuse()

    def _named(self, form: Mapping[str, str], public: bool) -> Client:
        client = self._records.client(form["client_id"]) if form.get("client_id") else self._of_token(form)
        if client is None or client.kind is not ClientKind.PUBLIC or not public:
            _refuse()
        return client

    def _of_token(self, form: Mapping[str, str]) -> Client | None:
        """The SMART JavaScript client refreshes without a client_id: its refresh token tells who it is."""
        secret = form.get("refresh_token") or form.get("token")
        token = self._records.refresh(digest(secret)) if secret else None
        if token is None and "refresh_token" in form:
            raise OAuthError("invalid_grant", "The refresh token is not valid.")
        return self._records.client(token.client) if token else None

    def _assertion(self, presented: Presented) -> Client:
        form = presented.form
        if form.get("client_assertion_type") != client_assertion.TYPE:
            _refuse()
        try:
            return self._assertions.client(form.get("client_assertion", ""))
        except OAuthError:
            _refuse()

    def _basic(self, presented: Presented) -> Client:
        id, secret = _credentials(presented.authorization)
        client = self._records.client(id)
        encoded = client.secret_argon2 if client and client.kind is ClientKind.SYMMETRIC else ""
        proof = hmac.digest(self._pepper, f"{encoded}\0{secret}".encode(), sha256)
        if client is None or proof not in self._proved:
            self._compare(id, encoded, secret, presented.address)
            self._proved = {proof} | (self._proved if len(self._proved) < 10_000 else set())
        return client or _refuse()

    def _compare(self, id: str, encoded: str, secret: str, address: str) -> None:
        subjects = [f"client:{digest(id)}", *([of_address(address)] if address else [])]
        if self._lockout.try_once(*subjects):
            _refuse()
        if not self._passwords.fits(encoded, secret):
            _refuse()
        self._lockout.succeeded(*subjects)


_METHODS: dict[str, Callable[[Presented], bool]] = {
    "basic": lambda presented: presented.authorization[:6].lower() == "basic ",
    "assertion": lambda presented: "client_assertion" in presented.form or "client_assertion_type" in presented.form,
    "secret in the form": lambda presented: "client_secret" in presented.form,
}


def _credentials(authorization: str) -> tuple[str, str]:
    """(client_id, secret) of a Basic header; both are form-encoded first (RFC 6749 section 2.3.1), which many clients
    forget: what has no % is taken as it is."""
    try:
        text = b64decode(authorization[6:].strip(), validate=True).decode()
    except (ValueError, binascii.Error):
        _refuse()
    id, colon, secret = text.partition(":")
    if not (colon and id and secret):
        _refuse()
    return _plain(id), _plain(secret)


def _plain(text: str) -> str:
    return unquote_plus(text) if "%" in text else text


def _refuse() -> NoReturn:
    raise OAuthError("invalid_client", "The client could not be authenticated.", 401)
