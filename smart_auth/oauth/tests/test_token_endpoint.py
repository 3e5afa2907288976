"""The token endpoint: RFC 6749 sections 4.1.3, 5 and 6, RFC 7636; SMART App Launch 2.2 section 2.0.11."""

import logging

import pytest
from msgspec.structs import replace

from smart_auth.model import Approval, Event
from smart_auth.oauth.tests.rig import (
    CLIENTS,
    EC,
    ISSUER,
    NOBODY,
    PATIENT,
    REDIRECT,
    SECRET,
    STAFF,
    VERIFIER,
    Rig,
    asserted,
    assertion,
    basic,
    bearer,
    challenge,
    query,
)
from smart_auth.people.sessions import IDLE


def test_the_public_app_gets_its_tokens(rig: Rig) -> None:
    told = rig.authorize()
    assert told["state"] == "s/1 &"
    assert told["iss"] == ISSUER
    answer = rig.redeem(told["code"])
    assert answer.status_code == 200
    body = answer.get_json()
    assert body["token_type"] == "Bearer"
    assert body["expires_in"] == 3600
    assert body["scope"] == "openid fhirUser launch/patient offline_access patient/Observation.rs"
    assert body["patient"] == "p1"
    assert body["id_token"]
    assert body["refresh_token"]
    assert "no-store" in answer.headers["Cache-Control"]
    assert "no-cache" in answer.headers["Pragma"]
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert rig.service.verifier.claims(body["access_token"]).reach == "Patient/p1"


def test_confidential_apps_authenticate(rig: Rig) -> None:
    code = rig.authorize(client_id="symmetric")["code"]
    assert rig.redeem(code, basic(), client_id="").status_code == 200
    code = rig.authorize(client_id="asymmetric")["code"]
    proof = asserted(assertion(rig.clock(), EC, iss="asymmetric", sub="asymmetric"))
    assert rig.redeem(code, **proof, client_id="asymmetric").status_code == 200


def test_no_refresh_token_without_offline_or_online_access(rig: Rig) -> None:
    assert "refresh_token" not in rig.tokens(scope="patient/Observation.rs")
    assert "id_token" not in rig.tokens(scope="patient/Observation.rs")


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"code_verifier": ""}, "invalid_request"),
        ({"code_verifier": "w" * 64}, "invalid_grant"),
        ({"code_verifier": "v" * 42}, "invalid_request"),
        ({"code_verifier": "v" * 129}, "invalid_request"),
        ({"redirect_uri": "https://app.example/other"}, "invalid_grant"),
        ({"redirect_uri": ""}, "invalid_grant"),
        ({"code": "unknown"}, "invalid_grant"),
        ({"code": ""}, "invalid_request"),
        ({"client_id": "other"}, "invalid_grant"),
        ({"client_id": "unknown"}, "invalid_client"),
        ({"client_id": "symmetric"}, "invalid_client"),
        ({"client_id": ""}, "invalid_client"),
        ({"grant_type": ""}, "invalid_request"),
        ({"grant_type": "password"}, "unsupported_grant_type"),
        ({"grant_type": 'x"\\\u00e9'}, "unsupported_grant_type"),
        ({"grant_type": "client_credentials"}, "unauthorized_client"),
        ({"client_secret": "something"}, "invalid_client"),
    ],
)
def test_what_is_wrong_is_refused(rig: Rig, change: dict[str, str], error: str) -> None:
    answer = rig.redeem(rig.authorize()["code"], **change)
    assert answer.status_code == (401 if error == "invalid_client" else 400)
    assert answer.get_json()["error"] == error
    assert "no-store" in answer.headers["Cache-Control"]
    assert rig.told[-1].event is Event.TOKEN_REFUSED
    assert rig.told[-1].detail == error


def test_the_challenge_itself_is_no_verifier(rig: Rig) -> None:
    assert rig.redeem(rig.authorize()["code"], code_verifier=challenge()).status_code == 400


def test_a_code_is_used_once_and_its_replay_ends_the_family(rig: Rig) -> None:
    code = rig.authorize()["code"]
    tokens = rig.redeem(code).get_json()
    assert rig.redeem(code).get_json()["error"] == "invalid_grant"
    assert rig.told[-2].event is Event.REUSE
    assert rig.refresh(tokens["refresh_token"]).get_json()["error"] == "invalid_grant"
    userinfo = rig.http.get("/auth/userinfo", headers=bearer(tokens["access_token"]))
    assert userinfo.status_code == 401


def test_a_code_of_one_app_is_nothing_to_another_and_stays_good(rig: Rig) -> None:
    code = rig.authorize()["code"]
    assert rig.redeem(code, client_id="other").get_json()["error"] == "invalid_grant"
    assert rig.redeem(code).status_code == 200


def test_a_code_lives_a_minute(rig: Rig) -> None:
    code = rig.authorize()["code"]
    rig.clock.at += 60
    assert rig.redeem(code).get_json()["error"] == "invalid_grant"


