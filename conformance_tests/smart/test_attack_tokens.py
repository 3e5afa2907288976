"""Attacks on access tokens and client assertions: forged, foreign, confused, misplaced."""

import json
import secrets
import time
from collections.abc import Callable
from typing import Any

import pytest
from joserfc.jwk import ECKey, KeySet, OctKey, RSAKey

from conformance_tests.client import Json
from conformance_tests.smart.app import App, oauth_error, token_response
from conformance_tests.smart.provider import Provider
from conformance_tests.smart.tokens import (
    ASSERTION_TYPE,
    EC,
    RSA,
    STRANGER,
    assertion,
    assertion_claims,
    b64,
    forged,
    hmac_signed,
    part,
    signed,
)

requirement = pytest.mark.requirement
pytestmark = pytest.mark.either_database

Claims = dict[str, Any]
Forge = Callable[[Claims, Claims, RSAKey], str]
"""(header and claims of a good token, the server's public key) to a forged token."""


def _resigned(**header: Any) -> Forge:
    return lambda h, c, key: signed({k: v for k, v in (h | header).items() if v is not None}, c, STRANGER)


def _as_hmac(of: Callable[[RSAKey], bytes]) -> Forge:
    return lambda h, c, key: hmac_signed(h | {"alg": "HS256"}, c, of(key))


def _wider(h: Claims, c: Claims, key: RSAKey) -> str:
    return forged(h, c | {"scope": "system/*.cruds"}, b"signature")


FORGERIES: dict[str, Forge] = {
    "alg none": lambda h, c, key: forged(h | {"alg": "none"}, c),
    "alg None": lambda h, c, key: forged(h | {"alg": "None"}, c),
    "alg none with a signature": lambda h, c, key: forged(h | {"alg": "none"}, c, b"x"),
    "no alg": lambda h, c, key: forged({k: v for k, v in h.items() if k != "alg"}, c, b"x"),
    "HS256 with the public key as PEM": _as_hmac(lambda key: key.as_pem(private=False)),
    "HS256 with the modulus": _as_hmac(lambda key: str(key.as_dict(private=False)["n"]).encode()),
    "HS256 with the key as JSON": _as_hmac(lambda key: json.dumps(key.as_dict(private=False)).encode()),
    "HS256 with nothing": _as_hmac(lambda key: b""),
    "another key under the same kid": _resigned(),
    "another algorithm": _resigned(alg="RS384"),
    "PS256": _resigned(alg="PS256"),
    "embedded jwk": _resigned(jwk=STRANGER.as_dict(private=False)),
    "embedded x5c": _resigned(x5c=["MIIB"]),
    "jku to the attacker": _resigned(jku="https://evil.example/jwks.json", kid="evil"),
    "jku into the network": _resigned(jku="http://169.254.169.254/latest", kid="evil"),
    "x5u": _resigned(x5u="https://evil.example/cert.pem", kid="evil"),
    "kid that climbs": _resigned(kid="../../../../dev/null"),
    "kid with SQL": _resigned(kid="x' UNION SELECT '{}' --"),
    "kid that is a URL": _resigned(kid="http://127.0.0.1:22/"),
    "no kid": _resigned(kid=None),
    "kid that is no text": _resigned(kid=["a"]),
    "kid empty": _resigned(kid=""),
    "unknown crit": _resigned(crit=["exp"]),
    "b64 crit": _resigned(crit=["b64"], b64=False),
    "payload changed": _wider,
    "empty signature": lambda h, c, key: forged(h, c),
    "header that is no object": lambda h, c, key: f"{b64(b'[]')}.{b64(json.dumps(c).encode())}.{b64(b'x')}",
    "nested deep": lambda h, c, key: f"{b64(b'[' * 10_000)}.e30.{b64(b'x')}",
    "five parts": lambda h, c, key: forged(h, c, b"x") + ".a.b",
    "huge": lambda h, c, key: forged(h, c | {"x": "x" * 6000}, b"x"),
}


def server_key(provider: Provider, growth: App, token: str) -> RSAKey:
    keys = provider.http.get(growth.configuration["jwks_uri"]).json()["keys"]
    mine = next(key for key in keys if key["kid"] == part(token, 0)["kid"])
    found = KeySet.import_key_set({"keys": [mine]}).keys[0]
    assert isinstance(found, RSAKey)
    return found


