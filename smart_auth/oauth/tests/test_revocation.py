"""Revocation: RFC 7009."""

from smart_auth.model import Event
from smart_auth.oauth.tests.rig import Rig, basic, bearer


def alive(rig: Rig, token: str) -> bool:
    return rig.http.get("/auth/userinfo", headers=bearer(token)).status_code == 200


def test_a_refresh_token_ends_its_family_at_once(rig: Rig) -> None:
    tokens = rig.tokens()
    assert alive(rig, tokens["access_token"])
    assert rig.post("revoke", {"token": tokens["refresh_token"], "client_id": "public"}).status_code == 200
    assert not alive(rig, tokens["access_token"])
    assert rig.refresh(tokens["refresh_token"]).get_json()["error"] == "invalid_grant"
    assert Event.REVOKED in [told.event for told in rig.told]


def test_an_access_token_ends_alone(rig: Rig) -> None:
    tokens = rig.tokens()
    form = {"token": tokens["access_token"], "client_id": "public", "token_type_hint": "refresh_token"}
    assert rig.post("revoke", form).status_code == 200
    assert not alive(rig, tokens["access_token"])
    assert rig.refresh(tokens["refresh_token"]).status_code == 200


def test_tokens_of_others_and_of_nobody_are_no_error_and_nothing_happens(rig: Rig) -> None:
    tokens = rig.tokens()
    for token in (tokens["refresh_token"], tokens["access_token"], "unknown"):
        assert rig.post("revoke", {"token": token, "client_id": "other"}).status_code == 200
        assert rig.post("revoke", {"token": token}, basic()).status_code == 200
    assert alive(rig, tokens["access_token"])
    assert rig.refresh(tokens["refresh_token"]).status_code == 200


def test_a_client_authenticates_or_its_token_names_it(rig: Rig) -> None:
    code = rig.authorize(client_id="symmetric")["code"]
    tokens = rig.redeem(code, basic(), client_id="").get_json()
    assert rig.post("revoke", {"token": tokens["refresh_token"]}).status_code == 401
    assert rig.post("revoke", {"token": tokens["refresh_token"], "client_id": "symmetric"}).status_code == 401
    assert alive(rig, tokens["access_token"])
    public = rig.tokens()
    assert rig.post("revoke", {"token": public["refresh_token"]}).status_code == 200
    assert not alive(rig, public["access_token"])
    assert rig.post("revoke", {"client_id": "public"}).get_json()["error"] == "invalid_request"
