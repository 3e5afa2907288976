"""Identity tokens: OpenID Connect Core sections 2 and 3.1.3.6, SMART App Launch 2.2 (fhirUser)."""

import hashlib
from base64 import urlsafe_b64encode

from joserfc import jwt
from joserfc.jwk import KeySet

from smart_auth.oauth.tests.rig import BASE, ISSUER, NOBODY, PATIENT, Rig


def test_every_claim(rig: Rig) -> None:
    session = rig.session(PATIENT)
    rig.clock.at += 30
    code = rig.authorize(session=session, nonce="n-0S6_WzA2Mj")["code"]
    tokens = rig.redeem(code).get_json()
    keys = KeySet.import_key_set(rig.http.get("/auth/jwks").get_json())
    token = jwt.decode(tokens["id_token"], keys, algorithms=["RS256"])
    assert token.header["typ"] == "JWT"
    half = hashlib.sha256(tokens["access_token"].encode()).digest()[:16]
    assert token.claims == {
        "iss": ISSUER,
        "sub": PATIENT.id,
        "aud": "public",
        "iat": rig.clock(),
        "exp": rig.clock() + 3600,
        "auth_time": rig.clock() - 30,
        "nonce": "n-0S6_WzA2Mj",
        "amr": ["pwd"],
        "fhirUser": f"{BASE}/Patient/p1",
        "at_hash": urlsafe_b64encode(half).decode().rstrip("="),
    }


def test_no_fhir_user_unless_asked_and_known(rig: Rig) -> None:
    keys = KeySet.import_key_set(rig.http.get("/auth/jwks").get_json())
    for person, scope in ((PATIENT, "openid"), (NOBODY, "openid fhirUser")):
        tokens = rig.tokens(person, scope=scope)
        assert "fhirUser" not in jwt.decode(tokens["id_token"], keys, algorithms=["RS256"]).claims


def test_the_jwk_set_holds_public_parts_alone(rig: Rig) -> None:
    keys = rig.http.get("/auth/jwks").get_json()["keys"]
    assert keys
    for key in keys:
        assert set(key) <= {"kty", "n", "e", "kid", "use", "alg"}