def refused(provider: Provider, token: str) -> None:
    """By the record, by userinfo, by introspection."""
    bearer = {"Authorization": f"Bearer {token}", "Accept": "application/fhir+json"}
    answer = provider.http.get(f"{provider.base}/Patient/ada", headers=bearer)
    assert answer.status_code == 401, answer.text[:500]
    assert 'error="invalid_token"' in answer.headers["www-authenticate"]
    assert answer.json()["resourceType"] == "OperationOutcome" and answer.json()["issue"][0]["code"] == "login"
    assert provider.http.get(f"{provider.issuer}/auth/userinfo", headers=bearer).status_code == 401
    gateway = provider.app("gateway").introspect(token)
    assert gateway.status_code in (200, 400, 413) and gateway.json().get("active") is not True


@requirement("attack:53 forged tokens")
@pytest.mark.parametrize("forgery", FORGERIES)
def test_a_forged_access_token_is_refused(provider: Provider, growth: App, standalone: Json, forgery: str) -> None:
    token = standalone["access_token"]
    key = server_key(provider, growth, token)
    refused(provider, FORGERIES[forgery](part(token, 0), part(token, 1), key))


@requirement("attack:54 foreign tokens")
@requirement("smart:96")
@pytest.mark.parametrize(
    "changes",
    [
        {"iss": "https://evil.example"},
        {"aud": "https://other.example/fhir"},
        {"exp": int(time.time()) + 10**6},
        {"iat": int(time.time()) + 10**6},
        {"sub": "somebody else"},
        {"patient": "bob"},
        {"hearth_reach": "all"},
        {"hearth_purpose": "BTG"},
        {"scope": "patient/*.cruds"},
        {"client_id": "portal"},
    ],
    ids=lambda changes: next(iter(changes)),
)
def test_no_claim_can_be_changed(provider: Provider, standalone: Json, changes: Claims) -> None:
    token = standalone["access_token"]
    header, claims = part(token, 0), part(token, 1) | changes
    refused(provider, signed(header, claims, STRANGER))
    refused(provider, ".".join([*forged(header, claims).split(".")[:2], token.split(".")[2]]))


@requirement("attack:54 foreign tokens")
@pytest.mark.parametrize("name", ["id_token", "refresh_token"])
def test_other_tokens_are_no_access_tokens(provider: Provider, standalone: Json, name: str) -> None:
    refused(provider, standalone[name])


@requirement("attack:54 foreign tokens")
def test_a_token_of_another_server_is_refused(
    provider: Provider, request: pytest.FixtureRequest, standalone: Json
) -> None:
    """Signed by a key of an issuer that is not this one, in the form of ours."""
    header = part(standalone["access_token"], 0)
    foreign = RSAKey.generate_key(2048, {"kid": header["kid"]}, auto_kid=False)
    claims = part(standalone["access_token"], 1)
    refused(provider, signed(header, claims | {"iss": "https://elsewhere.example"}, foreign))


@requirement("attack:54 foreign tokens")
def test_an_assertion_or_code_is_no_access_token(provider: Provider, robot: App) -> None:
    refused(provider, assertion("robot", robot.token_endpoint))
    refused(provider, secrets.token_urlsafe(32))


@requirement("attack:61 token in the URL")
@pytest.mark.parametrize("name", ["access_token", "token", "bearer_token", "authorization"])
def test_a_token_in_the_url_opens_nothing(provider: Provider, standalone: Json, name: str) -> None:
    query = {name: standalone["access_token"]}
    json_ = {"Accept": "application/fhir+json"}
    for path in ("Patient/ada", "Patient"):
        assert provider.http.get(f"{provider.base}/{path}", params=query, headers=json_).status_code in (400, 401)
    answer = provider.http.post(f"{provider.base}/Patient/_search", data=query, headers=json_)
    assert answer.status_code in (400, 401)


@requirement("rfc6750#2.1")
@pytest.mark.parametrize(
    "header",
    [
        "Bearer",
        "Basic {token}",
        "bearer: {token}",
        "{token}",
        "Bearer {token} {token}",
        "Token {token}",
        "DPoP {token}",
    ],
)
def test_other_ways_to_show_a_token(provider: Provider, standalone: Json, header: str) -> None:
    sent = {"Authorization": header.format(token=standalone["access_token"]), "Accept": "application/fhir+json"}
    assert provider.http.get(f"{provider.base}/Patient/ada", headers=sent).status_code == 401