def test_refresh_rotates_and_needs_no_client_id_of_a_public_app(rig: Rig) -> None:
    tokens = rig.tokens()
    rig.clock.at += 4000
    renewed = rig.refresh(tokens["refresh_token"])
    assert renewed.status_code == 200
    body = renewed.get_json()
    assert body["refresh_token"] != tokens["refresh_token"]
    assert body["scope"] == tokens["scope"]
    assert body["patient"] == "p1"
    assert rig.refresh(body["refresh_token"], client_id="public").status_code == 200


def test_reuse_within_the_grace_is_refused_and_later_ends_the_family(rig: Rig) -> None:
    first = rig.tokens()["refresh_token"]
    second = rig.refresh(first).get_json()["refresh_token"]
    rig.clock.at += 20
    assert rig.refresh(first).get_json()["error"] == "invalid_grant"
    third = rig.refresh(second).get_json()["refresh_token"]
    rig.clock.at += 1
    assert rig.refresh(first).get_json()["error"] == "invalid_grant"
    assert Event.REUSE in [told.event for told in rig.told]
    assert rig.refresh(third).get_json()["error"] == "invalid_grant"


def test_a_refresh_token_is_bound_to_its_client(rig: Rig) -> None:
    token = rig.tokens()["refresh_token"]
    assert rig.refresh(token, client_id="other").get_json()["error"] == "invalid_grant"
    assert rig.refresh(token, basic()).get_json()["error"] == "invalid_grant"
    assert rig.refresh(token).status_code == 200


def test_the_refresh_token_of_a_confidential_app_alone_is_not_enough(rig: Rig) -> None:
    code = rig.authorize(client_id="symmetric")["code"]
    token = rig.redeem(code, basic(), client_id="").get_json()["refresh_token"]
    assert rig.refresh(token).get_json()["error"] == "invalid_client"
    assert rig.refresh(token, basic()).status_code == 200


def test_refresh_may_narrow_and_never_widen(rig: Rig) -> None:
    token = rig.tokens(scope="offline_access patient/*.rs")["refresh_token"]
    narrow = rig.refresh(token, scope="patient/Observation.r").get_json()
    assert narrow["scope"] == "patient/Observation.r"
    again = rig.refresh(narrow["refresh_token"]).get_json()
    assert again["scope"] == "offline_access patient/*.rs"
    for wider in ("patient/Observation.cruds", "user/Observation.rs", "patient/Observation.rsXYZ"):
        refused = rig.refresh(again["refresh_token"], scope=wider).get_json()
        assert refused["error"] == "invalid_scope"


@pytest.mark.parametrize("token", ["unknown", "\x00", "a" * 5000])
def test_an_unknown_refresh_token(rig: Rig, token: str) -> None:
    for form in ({}, {"client_id": "public"}):
        answer = rig.refresh(token, **form)
        assert (answer.status_code, answer.get_json()["error"]) == (400, "invalid_grant")


def test_a_refresh_token_expires_ninety_days_after_its_last_use(rig: Rig) -> None:
    token = rig.tokens()["refresh_token"]
    rig.clock.at += 89 * 86400
    token = rig.refresh(token).get_json()["refresh_token"]
    rig.clock.at += 90 * 86400
    assert rig.refresh(token).get_json()["error"] == "invalid_grant"


def test_online_access_ends_with_the_log_in_and_offline_access_does_not(rig: Rig) -> None:
    session = rig.session(PATIENT)
    online = rig.redeem(rig.authorize(session=session, scope="online_access patient/*.rs")["code"]).get_json()
    offline = rig.redeem(rig.authorize(session=session, scope="offline_access patient/*.rs")["code"]).get_json()
    online = rig.refresh(online["refresh_token"]).get_json()
    rig.records.end_session(session.session_hash, rig.clock())
    assert rig.refresh(online["refresh_token"]).get_json()["error"] == "invalid_grant"
    assert rig.refresh(offline["refresh_token"]).status_code == 200


def test_who_was_disabled_gets_nothing_more(rig: Rig) -> None:
    token, code = rig.tokens()["refresh_token"], rig.authorize()["code"]
    rig.records.put_person(replace(PATIENT, disabled=True))
    assert rig.refresh(token).get_json()["error"] == "invalid_grant"
    assert rig.redeem(code).get_json()["error"] == "invalid_grant"


def test_staff_choose_a_patient_and_nobody_sees_nothing(rig: Rig) -> None:
    service = rig.service.authorizations
    request = service.choose_patient(service.begin(rig.params()), STAFF, "p2")
    code = query(service.finish(request, STAFF, rig.session(STAFF), request.scope))["code"]
    assert rig.redeem(code).get_json()["patient"] == "p2"
    tokens = rig.tokens(NOBODY, scope="openid fhirUser user/*.rs")
    assert rig.service.verifier.claims(tokens["access_token"]).reach == ""


