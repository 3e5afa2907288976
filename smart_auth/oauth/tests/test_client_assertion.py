"""Client assertions: SMART App Launch 2.2 Backend Services, RFC 7523 section 3; each refusal is invalid_client."""

import threading
from typing import Any

import pytest
from joserfc.jwk import ECKey, OctKey, RSAKey
from msgspec.structs import replace

from smart_auth.oauth.tests.rig import EC, ISSUER, JWKS, RSA, Rig, assertion


def ok(rig: Rig, text: str) -> None:
    answer = rig.backend(text=text)
    assert answer.status_code == 200, answer.get_json()


def refused(rig: Rig, text: str) -> None:
    answer = rig.backend(text=text)
    assert (answer.status_code, answer.get_json()["error"]) == (401, "invalid_client")
    assert answer.get_json()["error_description"] == "The client could not be authenticated."


def test_rs384_and_es384(rig: Rig) -> None:
    ok(rig, assertion(rig.clock(), RSA))
    ok(rig, assertion(rig.clock(), EC))
    ok(rig, assertion(rig.clock(), RSA, aud=ISSUER))
    ok(rig, assertion(rig.clock(), RSA, aud=[f"{ISSUER}/auth/token"], iat=None))


@pytest.mark.parametrize(
    "change",
    [
        {"iss": "other"},
        {"sub": "other"},
        {"iss": None},
        {"sub": None},
        {"iss": "unknown", "sub": "unknown"},
        {"iss": "public", "sub": "public"},
        {"iss": "symmetric", "sub": "symmetric"},
        {"iss": ["backend"], "sub": ["backend"]},
        {"aud": None},
        {"aud": "https://other.example/token"},
        {"aud": [f"{ISSUER}/auth/token", "https://other.example/token"]},
        {"aud": f"{ISSUER}/auth/token/"},
        {"aud": []},
        {"exp": None},
        {"exp": "soon"},
        {"exp": True},
        {"exp": 1e300},
        {"jti": None},
        {"jti": ""},
        {"jti": 7},
        {"jti": "j" * 256},
    ],
)
def test_claims(rig: Rig, change: dict[str, Any]) -> None:
    refused(rig, assertion(rig.clock(), **change))


@pytest.mark.parametrize(
    ("offsets", "good"),
    [
        ({"exp": 300}, True),
        ({"exp": 0}, False),
        ({"exp": -1}, False),
        ({"exp": 320}, False),
        ({"exp": 86_400}, False),
        ({"iat": 60}, False),
        ({"iat": -400}, False),
        ({"nbf": 60}, False),
        ({"nbf": -60}, True),
    ],
)
def test_times(rig: Rig, offsets: dict[str, int], good: bool) -> None:
    now = rig.clock()
    (ok if good else refused)(rig, assertion(now, **{name: now + offset for name, offset in offsets.items()}))


def test_an_assertion_is_used_once_even_at_once(rig: Rig) -> None:
    text, answers = assertion(rig.clock()), []
    threads = [threading.Thread(target=lambda: answers.append(rig.backend(text=text).status_code)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answers) == [200] + [401] * 7
    refused(rig, text)


@pytest.mark.parametrize(
    "header",
    [
        {"alg": "RS256"},
        {"alg": "none"},
        {"kid": None},
        {"kid": "ec"},
        {"kid": "unknown"},
        {"kid": "../../../dev/null"},
        {"kid": "rsa' OR '1'='1"},
        {"typ": "at+jwt"},
        {"jku": "https://evil.example/jwks"},
        {"jku": "http://169.254.169.254/"},
    ],
)
def test_headers(rig: Rig, header: dict[str, Any]) -> None:
    if header.get("alg") == "none":
        head, said, _ = assertion(rig.clock()).split(".")
        refused(rig, f"eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0.{said}.")
        refused(rig, f"eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0.{said}.{head}")
        return
    refused(rig, assertion(rig.clock(), RSA, header))


def test_keys_in_the_token_are_not_looked_at(rig: Rig) -> None:
    mine = RSAKey.generate_key(2048, {"kid": "rsa"}, auto_kid=False)
    refused(rig, assertion(rig.clock(), mine))
    for more in ({"jwk": mine.as_dict(private=False)}, {"x5u": "https://evil.example/x"}, {"x5c": ["MIIB"]}):
        refused(rig, assertion(rig.clock(), mine, more))
        refused(rig, assertion(rig.clock(), RSA, more))


def test_hs256_with_the_public_key(rig: Rig) -> None:
    pem = RSA.as_pem(private=False)
    key = OctKey.import_key(pem.replace(b"-----", b""))
    from joserfc import jwt

    now = rig.clock()
    said = {"iss": "backend", "sub": "backend", "aud": f"{ISSUER}/auth/token", "exp": now + 60, "jti": "h"}
    for alg in ("HS256", "HS384"):
        refused(rig, jwt.encode({"alg": alg, "kid": "rsa", "typ": "JWT"}, said, key, algorithms=[alg]))


@pytest.mark.parametrize("text", ["x", "a.b.c", "..", "e30.e30.e30", "é.a.b", "x" * 60_000])
def test_rubbish(rig: Rig, text: str) -> None:
    refused(rig, text)


def test_ten_megabytes(rig: Rig) -> None:
    assert rig.backend(text="x" * 10_000_000).status_code == 413


def test_the_client_id_beside_it_is_the_same(rig: Rig) -> None:
    assert rig.backend(client_id="backend").status_code == 200
    assert rig.backend(client_id="public").get_json()["error"] == "invalid_client"
    assert rig.backend(client_assertion_type="x").get_json()["error"] == "invalid_client"


def test_an_assertion_and_a_secret_are_one_too_many(rig: Rig) -> None:
    from smart_auth.oauth.tests.rig import asserted, basic

    form = {"grant_type": "client_credentials", "scope": "system/Patient.rs"} | asserted(assertion(rig.clock()))
    assert rig.post("token", form, basic()).get_json()["error"] == "invalid_request"


def test_a_disabled_client(rig: Rig) -> None:
    client = rig.records.client("backend")
    assert client
    rig.records.put_client(replace(client, disabled=True))
    refused(rig, assertion(rig.clock()))


def test_es384_needs_p384(rig: Rig) -> None:
    client = rig.records.client("backend")
    assert client and JWKS
    weak = ECKey.generate_key("P-256", {"kid": "weak"}, auto_kid=False)
    import msgspec

    keys = msgspec.json.encode({"keys": [weak.as_dict(private=False)]}).decode()
    rig.records.put_client(replace(client, jwks=keys))
    refused(rig, assertion(rig.clock(), weak, {"alg": "ES256"}))
