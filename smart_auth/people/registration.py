"""Registration of apps and backend services by an administrator: what is taken, what is refused and why.

SMART App Launch 2.2 (client types; asymmetric keys by URL or by value), RFC 7591 (the fields), RFC 8252 (native apps).
"""

import re
import secrets
from typing import Any
from urllib.parse import urlsplit

import msgspec
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from smart_auth.errors import AuthError
from smart_auth.model import Client, ClientKind
from smart_auth.oauth.client_keys import any_usable
from smart_auth.oauth.redirect_uri import redirectable

CLIENT_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{1,63}", re.ASCII)
_LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
_PRIVATE = frozenset({"d", "p", "q", "dp", "dq", "qi", "oth", "k"})


class NotRegistrable(AuthError):
    """A registration that cannot be taken; the text says what to change."""


def new_id() -> str:
    """A client id for who brings none."""
    return secrets.token_hex(12)


def check(client: Client) -> Client:
    """The client, fit to be stored. Raises NotRegistrable with the first thing that is wrong."""
    for wrong, words in _RULES:
        if wrong(client):
            raise NotRegistrable(words)
    for uri in client.redirect_uris:
        _check_uri(uri)
    if client.launch_uri:  # a browser goes there
        _check_uri(client.launch_uri)
        _check_web(client.launch_uri)
    if client.jwks_uri:
        _check_web(client.jwks_uri)
    if client.jwks:
        _check_jwks(client.jwks)
    return client


def _is(kind: ClientKind, client: Client) -> bool:
    return client.kind is kind


_RULES: tuple[tuple[Any, str], ...] = (
    (
        lambda client: not CLIENT_ID.fullmatch(client.id),
        "A client id has 2 to 64 letters, digits or . _ : - and begins with a letter or digit.",
    ),
    (lambda client: not 0 < len(client.name) <= 120, "Give the app a name of at most 120 characters."),
    (
        lambda client: client.backend and not _is(ClientKind.ASYMMETRIC, client),
        "A backend service proves itself by a key pair: SMART Backend Services knows no shared secret.",
    ),
    (
        lambda client: _is(ClientKind.ASYMMETRIC, client) == (not client.jwks and not client.jwks_uri),
        "Give the key set of an app that proves itself by a key pair, and of no other.",
    ),
    (
        lambda client: bool(client.jwks and client.jwks_uri),
        "Give the key set or its address, not both: they could differ.",
    ),
    (
        lambda client: not client.redirect_uris and not (client.backend or client.ehr or client.introspects),
        "Give at least one redirect address: where the app takes people back.",
    ),
    (
        lambda client: not client.scopes.split() and not client.introspects and not client.ehr,
        "Say which scopes it may ask for.",
    ),
)


def _check_uri(uri: str) -> None:
    """https, loopback http, or an app's own scheme with a dot in it (RFC 8252 section 7.1)."""
    if not redirectable(uri):
        raise NotRegistrable(f"{uri[:200]} cannot be a redirect address: write it absolute and without #.")
    scheme = urlsplit(uri).scheme
    if scheme in ("http", "https"):
        _check_web(uri)
    elif "." not in scheme:
        raise NotRegistrable(
            f"{uri[:200]}: a scheme of an app's own is a reversed domain name, such as org.example.app:/back"
        )


def _check_web(uri: str) -> None:
    parts = urlsplit(uri)
    if parts.username is not None or not parts.hostname:
        raise NotRegistrable(f"{uri[:200]} needs a host and no user name.")
    if parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in _LOOPBACK):
        raise NotRegistrable(f"{uri[:200]}: only https, or http on this very machine (127.0.0.1, localhost).")


def _check_jwks(text: str) -> None:
    try:
        keys = msgspec.json.decode(text)["keys"]
        if any(_PRIVATE & set(key) for key in keys):
            raise NotRegistrable(
                "The key set holds a private key. Take it out of use: it has been shown. Send public keys."
            )
        if not keys or len(keys) != len(KeySet.import_key_set({"keys": keys}).keys):
            raise NotRegistrable("The key set is empty.")
    except (msgspec.DecodeError, JoseError, KeyError, TypeError, ValueError) as error:
        raise NotRegistrable("That is no JWK Set: JSON with a list of public keys under keys.") from error
    if not any_usable(text):
        raise NotRegistrable("No key of the set can sign in: RSA of 2048 bits or P-384, each with a kid.")
