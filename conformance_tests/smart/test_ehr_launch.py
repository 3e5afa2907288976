"""An app that an EHR starts: launch handle, context, banner and style."""

from urllib.parse import parse_qs, urlsplit

import pytest

from conformance_tests.client import Json
from conformance_tests.smart.app import REDIRECT, App, oauth_error, scopes
from conformance_tests.smart.browser import Browser
from conformance_tests.smart.fixtures import EHR_LAUNCH
from conformance_tests.smart.provider import LAUNCH_URI, Provider, launch
from conformance_tests.smart.tokens import part

requirement = pytest.mark.requirement


def handle(provider: Provider, **context: object) -> str:
    answer = launch(provider, "growth", **context)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["launch"])


@requirement("inferno:smart_app_launch")
@requirement("inferno:smart_launch_received")
def test_the_ehr_gets_a_launch_url_with_issuer_and_handle(provider: Provider) -> None:
    answer = launch(provider, "growth", "grace", patient="ada")
    assert answer.status_code == 201 and "no-store" in answer.headers["cache-control"]
    url = answer.json()["launch_url"]
    assert url.startswith(LAUNCH_URI + "?")
    query = parse_qs(urlsplit(url).query)
    assert query["iss"] == [provider.base] and query["launch"] == [answer.json()["launch"]]


@requirement("inferno:smart_token_response_body_stu2_2")
@requirement("inferno:g10_ehr_patient_launch")
@requirement("inferno:g10_smart_scopes")
def test_the_context_of_the_launch_comes_with_the_token(launched: Json, provider: Provider) -> None:
    assert (launched["patient"], launched["encounter"]) == ("ada", "visit")
    assert scopes(launched["scope"]) == scopes(EHR_LAUNCH)
    claims = part(launched["id_token"], 1)
    assert claims["fhirUser"] == f"{provider.base}/Practitioner/grace"


@requirement("inferno:g10_patient_context")
@requirement("inferno:g10_encounter_context")
def test_patient_and_encounter_in_context_are_readable(launched: Json, growth: App) -> None:
    record = growth.record(launched["access_token"])
    assert record.get("Patient/ada").json()["id"] == "ada"
    assert record.get("Encounter/visit").json()["subject"]["reference"] == "Patient/ada"


@requirement("inferno:Test13 smart_style_url")
@requirement("inferno:Test14 need_patient_banner")
@requirement("smart:169-177")
def test_banner_and_style(launched: Json, provider: Provider) -> None:
    assert isinstance(launched["need_patient_banner"], bool)
    style = provider.http.get(launched["smart_style_url"], headers={"Accept": "application/json"})
    assert style.status_code == 200 and isinstance(style.json(), dict)


@requirement("smart:169-177")
@requirement("smart:178")
def test_everything_the_ehr_said_is_told(provider: Provider, grace: Browser, growth: App) -> None:
    items = [
        {"reference": "Condition/problem-list-item-ada"},
        {"reference": "Practitioner/grace", "role": "https://example.org/consultant"},
        {"canonical": "http://example.org/Questionnaire/q", "type": "Questionnaire"},
        {"identifier": {"system": "urn:x", "value": "1"}, "type": "ImagingStudy"},
    ]
    said = {"intent": "reconcile-medications", "need_patient_banner": False, "smart_style_url": "https://e.example/s"}
    opened = handle(provider, person="grace", patient="ada", fhirContext=items, **said)
    got = growth.granted(grace, EHR_LAUNCH, launch=opened)
    assert {name: got[name] for name in said} == said
    assert got["fhirContext"] == items
    assert not any(item.get("reference", "").startswith(("Patient/", "http")) for item in got["fhirContext"])


@requirement("smart:launch-ehr#user scopes alone")
def test_a_launch_without_patient_has_none(provider: Provider, grace: Browser, growth: App) -> None:
    got = growth.granted(grace, "launch openid user/Patient.rs", launch=handle(provider, person="grace"))
    assert "patient" not in got and "encounter" not in got
    assert growth.record(got["access_token"]).get("Patient/bob").json()["id"] == "bob"


