"""Staff behind a token, in the hands of the hospital's own apps: SMART App Launch 2.2 section 2.0.6."""

import pytest

from smart_auth.errors import OAuthError
from smart_auth.oauth.staff import Staff, staff_of
from smart_auth.oauth.tests.rig import NOBODY, PATIENT, STAFF, Rig


def staff(rig: Rig, token: str) -> Staff:
    return staff_of(token, rig.service.verifier, rig.records)


def refused(rig: Rig, token: str) -> tuple[str, int]:
    with pytest.raises(OAuthError) as error:
        staff(rig, token)
    return error.value.error, error.value.status


def test_staff_and_the_token_they_call_with(rig: Rig) -> None:
    found = staff(rig, rig.at_work())
    assert found.person == STAFF
    assert (found.claims.client, found.claims.who) == ("symmetric", "Practitioner/1")


def test_nobody_else(rig: Rig) -> None:
    insufficient = ("insufficient_scope", 403)
    assert refused(rig, rig.at_work(PATIENT)) == refused(rig, rig.at_work(NOBODY)) == insufficient
    assert refused(rig, rig.backend().get_json()["access_token"]) == insufficient
    assert refused(rig, "x") == ("invalid_token", 401)


def test_not_once_disabled(rig: Rig) -> None:
    token = rig.at_work()
    rig.records.amend_person(STAFF.id, {"disabled": True})
    assert refused(rig, token) == ("insufficient_scope", 403)


@pytest.mark.parametrize(
    ("changes", "own"),
    [
        ({}, True),
        ({"ehr": False, "trusted": True}, True),
        ({"ehr": False}, False),
        ({"disabled": True}, False),
    ],
)
def test_the_hospitals_own_apps_alone(rig: Rig, changes: dict[str, bool], own: bool) -> None:
    token = rig.at_work()
    assert rig.records.amend_client("symmetric", changes or {"ehr": True})
    if own:
        assert staff(rig, token).person == STAFF
    else:
        assert refused(rig, token) == ("insufficient_scope", 403)
