"""Client authentication: RFC 6749 sections 2.3 and 3.2.1; every failure has one answer and is counted."""

from base64 import b64encode

import pytest
from msgspec.structs import replace

from smart_auth.endpoints.tests.surroundings import CHEAP
from smart_auth.oauth.tests.rig import Rig, basic


def introspect(rig: Rig, headers: dict[str, str]) -> tuple[int, str]:
    answer = rig.post("introspect", {"token": "x"}, headers)
    return answer.status_code, (answer.get_json() or {}).get("error", "")


def test_basic(rig: Rig) -> None:
    assert introspect(rig, basic()) == (200, "")
    assert introspect(rig, {"Authorization": basic()["Authorization"].replace("Basic", "bAsIc")}) == (200, "")


@pytest.mark.parametrize(
    "header",
    [
        basic(secret="wrong"),
        basic(secret=""),
        basic("unknown"),
        basic("public"),
        basic("backend"),
        basic("sym\x00metric"),
        {"Authorization": "Basic"},
        {"Authorization": "Basic !!!"},
        {"Authorization": "Basic " + b64encode(b"\xff\xfe:x").decode()},
        {"Authorization": "Basic " + b64encode(b"no colon").decode()},
        {"Authorization": "Digest x"},
        {},
    ],
)
def test_refused(rig: Rig, header: dict[str, str]) -> None:
    answer = rig.post("introspect", {"token": "x"}, header)
    assert (answer.status_code, answer.get_json()["error"]) == (401, "invalid_client")
    assert answer.headers["WWW-Authenticate"].startswith("Basic ")


def test_names_and_secrets_may_be_form_encoded(rig: Rig) -> None:
    client = rig.records.client("symmetric")
    assert client
    rig.records.put_client(replace(client, id="a:b c", secret_argon2=CHEAP.hash("p%q+r")))
    assert introspect(rig, basic("a%3Ab+c", "p%25q%2Br")) == (200, "")


def test_guessing_is_locked_out_and_the_client_itself_goes_on(rig: Rig) -> None:
    assert introspect(rig, basic()) == (200, "")
    for n in range(12):
        assert introspect(rig, basic(secret=f"guess {n}"))[0] == 401
    client = rig.records.client("symmetric")
    assert client
    assert introspect(rig, basic()) == (200, "")
    rig.records.put_client(replace(client, secret_argon2=CHEAP.hash("new secret")))
    assert introspect(rig, basic())[0] == 401
    assert introspect(rig, basic(secret="new secret"))[0] == 401, "still locked out"
    rig.clock.at += 1000
    assert introspect(rig, basic(secret="new secret")) == (200, "")


def test_a_disabled_client(rig: Rig) -> None:
    assert introspect(rig, basic()) == (200, "")
    client = rig.records.client("symmetric")
    assert client
    rig.records.put_client(replace(client, disabled=True))
    assert introspect(rig, basic())[0] == 401
