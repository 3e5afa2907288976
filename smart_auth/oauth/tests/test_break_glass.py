"""Emergency access: HIPAA 164.312(a)(2)(ii)."""

from typing import Any

import pytest

from resources.repository import Grant
from smart_auth.model import Event
from smart_auth.oauth.tests.rig import NOBODY, PATIENT, STAFF, Rig, basic, bearer, query
from smart_auth.scopes.grants import grants

ASKED = {"patient": "p2", "reason": "Unconscious in the emergency room"}


def break_glass(rig: Rig, token: str, body: Any) -> Any:
    return rig.http.post("/auth/break-glass", json=body, headers=bearer(token))


def staff_token(rig: Rig, scope: str = "openid user/*.rs patient/*.cruds launch/patient") -> str:
    service = rig.service.authorizations
    asked = rig.params(scope=scope, client_id="symmetric")
    request = service.choose_patient(service.begin(asked), STAFF, "p1")
    url = service.finish(request, STAFF, rig.session(STAFF), request.scope)
    return str(rig.redeem(query(url)["code"], basic(), client_id="").get_json()["access_token"])


def test_one_patient_for_an_hour_with_the_reason_told(rig: Rig) -> None:
    answer = break_glass(rig, staff_token(rig), ASKED)
    body = answer.get_json()
    assert answer.status_code == 200
    assert (body["scope"], body["expires_in"], body["patient"]) == ("user/*.rs", 3600, "p2")
    claims = rig.service.verifier.claims(body["access_token"])
    assert (claims.reach, claims.purpose, claims.who) == ("Patient/p2", "BTG", "Practitioner/1")
    assert grants(claims) == (Grant("*", "rs", (), ("Patient", "p2"), confidential=True),)
    told = rig.told[-1]
    assert (told.event, told.patient, told.detail) == (Event.BREAK_GLASS, "Patient/p2", ASKED["reason"])


def test_it_ends_with_the_log_in_it_came_from_and_is_not_renewed(rig: Rig) -> None:
    token = staff_token(rig)
    broken = break_glass(rig, token, ASKED).get_json()["access_token"]
    assert break_glass(rig, broken, ASKED).status_code == 403
    claims = rig.service.verifier.claims(broken)
    rig.records.revoke_family(claims.family, rig.clock(), rig.clock() + 3600)
    assert break_glass(rig, token, ASKED).status_code == 401
    assert rig.http.get("/auth/userinfo", headers=bearer(broken)).status_code == 401


def test_only_staff_with_user_scopes(rig: Rig) -> None:
    for token, status in (
        (rig.at_work(PATIENT), 403),
        (rig.at_work(NOBODY), 403),
        (rig.backend().get_json()["access_token"], 403),
        (rig.at_work(scope="openid"), 403),
        ("x", 401),
    ):
        assert break_glass(rig, token, ASKED).status_code == status
    assert rig.http.post("/auth/break-glass", json=ASKED).status_code == 401
    assert Event.BREAK_GLASS not in [told.event for told in rig.told]


@pytest.mark.parametrize(
    "body",
    [
        {"patient": "p2"},
        {"patient": "p2", "reason": ""},
        {"patient": "p2", "reason": "       "},
        {"patient": "p2", "reason": "x" * 1001},
        {"patient": "unknown", "reason": "Emergency"},
        {"patient": "../p2", "reason": "Emergency"},
        {"reason": "Emergency"},
        [],
    ],
)
def test_a_patient_and_a_reason_are_needed(rig: Rig, body: Any) -> None:
    answer = break_glass(rig, staff_token(rig), body)
    assert (answer.status_code, answer.get_json()["error"]) == (400, "invalid_request")


def test_no_app_of_others_breaks_the_glass_by_itself(rig: Rig) -> None:
    token = rig.tokens(STAFF, scope="user/*.rs")["access_token"]
    answer = break_glass(rig, token, ASKED)
    assert (answer.status_code, answer.get_json()["error"]) == (403, "insufficient_scope")
