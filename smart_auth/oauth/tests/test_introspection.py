"""Introspection: RFC 7662, SMART App Launch 2.2 Token Introspection."""

import pytest

from smart_auth.oauth.tests.rig import BASE, ISSUER, PATIENT, Rig, asserted, assertion, basic, bearer


def test_a_live_token_is_told_to_who_may_introspect(rig: Rig) -> None:
    tokens = rig.tokens()
    body = rig.post("introspect", {"token": tokens["access_token"]}, basic()).get_json()
    assert body["active"] is True
    assert body["client_id"] == "public"
    assert body["scope"] == tokens["scope"]
    assert body["exp"] == rig.clock() + 3600
    assert (body["iss"], body["sub"], body["aud"]) == (ISSUER, PATIENT.id, BASE)
    assert body["patient"] == "p1"
    assert body["fhirUser"] == f"{BASE}/Patient/p1"


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
    for other in ("refresh_token", "id_token"):
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
