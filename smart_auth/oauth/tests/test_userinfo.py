"""Userinfo: OpenID Connect Core section 5.3, RFC 6750 section 3."""

from smart_auth.oauth.tests.rig import BASE, PATIENT, Rig, bearer


def test_who_logged_in(rig: Rig) -> None:
    token = rig.tokens(scope="openid fhirUser profile")["access_token"]
    for ask in (rig.http.get, rig.http.post):
        body = ask("/auth/userinfo", headers=bearer(token)).get_json()
        user = f"{BASE}/Patient/p1"
        assert body == {"sub": PATIENT.id, "name": PATIENT.name, "fhirUser": user, "profile": user}


def test_only_what_the_scopes_allow(rig: Rig) -> None:
    token = rig.tokens(scope="openid patient/*.rs")["access_token"]
    assert rig.http.get("/auth/userinfo", headers=bearer(token)).get_json() == {"sub": PATIENT.id}
    token = rig.tokens(scope="patient/*.rs")["access_token"]
    answer = rig.http.get("/auth/userinfo", headers=bearer(token))
    assert (answer.status_code, answer.get_json()["error"]) == (403, "insufficient_scope")


def test_only_with_a_token_in_the_header(rig: Rig) -> None:
    token = rig.tokens(scope="openid")["access_token"]
    for url in ("/auth/userinfo", f"/auth/userinfo?access_token={token}"):
        answer = rig.http.get(url)
        assert answer.status_code == 401
        assert answer.headers["WWW-Authenticate"].startswith("Bearer ")
    assert rig.http.post("/auth/userinfo", data={"access_token": token}).status_code == 401