@requirement("attack:57 launch handle")
def test_a_handle_is_good_once(provider: Provider, grace: Browser, growth: App) -> None:
    opened = handle(provider, person="grace", patient="ada")
    growth.granted(grace, EHR_LAUNCH, launch=opened)
    growth.ask(grace, EHR_LAUNCH, launch=opened)
    assert grace.left.startswith(REDIRECT) and grace.told["error"] == "invalid_request"


@requirement("attack:57 launch handle")
def test_a_handle_is_only_for_its_app_and_person(provider: Provider, ada: Browser, growth: App) -> None:
    growth.ask(ada, EHR_LAUNCH, launch=handle(provider, person="grace", patient="ada"))
    assert ada.told["error"] == "access_denied"
    other = provider.app("other")
    other.ask(ada, EHR_LAUNCH, launch=handle(provider, patient="ada"))
    assert ada.told["error"] == "invalid_request"


@requirement("attack:57 launch handle")
def test_a_patient_cannot_be_launched_into_anothers_record(provider: Provider, ada: Browser, growth: App) -> None:
    growth.ask(ada, EHR_LAUNCH, launch=handle(provider, patient="bob"))
    assert ada.left.startswith(REDIRECT) and ada.told["error"] == "access_denied"


@requirement("attack:57 launch handle")
@pytest.mark.parametrize("wrong", ["", "made-up", "x" * 3000])
def test_a_handle_that_nobody_minted_is_refused(ada: Browser, growth: App, wrong: str) -> None:
    growth.ask(ada, "launch patient/Patient.rs" if wrong else "launch", launch=wrong)
    assert ada.left.startswith(REDIRECT) and ada.told["error"] in ("invalid_request", "invalid_scope")


@requirement("smart:launch-ehr#launch scope")
def test_a_handle_without_the_scope_launch_is_refused(provider: Provider, grace: Browser, growth: App) -> None:
    growth.ask(grace, "patient/Patient.rs", launch=handle(provider, patient="ada"))
    assert grace.told["error"] == "invalid_scope"


@requirement("attack:57 launch handle")
def test_who_is_no_ehr_mints_no_handle(provider: Provider, standalone: Json) -> None:
    url = f"{provider.issuer}/auth/launch"
    body = {"app": "growth", "patient": "ada"}
    assert provider.http.post(url, json=body).status_code == 401
    patient = {"Authorization": f"Bearer {standalone['access_token']}"}
    assert provider.http.post(url, json=body, headers=patient).status_code == 403
    portal = ("portal", provider.secrets["portal"])
    assert provider.http.post(url, json=body, auth=portal).status_code == 403


@requirement("attack:57 launch handle")
def test_staff_mint_handles_for_themselves(provider: Provider, at_work: str, growth: App, grace: Browser) -> None:
    staff = {"Authorization": f"Bearer {at_work}"}
    url = f"{provider.issuer}/auth/launch"
    answer = provider.http.post(url, json={"app": "growth", "patient": "bob"}, headers=staff)
    assert answer.status_code == 201
    assert growth.granted(grace, EHR_LAUNCH, launch=answer.json()["launch"])["patient"] == "bob"


@requirement("attack:57 launch handle")
@pytest.mark.parametrize("patient", ["bob", "nobody"])
def test_an_app_of_others_does_not_learn_who_is_a_patient(provider: Provider, launched: Json, patient: str) -> None:
    staff = {"Authorization": f"Bearer {launched['access_token']}"}
    answer = provider.http.post(f"{provider.issuer}/auth/launch", json={"patient": patient}, headers=staff)
    oauth_error(answer, "insufficient_scope", status=403)


@requirement("smart:launch-ehr#context")
@pytest.mark.parametrize(
    "wrong",
    [
        {"patient": "nobody"},
        {"encounter": "nothing"},
        {"app": "no-such-app"},
        {"patient": "../Patient/ada"},
        {"fhirContext": [{"type": "Patient"}]},
        {"fhirContext": [{"reference": "https://evil.example/Patient/1"}]},
        {"smart_style_url": "javascript:alert(1)"},
        {"person": "nobody"},
    ],
)
def test_a_launch_of_what_is_not_there_is_refused(provider: Provider, wrong: dict[str, object]) -> None:
    given: dict[str, object] = {"app": "growth", "patient": "ada"} | wrong
    answer = launch(provider, **given)  # type: ignore[arg-type]
    assert answer.status_code == 400 and answer.json()["error"] == "invalid_request", answer.text