# --- client assertions ------------------------------------------------------------------------------------------------


def _assertion_of(key: Any, **header: Any) -> Callable[[Claims], str]:
    given = {"alg": "RS384", "kid": "rsa", "typ": "JWT"} | header
    return lambda claims: signed({name: value for name, value in given.items() if value is not None}, claims, key)


_SHARED = OctKey.import_key(json.dumps(RSA.as_dict(private=False)))
_P256 = ECKey.generate_key("P-256", {"kid": "ec"}, auto_kid=False)

BAD_ASSERTIONS: dict[str, Callable[[Claims], str]] = {
    "alg none": lambda claims: forged({"alg": "none", "kid": "rsa", "typ": "JWT"}, claims),
    "HS256 with the public key": lambda claims: hmac_signed(
        {"alg": "HS256", "kid": "rsa", "typ": "JWT"},
        claims,
        RSA.as_pem(private=False),  # type: ignore[attr-defined]
    ),
    "HS384": _assertion_of(_SHARED, alg="HS384"),
    "RS256": _assertion_of(RSA, alg="RS256"),
    "RS512": _assertion_of(RSA, alg="RS512"),
    "PS384": _assertion_of(RSA, alg="PS384"),
    "ES256": _assertion_of(_P256, alg="ES256", kid="ec"),
    "a stranger's key": _assertion_of(STRANGER),
    "embedded jwk": _assertion_of(STRANGER, jwk=STRANGER.as_dict(private=False)),
    "embedded jwk and no kid": _assertion_of(STRANGER, jwk=STRANGER.as_dict(private=False), kid=None),
    "jku into the network": _assertion_of(STRANGER, jku="http://169.254.169.254/latest/meta-data"),
    "jku to a file": _assertion_of(STRANGER, jku="file:///etc/passwd"),
    "x5u": _assertion_of(STRANGER, x5u="https://evil.example/c.pem"),
    "x5c": _assertion_of(STRANGER, x5c=["MIIB"]),
    "crit": _assertion_of(RSA, crit=["exp"]),
    "crit of nothing": _assertion_of(RSA, crit=[]),
    "kid that climbs": _assertion_of(RSA, kid="../../rsa"),
    "kid with SQL": _assertion_of(RSA, kid="rsa' OR '1'='1"),
    "kid of another key": _assertion_of(RSA, kid="ec"),
    "typ of an access token": _assertion_of(RSA, typ="at+jwt"),
    "alg of another key type": lambda claims: forged({"alg": "ES384", "kid": "rsa", "typ": "JWT"}, claims, b"x" * 96),
    "ten megabytes": lambda claims: forged({"alg": "RS384", "kid": "rsa"}, claims | {"x": "x" * 10_000_000}, b"x"),
}


@requirement("attack:53 client assertion")
@requirement("smart:335-342")
@pytest.mark.parametrize("how", BAD_ASSERTIONS)
def test_a_forged_assertion_is_refused(robot: App, how: str) -> None:
    made = BAD_ASSERTIONS[how](assertion_claims("robot", robot.token_endpoint))
    proof = {"client_assertion_type": ASSERTION_TYPE, "client_assertion": made}
    answer = robot.credentials("system/Patient.rs", proof=lambda app, form: (proof | form, {}, None))
    oauth_error(answer, "invalid_client", "invalid_request", status=(400, 401, 413))
    assert "access_token" not in answer.text


@requirement("attack:53 client assertion")
def test_no_refusal_tells_which_check_failed(robot: App) -> None:
    told = set()
    for made in ("x", assertion("robot", "https://evil.example"), assertion("nobody", robot.token_endpoint)):
        proof = {"client_assertion_type": ASSERTION_TYPE, "client_assertion": made}
        told.add(robot.credentials("system/Patient.rs", proof=lambda app, form, p=proof: (p | form, {}, None)).text)
    assert len(told) == 1, told


@requirement("attack:53 client assertion")
def test_a_good_one_still_works(robot: App) -> None:
    for key, alg, kid in ((RSA, "RS384", "rsa"), (EC, "ES384", "ec")):
        made = signed({"alg": alg, "kid": kid, "typ": "JWT"}, assertion_claims("robot", robot.token_endpoint), key)
        proof = {"client_assertion_type": ASSERTION_TYPE, "client_assertion": made}
        token_response(robot.credentials("system/Patient.rs", proof=lambda app, form, p=proof: (p | form, {}, None)))