def test_a_backend_service(rig: Rig) -> None:
    answer = rig.backend("system/*.rs")
    body = answer.get_json()
    assert answer.status_code == 200
    assert body["expires_in"] == 300
    assert "refresh_token" not in body
    assert set(body["scope"].split()) == {"system/Patient.rs", "system/Observation.rs"}
    claims = rig.service.verifier.claims(body["access_token"])
    assert (claims.who, claims.reach, claims.subject) == ("", "all", "backend")


@pytest.mark.parametrize(
    "scope",
    [
        "",
        "system/Condition.rs",
        "patient/Observation.rs",
        "system/Patient.rs user/Patient.rs",
        "system/Patient.x",
        "openid",
    ],
)
def test_a_backend_service_beyond_its_scopes(rig: Rig, scope: str) -> None:
    assert rig.backend(scope).get_json()["error"] == "invalid_scope"


def test_a_secret_is_not_enough_for_a_service(rig: Rig) -> None:
    form = {"grant_type": "client_credentials", "scope": "system/Patient.rs"}
    assert rig.post("token", form, basic()).get_json()["error"] == "unauthorized_client"


def test_no_log_tells_a_secret(rig: Rig, caplog: pytest.LogCaptureFixture) -> None:
    for name in (
        "",
        "authlib",
        "authlib.oauth2.rfc6749.grants.authorization_code",
        "authlib.oauth2.rfc6749.grants.refresh_token",
    ):
        caplog.set_level(logging.DEBUG, name or None)
    code = rig.authorize(client_id="symmetric", nonce="n-0S6")["code"]
    first = rig.redeem(code, basic(), client_id="").get_json()
    second = rig.refresh(first["refresh_token"], basic()).get_json()
    proof = assertion(rig.clock())
    service = rig.backend(text=proof).get_json()
    rig.redeem(code, basic("symmetric", "wrong-secret"), client_id="")
    secrets = [code, SECRET, VERIFIER, proof, "wrong-secret", service["access_token"]]
    secrets += [body[name] for body in (first, second) for name in ("access_token", "refresh_token", "id_token")]
    text = caplog.text + repr(rig.told)
    assert [secret for secret in secrets if secret in text] == []


def test_nothing_is_read_from_the_query_and_nothing_twice(rig: Rig) -> None:
    code = rig.authorize()["code"]
    form = f"grant_type=authorization_code&code={code}&redirect_uri={REDIRECT}&code_verifier={VERIFIER}"
    kinds = {"content_type": "application/x-www-form-urlencoded"}
    for url, data in (
        ("/auth/token?client_id=public", form),
        ("/auth/token", form + "&client_id=public&client_id=public"),
        ("/auth/token", form + "&client_id=other&client_id=public"),
    ):
        answer = rig.http.post(url, data=data, **kinds)
        assert (answer.status_code, answer.get_json()["error"]) == (400, "invalid_request")
    assert rig.http.post("/auth/token", json={"code": code}).get_json()["error"] == "invalid_request"
    assert rig.http.get("/auth/token").status_code == 405
    assert rig.http.post("/auth/token", data=form + "&client_id=public", **kinds).status_code == 200


def test_online_access_lasts_while_it_is_used_and_ends_with_an_idle_log_in(rig: Rig) -> None:
    code = rig.authorize(scope="online_access patient/*.rs")["code"]
    body = rig.redeem(code).get_json()
    for _ in range(3):
        assert body["expires_in"] < IDLE
        rig.clock.at += body["expires_in"] + 1
        body = rig.refresh(body["refresh_token"]).get_json()
    rig.clock.at += IDLE + 1
    assert rig.refresh(body["refresh_token"]).get_json()["error"] == "invalid_grant"


def test_what_a_client_may_no_longer_ask_for_is_gone_at_the_next_refresh(rig: Rig) -> None:
    body = rig.tokens(scope="offline_access patient/Observation.rs patient/Condition.rs")
    less = replace(CLIENTS[0], scopes="offline_access patient/Condition.rs")
    rig.records.put_client(less)
    body = rig.refresh(body["refresh_token"]).get_json()
    assert body["scope"] == "offline_access patient/Condition.rs"
    rig.records.put_client(replace(less, scopes=""))
    assert rig.refresh(body["refresh_token"]).get_json()["error"] == "invalid_scope"


def test_a_service_that_is_shut_out_while_it_asks_gets_nothing(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    kept = rig.records.put_approval

    def shut_out_first(approval: Approval) -> None:
        rig.records.put_client(replace(CLIENTS[-1], disabled=True))
        rig.records.revoke_client("backend", rig.clock(), rig.clock() + 300)
        kept(approval)

    monkeypatch.setattr(rig.records, "put_approval", shut_out_first)
    answer = rig.backend()
    assert (answer.status_code, answer.get_json()["error"]) == (401, "invalid_client")
