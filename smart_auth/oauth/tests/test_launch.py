"""EHR launch: SMART App Launch 2.2 sections 2.0.6 and 3.0."""

from typing import Any

import pytest

from smart_auth.model import Event
from smart_auth.oauth.tests.rig import BASE, ISSUER, PATIENT, STAFF, Rig, basic, bearer, query

FULL = {
    "app": "public",
    "person": "grace",
    "patient": "p1",
    "encounter": "e1",
    "intent": "reconcile",
    "need_patient_banner": False,
    "fhirContext": [{"reference": "ImagingStudy/1", "role": "launch"}, {"canonical": "http://example.org/q|1"}],
}


def mint(rig: Rig, body: Any, headers: dict[str, str] | None = None) -> Any:
    return rig.http.post("/auth/launch", json=body, headers=headers or basic())


def launched(rig: Rig, handle: str, scope: str = "launch openid user/*.rs") -> dict[str, Any]:
    service = rig.service.authorizations
    request = service.begin(rig.params(launch=handle, scope=scope))
    code = query(service.finish(request, STAFF, rig.session(STAFF), request.scope))["code"]
    found: dict[str, Any] = rig.redeem(code).get_json()
    return found


def test_the_context_that_the_ehr_tells_reaches_the_app(rig: Rig) -> None:
    answer = mint(rig, FULL)
    assert answer.status_code == 201
    body = launched(rig, answer.get_json()["launch"])
    for name in ("patient", "encounter", "intent", "need_patient_banner", "fhirContext"):
        assert body[name] == FULL[name]
    assert body["smart_style_url"] == f"{ISSUER}/auth/style"
    assert rig.http.get("/auth/style").get_json()["color_background"]
    assert rig.told[0].event is Event.LAUNCH
    assert rig.told[0].patient == "Patient/p1"


def test_the_launch_url_of_a_known_app(rig: Rig) -> None:
    body = mint(rig, {"app": "symmetric", "patient": "p1"}).get_json()
    assert body["launch_url"].startswith("https://app.example/launch?a=b&")
    assert query(body["launch_url"]) == {"a": "b", "iss": BASE, "launch": body["launch"]}


def test_staff_launch_for_themselves(rig: Rig) -> None:
    asked = {"app": "public", "patient": "p2", "person": "ada"}
    handle = mint(rig, asked, bearer(rig.at_work())).get_json()["launch"]
    assert launched(rig, handle)["patient"] == "p2"


@pytest.mark.parametrize("patient", ["p1", "unknown"])
def test_no_app_of_others_learns_who_is_a_patient(rig: Rig, patient: str) -> None:
    token = rig.tokens(STAFF, scope="user/Observation.rs")["access_token"]
    answer = mint(rig, {"app": "public", "patient": patient}, bearer(token))
    assert (answer.status_code, answer.get_json()["error"]) == (403, "insufficient_scope")


def test_who_may_not_launch(rig: Rig) -> None:
    patient = rig.at_work(PATIENT, "patient/*.rs")
    service = rig.backend().get_json()["access_token"]
    for headers, status in (
        (bearer(patient), 403),
        (bearer(service), 403),
        (bearer("x"), 401),
        (basic(secret="wrong"), 401),
        ({"X-None": "x"}, 401),
    ):
        assert mint(rig, {"patient": "p1"}, headers).status_code == status
    assert mint(rig, {"patient": "p1", "client_id": "public"}, {"X-None": "x"}).status_code == 401


@pytest.mark.parametrize(
    "change",
    [
        {"patient": "unknown"},
        {"patient": "../p1"},
        {"patient": ""},
        {"encounter": "unknown"},
        {"patient": "p2"},  # the visit is of p1
        {"patient": None},
        {"app": "unknown"},
        {"person": "unknown"},
        {"fhirContext": [{}]},
        {"fhirContext": [{"reference": "https://other.example/Patient/1"}]},
        {"fhirContext": "x"},
        {"smart_style_url": "javascript:alert(1)"},
        {"need_patient_banner": "yes"},
        {"unknown": 1},
    ],
)
def test_a_context_that_cannot_be(rig: Rig, change: dict[str, Any]) -> None:
    answer = mint(rig, FULL | change)
    assert (answer.status_code, answer.get_json()["error"]) == (400, "invalid_request")


def test_the_body_is_json(rig: Rig) -> None:
    for data, kind in (
        (b"{", "application/json"),
        (b"patient=p1", "application/x-www-form-urlencoded"),
        (b"[]", "application/json"),
    ):
        assert rig.http.post("/auth/launch", data=data, content_type=kind, headers=basic()).status_code == 400
