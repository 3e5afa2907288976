"""Registrations: what is taken, and each thing that is not."""

import json
from typing import Any

import msgspec
import pytest
from joserfc.jwk import ECKey

from smart_auth.model import Client, ClientKind
from smart_auth.people.registration import CLIENT_ID, NotRegistrable, check, new_id

KEY = ECKey.generate_key("P-384", {"kid": "1"})
JWKS = json.dumps({"keys": [KEY.as_dict(private=False)]})
APP = Client(id="app", name="App", redirect_uris=("https://app.example/back",), scopes="patient/*.rs")
SERVICE = Client(id="svc", name="Service", kind=ClientKind.ASYMMETRIC, jwks=JWKS, backend=True, scopes="system/*.rs")


@pytest.mark.parametrize(
    "client",
    [
        APP,
        SERVICE,
        msgspec.structs.replace(SERVICE, jwks="", jwks_uri="https://svc.example/jwks.json"),
        msgspec.structs.replace(
            APP, redirect_uris=("http://127.0.0.1:3000/", "http://localhost/x", "org.example.app:/back")
        ),
        Client(id="rs", name="Gateway", kind=ClientKind.SYMMETRIC, introspects=True),
        Client(id="ehr", name="EHR", kind=ClientKind.SYMMETRIC, ehr=True),
    ],
)
def test_taken(client: Client) -> None:
    assert check(client) == client


@pytest.mark.parametrize(
    "changes",
    [
        {"id": "a b"},
        {"id": "x" * 65},
        {"name": ""},
        {"scopes": ""},
        {"redirect_uris": ()},
        {"redirect_uris": ("http://app.example/back",)},
        {"redirect_uris": ("https://app.example/back#here",)},
        {"redirect_uris": ("javascript:alert(1)",)},
        {"redirect_uris": ("data:text/html,x",)},
        {"redirect_uris": ("myapp:/back",)},
        {"redirect_uris": ("https://user@app.example/",)},
        {"redirect_uris": ("http://localhost@evil.example/",)},
        {"redirect_uris": ("/back",)},
        {"launch_uri": "http://app.example/launch"},
        {"launch_uri": "org.example.app:/launch"},
        {"launch_uri": "https://app.example/launch#top"},
        {"kind": ClientKind.ASYMMETRIC},
        {"jwks": JWKS},
        {"backend": True},
        {"backend": True, "kind": ClientKind.SYMMETRIC},
    ],
)
def test_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(NotRegistrable):
        check(msgspec.structs.replace(APP, **changes))


@pytest.mark.parametrize(
    "jwks",
    [
        "{}",
        "[]",
        "x",
        '{"keys": []}',
        '{"keys": [{}]}',
        '{"keys": "x"}',
        json.dumps({"keys": [KEY.as_dict(private=True)]}),
    ],
)
def test_key_sets_that_are_none_or_tell_too_much(jwks: str) -> None:
    with pytest.raises(NotRegistrable):
        check(msgspec.structs.replace(SERVICE, jwks=jwks))


def test_keys_by_value_or_by_address_not_both() -> None:
    with pytest.raises(NotRegistrable):
        check(msgspec.structs.replace(SERVICE, jwks_uri="https://svc.example/jwks.json"))


def test_new_ids_are_ids() -> None:
    assert CLIENT_ID.fullmatch(new_id()) and new_id() != new_id()
