"""Access tokens: RFC 9068 section 4, RFC 8725; what is no live access token of ours is invalid_token."""

import json
from base64 import urlsafe_b64encode
from typing import Any

import pytest
from joserfc import jws, jwt
from joserfc.jwk import ECKey, OctKey, RSAKey

from smart_auth.errors import OAuthError
from smart_auth.oauth.access_token import LONGEST_SCOPE, sign
from smart_auth.oauth.tests.rig import BASE, ISSUER, Rig, assertion, bearer
from smart_auth.oauth.verifier import Verifier


def body(rig: Rig, **changes: Any) -> dict[str, Any]:
    now = rig.clock()
    return {
        "iss": ISSUER,
        "aud": BASE,
        "sub": "s",
        "client_id": "public",
        "scope": "patient/*.rs",
        "jti": "j",
        "sid": "f",
        "iat": now,
        "exp": now + 60,
    } | changes


def refused(rig: Rig, token: str) -> None:
    with pytest.raises(OAuthError) as error:
        rig.service.verifier.claims(token)
    assert (error.value.error, error.value.status) == ("invalid_token", 401)
    assert rig.http.get("/auth/userinfo", headers=bearer(token)).status_code == 401


def test_what_is_minted_is_understood(rig: Rig) -> None:
    claims = rig.service.verifier.claims(sign(body(rig), "at+jwt", rig.service.keys))
    assert (claims.jti, claims.family, claims.client, claims.subject) == ("j", "f", "public", "s")


@pytest.mark.parametrize(
    "change",
    [
        {"iss": "https://other.example"},
        {"aud": "https://other.example/fhir"},
        {"aud": [BASE]},
        {"aud": ISSUER},
        {"exp": 0},
        {"exp": "4102444800"},
        {"iat": 4102444800},
        {"scope": None},
        {"scope": ["patient/*.rs"]},
        {"jti": 7},
        {"client_id": None},
    ],
)
def test_claims_that_are_not_ours(rig: Rig, change: dict[str, Any]) -> None:
    said = {name: value for name, value in body(rig, **change).items() if value is not None}
    refused(rig, sign(said, "at+jwt", rig.service.keys))


@pytest.mark.parametrize("type", ["JWT", "application/at+jwt", "AT+JWT", "dpop+jwt", ""])
def test_only_access_tokens(rig: Rig, type: str) -> None:
    refused(rig, sign(body(rig), type, rig.service.keys))


def test_other_tokens_of_ours_are_no_access_tokens(rig: Rig) -> None:
    tokens = rig.tokens()
    refused(rig, tokens["id_token"])
    refused(rig, tokens["refresh_token"])
    refused(rig, assertion(rig.clock()))


def _encoded(part: dict[str, Any]) -> str:
    return urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=")


def test_algorithms_and_keys_are_ours_to_choose(rig: Rig) -> None:
    kid, key = rig.service.keys.current()
    head = {"typ": "at+jwt", "kid": kid}
    said = _encoded(body(rig))
    refused(rig, f"{_encoded(head | {'alg': 'none'})}.{said}.")
    refused(rig, f"{_encoded(head | {'alg': 'none'})}.{said}.AAAA")
    public = OctKey.import_key(key.as_pem(private=False).replace(b"-----", b""))
    refused(rig, jwt.encode(head | {"alg": "HS256"}, body(rig), public, algorithms=["HS256"], default_type=None))
    registry = jws.JWSRegistry(algorithms=["RS384", "RS256", "ES256"], strict_check_header=False)
    refused(rig, jwt.encode(head | {"alg": "RS384"}, body(rig), key, registry=registry, default_type=None))
    mine = RSAKey.generate_key(2048, auto_kid=False)
    foreign = [
        {"alg": "RS256"},
        {"alg": "RS256", "jwk": mine.as_dict(private=False)},
        {"alg": "RS256", "kid": "../../etc/passwd"},
        {"alg": "RS256", "kid": "' OR 1=1 --"},
        {"alg": "RS256", "kid": "https://evil.example/jwks"},
    ]
    for more in foreign:
        refused(rig, jwt.encode(head | more, body(rig), mine, registry=registry, default_type=None))
    own = [{"x5u": "https://evil.example"}, {"x5c": ["AA"]}, {"crit": ["exp"], "exp": 1}, {"pad": "x" * 2000}]
    for more in own:
        refused(rig, _signed_with(rig, head | {"alg": "RS256"} | more))
    other = ECKey.generate_key("P-256", auto_kid=False)
    refused(rig, jwt.encode(head | {"alg": "ES256"}, body(rig), other, registry=registry, default_type=None))


