"""What a handle of the chart is worth: once, to its app, in the hands of who opened it; on both databases."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from joserfc import jws

from fhir_server.pages.tests.browser import BASE
from fhir_server.pages.visits.clinic import CLIENT
from fhir_server.pages.visits.tests.conftest import Rig, rigged
from fhir_server.pages.visits.tests.test_apps import TRENDS, register
from fhir_server.pages.visits.tests.test_staff import person
from smart_auth.errors import OAuthError
from smart_auth.model import Person, Session
from smart_auth.oauth.authorize import AuthorizationRequest, Step
from smart_auth.oauth.refused import RefusedRedirect
from smart_auth.oauth.tests.rig import VERIFIER, challenge, query
from smart_auth.service import AuthService

REDIRECT = TRENDS.redirect_uris[0]


@pytest.fixture
def rig(database_url: str, tmp_path: Path) -> Iterator[Rig]:
    for made in rigged(tmp_path, DATABASE=database_url):
        for login in ("ben", "eve"):
            person(made, login, fhir_user=f"Practitioner/{login}")
        made.house.visit()
        register(made)
        register(made, id="other")
        yield made


@pytest.fixture
def service(rig: Rig) -> AuthService:
    return rig.process.authorization.service


def who(service: AuthService, login: str) -> tuple[Person, Session]:
    found = service.records.person_by_login(login)
    assert found
    now = service.now()
    return found, Session(
        session_hash=f"of {login}", person=found.id, csrf="c", amr=("pwd",), created=now, last_seen=now
    )


def handle(service: AuthService, app: str = "trends", patient: str = "ada", visit: str = "visit") -> str:
    return query(service.launches.address(who(service, "ben")[0], app, patient, visit, CLIENT))["launch"]


def begun(service: AuthService, launch: str, app: str = "trends") -> AuthorizationRequest:
    params = {"response_type": "code", "client_id": app, "redirect_uri": REDIRECT, "state": "s", "aud": service.base}
    proof = {"code_challenge": challenge(), "code_challenge_method": "S256"}
    scope = "launch openid fhirUser patient/Patient.rs"
    return service.authorizations.begin(params | proof | {"scope": scope, "launch": launch})


def test_the_app_is_told_patient_visit_and_person_once(rig: Rig, service: AuthService) -> None:
    launch, (ben, session) = handle(service), who(service, "ben")
    service.records.put_session(session)
    request = begun(service, launch)
    assert service.authorizations.next_step(request, ben, session) is Step.CONSENT
    code = query(service.authorizations.finish(request, ben, session, request.scope))["code"]
    form = {"grant_type": "authorization_code", "code": code, "redirect_uri": REDIRECT, "client_id": "trends"}
    answer = rig.browser.client.post("/auth/token", base_url=BASE, data=form | {"code_verifier": VERIFIER})
    told: dict[str, Any] = answer.get_json()
    assert (told["patient"], told["encounter"], told["need_patient_banner"]) == ("ada", "visit", True), told
    assert jws.extract_compact(told["id_token"].encode()).payload.count(b"Practitioner/ben") == 1
    bearer = {"Authorization": f"Bearer {told['access_token']}"}
    assert rig.browser.client.get("/fhir/Patient/ada", base_url=BASE, headers=bearer).status_code == 200
    with pytest.raises(RefusedRedirect, match="used or too old"):
        begun(service, launch)


def test_another_app_cannot_use_it_and_uses_it_up(service: AuthService) -> None:
    launch = handle(service)
    for app in ("other", "trends"):
        with pytest.raises(RefusedRedirect, match="unknown, used"):
            begun(service, launch, app)


def test_another_person_cannot_use_it(service: AuthService) -> None:
    request = begun(service, handle(service))
    with pytest.raises(RefusedRedirect, match="another person"):
        service.authorizations.next_step(request, *who(service, "eve"))


def test_nothing_is_minted_for_what_is_not_there(rig: Rig, service: AuthService) -> None:
    rig.house.put("Patient", "eva", name=[{"family": "Other"}])
    for app, patient, visit in (
        ("none", "ada", ""),
        ("trends", "nobody", ""),
        ("trends", "ada", "none"),
        ("trends", "eva", "visit"),
    ):
        with pytest.raises(OAuthError, match="There is no such"):
            handle(service, app, patient, visit)
    assert rig.audited("launch") == []
