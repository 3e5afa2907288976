"""Introspection: RFC 7662, SMART App Launch 2.2 Token Introspection."""

import pytest

from smart_auth.oauth.tests.rig import (
    BASE,
    ISSUER,
    PATIENT,
    STAFF,
    Rig,
    asserted,
    assertion,
    basic,
    bearer,
    query,
)


def test_a_live_token_is_told_to_who_may_introspect(rig: Rig) -> None:
    tokens = rig.tokens()
    body = rig.post("introspect", {"token": tokens["access_token"]}, basic()).get_json()
    assert body["active"] is True
    assert body["client_id"] == "public"
    assert body["scope"] == tokens["scope"]
    assert body["exp"] == rig.clock() + 3600
    assert (body["iss"], body["sub"], body["aud"]) == (ISSUER, PATIENT.id, BASE)
    assert body["patient"] == "p1"
    assert (body["fhirUser"], body["username"]) == (f"{BASE}/Patient/p1", "ada")


def test_a_client_may_show_an_access_token_and_sees_its_own_tokens(rig: Rig) -> None:
    mine, yours = rig.tokens(), rig.tokens(client_id="public")["access_token"]
    other = rig.backend().get_json()["access_token"]
    header = bearer(mine["access_token"])
    assert rig.post("introspect", {"token": mine["access_token"]}, header).get_json()["active"] is True
    assert rig.post("introspect", {"token": yours}, header).get_json()["active"] is True
    assert rig.post("introspect", {"token": other}, header).get_json() == {"active": False}
    form = {"token": mine["access_token"], **asserted(assertion(rig.clock()))}
    assert rig.post("introspect", form).get_json() == {"active": False}, "a service does not see the app's tokens"


@pytest.mark.parametrize("token", ["x", "a.b.c", "\x00", "é", "x" * 20_000])
def test_whatever_is_not_live_is_inactive(rig: Rig, token: str) -> None:
    answer = rig.post("introspect", {"token": token}, basic())
    assert (answer.status_code, answer.get_json()) == (200, {"active": False})


def test_dead_tokens_are_inactive(rig: Rig) -> None:
    tokens = rig.tokens()
    for other in ("refresh_token", "id_token"):  # a resource server must not take a refresh token for an access token
        assert rig.post("introspect", {"token": tokens[other]}, basic()).get_json() == {"active": False}
    claims = rig.service.verifier.claims(tokens["access_token"])
    rig.records.revoke_family(claims.family, rig.clock(), rig.clock() + 3600)
    assert rig.post("introspect", {"token": tokens["access_token"]}, basic()).get_json() == {"active": False}
    late = rig.tokens()["access_token"]
    rig.clock.at += 3600
    assert rig.post("introspect", {"token": late}, basic()).get_json() == {"active": False}


def test_who_may_not_ask(rig: Rig) -> None:
    token = rig.tokens()["access_token"]
    for form, headers in (
        ({"token": token}, {}),
        ({"token": token, "client_id": "public"}, {}),
        ({"token": token}, bearer("x")),
    ):
        assert rig.post("introspect", form, headers).status_code == 401
    assert rig.post("introspect", {}, basic()).get_json()["error"] == "invalid_request"
    assert rig.http.get(f"/auth/introspect?token={token}", headers=basic()).status_code == 405


def test_an_app_learns_of_the_person_what_its_scopes_let_it(rig: Rig) -> None:
    for scope, known in (("openid fhirUser patient/*.rs", {"fhirUser"}), ("patient/*.rs", set())):
        token = rig.tokens(scope=scope)["access_token"]
        body = rig.post("introspect", {"token": token}, bearer(token)).get_json()
        assert body["active"] and {"username", "fhirUser", "name"} & set(body) == known


def test_a_refresh_token_is_told_to_its_own_client_alone(rig: Rig) -> None:
    tokens = rig.tokens()
    header, form = bearer(tokens["access_token"]), {"token": tokens["refresh_token"]}
    body = rig.post("introspect", form, header).get_json()
    assert body["active"] and (body["client_id"], body["scope"]) == ("public", tokens["scope"])
    assert body["exp"] == rig.clock() + 90 * 86400 and "token_type" not in body
    other = bearer(
        rig.redeem(rig.authorize(client_id="symmetric")["code"], basic(), client_id="").get_json()["access_token"]
    )
    assert rig.post("introspect", form, other).get_json() == {"active": False}
    rig.refresh(tokens["refresh_token"])
    rig.clock.at += 60
    assert rig.post("introspect", form, header).get_json() == {"active": False}
    assert rig.post("introspect", {"token": tokens["access_token"]}, header).get_json()["active"], (
        "asking revokes nothing"
    )


def test_after_breaking_the_glass_no_other_patients_visit_is_told(rig: Rig) -> None:
    service = rig.service.authorizations
    handle = rig.http.post("/auth/launch", json={"patient": "p1", "encounter": "e1"}, headers=basic()).get_json()[
        "launch"
    ]
    request = service.begin(rig.params(client_id="symmetric", launch=handle, scope="launch user/*.rs"))
    code = query(service.finish(request, STAFF, rig.session(STAFF), request.scope))["code"]
    token = rig.redeem(code, basic(), client_id="").get_json()["access_token"]
    asked = {"patient": "p2", "reason": "Unconscious"}
    broken = rig.http.post("/auth/break-glass", json=asked, headers=bearer(token)).get_json()["access_token"]
    body = rig.post("introspect", {"token": broken}, basic()).get_json()
    assert body["patient"] == "p2" and "encounter" not in body