def _signed_with(rig: Rig, head: dict[str, Any]) -> str:
    """A token whose signature is ours over a header that no library would write."""
    from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
    from cryptography.hazmat.primitives.hashes import SHA256

    _, key = rig.service.keys.current()
    signing_input = f"{_encoded(head)}.{_encoded(body(rig))}"
    signature = key.raw_value.sign(signing_input.encode(), PKCS1v15(), SHA256())  # type: ignore[union-attr]
    return f"{signing_input}.{urlsafe_b64encode(signature).decode().rstrip('=')}"


def test_the_forger_of_these_tests_can_also_be_right(rig: Rig) -> None:
    kid, _ = rig.service.keys.current()
    assert rig.service.verifier.claims(_signed_with(rig, {"alg": "RS256", "typ": "at+jwt", "kid": kid}))


@pytest.mark.parametrize("token", ["", ".", "..", "a.b", "a.b.c", "a.b.c.d", "\ud800.a.b", "é.a.b", "x" * 10_000_000])
def test_rubbish(rig: Rig, token: str) -> None:
    with pytest.raises(OAuthError):
        rig.service.verifier.claims(token)


def test_a_changed_byte(rig: Rig) -> None:
    token = rig.tokens()["access_token"]
    head, said, signature = token.split(".")
    for changed in (f"{head}.{said[:-2]}AA.{signature}", f"{head}.{said}.{signature[:20]}A{signature[21:]}"):
        refused(rig, changed)


def test_a_remembered_token_still_expires_and_is_revoked(rig: Rig) -> None:
    token = rig.tokens()["access_token"]
    claims = rig.service.verifier.claims(token)
    assert rig.service.verifier.claims(token) is claims
    rig.records.revoke_jti(claims.jti, rig.clock(), rig.clock() + 3600)
    refused(rig, token)
    token = rig.tokens()["access_token"]
    assert rig.service.verifier.claims(token)
    rig.clock.at += 3600
    refused(rig, token)


def test_a_withdrawn_key_takes_its_remembered_tokens_along(rig: Rig) -> None:
    token = rig.tokens()["access_token"]
    assert rig.service.verifier.claims(token)
    kid, _ = rig.service.keys.current()
    rig.service.keys.rotate()
    assert rig.service.verifier.claims(token), "a retired key still verifies"
    rig.service.keys.withdraw(kid)
    refused(rig, token)


def test_the_longest_scope_still_fits(rig: Rig) -> None:
    said = body(rig, scope="x" * LONGEST_SCOPE, fhirUser=f"{BASE}/Practitioner/" + "1" * 64)
    token = sign(said, "at+jwt", rig.service.keys)
    assert len(token) < 8000
    assert rig.service.verifier.claims(token)


def test_memory_is_bounded(rig: Rig) -> None:
    service = rig.service
    verifier = Verifier(
        base=BASE, issuer=ISSUER, keys=service.keys, revoked=lambda j, f: False, now=rig.clock, remembered=4
    )
    tokens = [sign(body(rig, jti=str(n)), "at+jwt", service.keys) for n in range(12)]
    for token in tokens:
        assert verifier.claims(tokens[0]).jti == "0"
        verifier.claims(token)
        assert len(verifier._young) + len(verifier._old) <= 8
