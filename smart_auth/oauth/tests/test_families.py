"""Token families: every code and refresh token is used once, and what comes again ends the family."""

import pytest

from smart_auth.model import Event
from smart_auth.oauth.tests.rig import PATIENT, STAFF, Rig
from smart_auth.people.secret import digest
from smart_auth.people.sessions import IDLE

OFFLINE = "openid launch/patient offline_access patient/Observation.rs"
ONLINE = OFFLINE.replace("offline", "online")


def approval_of(rig: Rig, token: str) -> str:
    found = rig.records.refresh(digest(token))
    assert found
    return found.approval


def test_a_code_is_for_its_client_once(rig: Rig) -> None:
    families, code = rig.service.families, rig.authorize()["code"]
    assert families.redeem(code, "other") is None and families.redeem("made-up", "public") is None
    found = families.redeem(code, "public")
    assert found and found[1].client == "public" and found[1].person == PATIENT.id
    assert families.redeem(code, "public") is None
    assert rig.told[-1].event is Event.REUSE and families.live(found[1].id) is None


def test_a_refresh_token_only_where_one_was_granted(rig: Rig) -> None:
    assert "refresh_token" in rig.tokens(scope=OFFLINE) and "refresh_token" in rig.tokens(scope=ONLINE)
    assert "refresh_token" not in rig.tokens(scope="launch/patient patient/Observation.rs")


def test_rotation_has_one_winner(rig: Rig) -> None:
    families, secret = rig.service.families, rig.tokens()["refresh_token"]
    found = families.of_refresh(secret, "public")
    assert found and families.of_refresh(secret, "other") is None
    following = families.rotate(*found)
    assert following and families.rotate(*found) is None
    assert families.usable(following, "public") and not families.usable(secret, "public")


@pytest.mark.parametrize(("later", "ended"), [(0, False), (20, False), (21, True)])
def test_a_second_tab_is_no_thief(rig: Rig, later: int, ended: bool) -> None:
    """Seconds between the use of a refresh token and its use again."""
    families, secret = rig.service.families, rig.tokens()["refresh_token"]
    found = families.of_refresh(secret, "public")
    assert found and families.rotate(*found)
    rig.clock.at += later
    assert families.of_refresh(secret, "public") is None
    assert (families.live(found[1].id) is None) is ended
    assert (rig.told[-1].event is Event.REUSE) is ended


def test_asking_revokes_nothing(rig: Rig) -> None:
    families, secret = rig.service.families, rig.tokens()["refresh_token"]
    found = families.of_refresh(secret, "public")
    assert found and families.rotate(*found)
    rig.clock.at += 1000
    assert families.usable(secret, "public") is None and families.live(found[1].id)


def test_online_access_ends_with_the_log_in_and_offline_access_does_not(rig: Rig) -> None:
    online, offline = (rig.tokens(scope=scope)["refresh_token"] for scope in (ONLINE, OFFLINE))
    rig.clock.at += IDLE + 1
    assert rig.service.families.of_refresh(online, "public") is None
    assert rig.service.families.of_refresh(offline, "public")


def test_nobody_stands_behind_the_family_of_a_disabled_person(rig: Rig) -> None:
    families, secret = rig.service.families, rig.tokens(STAFF, scope="openid offline_access user/*.rs")["refresh_token"]
    approval = rig.records.approval(approval_of(rig, secret))
    assert approval and families.person(approval) == STAFF
    rig.records.amend_person(STAFF.id, {"disabled": True})
    assert families.person(approval) is None and families.usable(secret, "public") is None


def test_a_revocation_outlives_every_token_of_now(rig: Rig) -> None:
    lifetimes = rig.service.lifetimes
    assert rig.service.families.keep() - rig.clock() > max(lifetimes.user_token, lifetimes.break_glass)
