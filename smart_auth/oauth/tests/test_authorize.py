"""The authorization endpoint without pages: SMART App Launch 2.2 section 2.0.8, RFC 6749 section 4.1, RFC 9207."""

import pytest
from msgspec.structs import replace

from smart_auth.model import Context, Event, Launch, Person
from smart_auth.oauth.authorization_request import single
from smart_auth.oauth.authorize import RefusedPage, RefusedRedirect, Step
from smart_auth.oauth.tests.rig import BASE, ISSUER, NOBODY, PATIENT, REDIRECT, STAFF, Rig, query
from smart_auth.people.secret import digest


@pytest.mark.parametrize(
    "change",
    [
        {"client_id": ""},
        {"client_id": "unknown"},
        {"client_id": "backend"},
        {"redirect_uri": ""},
        {"redirect_uri": "https://evil.example/"},
        {"redirect_uri": REDIRECT + "/x"},
        {"redirect_uri": "https://evil.example/", "response_type": "token"},
        {"state": ""},
    ],
)
def test_refused_on_a_page_and_never_redirected(rig: Rig, change: dict[str, str]) -> None:
    with pytest.raises(RefusedPage):
        rig.service.authorizations.begin(rig.params(**change))


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"response_type": ""}, "invalid_request"),
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"response_type": "code id_token"}, "unsupported_response_type"),
        ({"response_mode": "fragment"}, "invalid_request"),
        ({"code_challenge": ""}, "invalid_request"),
        ({"code_challenge": "a" * 42}, "invalid_request"),
        ({"code_challenge": "a" * 129}, "invalid_request"),
        ({"code_challenge": "a" * 42 + "+"}, "invalid_request"),
        ({"code_challenge_method": ""}, "invalid_request"),
        ({"code_challenge_method": "plain"}, "invalid_request"),
        ({"aud": ""}, "invalid_request"),
        ({"aud": "https://other.example/fhir"}, "invalid_request"),
        ({"aud": BASE + "/x"}, "invalid_request"),
        ({"scope": ""}, "invalid_scope"),
        ({"scope": "patient/Observation.rsXYZ"}, "invalid_scope"),
        ({"scope": "system/Patient.rs"}, "invalid_scope"),
        ({"scope": "patient/Observation.rs system/Patient.rs"}, "invalid_scope"),
        ({"prompt": "none login"}, "invalid_request"),
        ({"prompt": "whatever"}, "invalid_request"),
        ({"max_age": "-1"}, "invalid_request"),
        ({"request": "eyJ"}, "request_not_supported"),
        ({"request_uri": "https://evil.example"}, "request_uri_not_supported"),
        ({"launch": "unknown", "scope": "launch patient/*.rs"}, "invalid_request"),
        ({"launch": "unknown"}, "invalid_scope"),
    ],
)
def test_told_to_the_app(rig: Rig, change: dict[str, str], error: str) -> None:
    with pytest.raises(RefusedRedirect) as refused:
        rig.service.authorizations.begin(rig.params(**change))
    assert refused.value.url.startswith(REDIRECT + "?")
    told = query(refused.value.url)
    assert (told["error"], told["state"], told["iss"]) == (error, "s/1 &", ISSUER)
    assert rig.told[-1].event is Event.TOKEN_REFUSED


def test_parameters_come_once_and_are_short() -> None:
    assert single([("a", "1"), ("b", "2")]) == {"a": "1", "b": "2"}
    for pairs in ([("state", "1"), ("state", "1")], [("state", "x" * 20_000)]):
        with pytest.raises(RefusedPage):
            single(pairs)


def test_scope_is_what_the_app_may_ask_for_each_once(rig: Rig) -> None:
    asked = "launch launch/patient launch/patient openid patient/Observation.read patient/X.rs unknown"
    request = rig.service.authorizations.begin(rig.params(scope=asked))
    assert request.scope.split() == ["launch/patient", "openid", "patient/Observation.read"]


def test_a_scope_that_no_token_could_hold(rig: Rig) -> None:
    service = rig.service.authorizations
    many = " ".join(f"patient/Observation.rs?code=http://loinc.org|{n:0>60}" for n in range(60))
    request = service.begin(rig.params(scope=many))
    url = service.finish(request, PATIENT, rig.session(PATIENT), many)
    assert query(url)["error"] == "invalid_scope"


def test_steps_of_staff(rig: Rig) -> None:
    service = rig.service.authorizations
    request = service.begin(rig.params(scope="launch/patient launch/encounter patient/*.rs"))
    assert service.next_step(request, None, None) is Step.LOGIN
    session = rig.session(STAFF)
    assert service.next_step(request, STAFF, session) is Step.PATIENT
    with pytest.raises(RefusedPage):
        service.finish(request, STAFF, session, request.scope)
    with pytest.raises(RefusedPage):
        service.choose_patient(request, STAFF, "unknown")
    request = service.choose_patient(request, STAFF, "p1")
    assert service.next_step(request, STAFF, session) is Step.ENCOUNTER
    with pytest.raises(RefusedPage):
        service.choose_encounter(request, STAFF, "e2")
    assert service.next_step(service.choose_encounter(request, STAFF, ""), STAFF, session) is Step.CONSENT
    request = service.choose_encounter(request, STAFF, "e1")
    assert service.next_step(request, STAFF, session) is Step.CONSENT
    told = query(service.finish(request, STAFF, session, request.scope))
    assert rig.redeem(told["code"]).get_json()["encounter"] == "e1"


def test_a_patient_needs_no_picker_and_no_other(rig: Rig) -> None:
    service = rig.service.authorizations
    request = service.begin(rig.params())
    assert service.next_step(request, PATIENT, rig.session(PATIENT)) is Step.CONSENT
    assert service.context(request, PATIENT).patient == "p1"
    with pytest.raises(RefusedPage):
        service.choose_patient(request, PATIENT, "p2")


def test_who_has_no_reach_chooses_no_patient(rig: Rig) -> None:
    service = rig.service.authorizations
    request = service.begin(rig.params())
    assert service.next_step(request, NOBODY, rig.session(NOBODY)) is Step.PATIENT
    with pytest.raises(RefusedPage):
        service.choose_patient(request, NOBODY, "p1")


def test_trusted_apps_ask_for_no_consent(rig: Rig) -> None:
    service = rig.service.authorizations
    request = service.begin(rig.params(client_id="asymmetric"))
    assert service.next_step(request, PATIENT, rig.session(PATIENT)) is Step.DONE
    request = service.begin(rig.params(client_id="asymmetric", prompt="consent"))
    assert service.next_step(request, PATIENT, rig.session(PATIENT)) is Step.CONSENT


def test_prompt_login_and_max_age_ask_again(rig: Rig) -> None:
    service = rig.service.authorizations
    old = rig.session(PATIENT)
    rig.clock.at += 100
    for params in ({"prompt": "login"}, {"max_age": "99"}, {"max_age": "0"}):
        request = service.begin(rig.params(**params))
        assert service.next_step(request, PATIENT, old) is Step.LOGIN
        assert service.next_step(request, PATIENT, rig.session(PATIENT)) is Step.CONSENT
    assert service.next_step(service.begin(rig.params(max_age="100")), PATIENT, old) is Step.CONSENT


def test_prompt_none_asks_nothing(rig: Rig) -> None:
    service = rig.service.authorizations
    for client, person, error in (
        ("public", None, "login_required"),
        ("public", STAFF, "interaction_required"),
        ("public", PATIENT, "consent_required"),
    ):
        request = service.begin(rig.params(client_id=client, prompt="none"))
        session = rig.session(person) if person else None
        with pytest.raises(RefusedRedirect) as refused:
            service.next_step(request, person, session)
        assert query(refused.value.url)["error"] == error
    request = service.begin(rig.params(client_id="asymmetric", prompt="none"))
    assert service.next_step(request, PATIENT, rig.session(PATIENT)) is Step.DONE


def test_consent_narrows_and_never_widens(rig: Rig) -> None:
    service = rig.service.authorizations
    request = service.begin(rig.params(scope="patient/Observation.rs patient/Condition.rs"))
    granted = "patient/Observation.rs?category=laboratory patient/Patient.rs user/*.cruds"
    url = service.finish(request, PATIENT, rig.session(PATIENT), granted)
    assert rig.redeem(query(url)["code"]).get_json()["scope"] == "patient/Observation.rs?category=laboratory"
    url = service.finish(request, PATIENT, rig.session(PATIENT), "user/*.cruds")
    assert query(url)["error"] == "access_denied"


def test_refusal_of_the_person(rig: Rig) -> None:
    request = rig.service.authorizations.begin(rig.params())
    told = query(rig.service.authorizations.refuse(request, "access_denied", "No."))
    assert (told["error"], told["state"], told["iss"]) == ("access_denied", "s/1 &", ISSUER)
    assert rig.told[-1].event is Event.CONSENT_REFUSED


def _launch(rig: Rig, **fields: object) -> str:
    handle = f"handle {fields}"
    given = {
        "launch_hash": digest(handle),
        "context": Context(patient="p1", intent="order"),
        "expires": rig.clock() + 300,
    }
    rig.records.put_launch(Launch(**(given | fields)))  # type: ignore[arg-type]
    return handle


def test_a_launch_handle_brings_its_context_once(rig: Rig) -> None:
    service = rig.service.authorizations
    params = rig.params(launch=_launch(rig), scope="launch user/*.rs")
    request = service.begin(params)
    session = rig.session(STAFF)
    assert service.next_step(request, STAFF, session) is Step.CONSENT
    code = query(service.finish(request, STAFF, session, request.scope))["code"]
    body = rig.redeem(code).get_json()
    assert (body["patient"], body["intent"]) == ("p1", "order")
    with pytest.raises(RefusedRedirect):
        service.begin(params)


def test_a_launch_handle_of_another_app_or_person_or_time(rig: Rig) -> None:
    service, scope = rig.service.authorizations, "launch user/*.rs"
    for fields in ({"client": "other"}, {"expires": rig.clock()}):
        with pytest.raises(RefusedRedirect):
            service.begin(rig.params(launch=_launch(rig, **fields), scope=scope))
    request = service.begin(rig.params(launch=_launch(rig, person=STAFF.id), scope=scope))
    with pytest.raises(RefusedRedirect) as refused:
        service.next_step(request, PATIENT, rig.session(PATIENT))
    assert query(refused.value.url)["error"] == "access_denied"


def test_a_patient_is_not_launched_into_another_patient(rig: Rig) -> None:
    service = rig.service.authorizations
    request = service.begin(rig.params(launch=_launch(rig, context=Context(patient="p2")), scope="launch patient/*.rs"))
    with pytest.raises(RefusedRedirect):
        service.next_step(request, PATIENT, rig.session(PATIENT))


def test_a_disabled_client_asks_nothing(rig: Rig) -> None:
    client = rig.records.client("public")
    assert client
    rig.records.put_client(replace(client, disabled=True))
    with pytest.raises(RefusedPage):
        rig.service.authorizations.begin(rig.params())


def silent(rig: Rig, person: Person = PATIENT, **changes: str) -> dict[str, str]:
    """What an app is told that asks with prompt=none."""
    service = rig.service.authorizations
    request = service.begin(rig.params(prompt="none", **changes))
    session = rig.session(person)
    try:
        assert service.next_step(request, person, session) is Step.DONE
    except RefusedRedirect as refused:
        return query(refused.url)
    return query(service.finish(request, person, session, request.scope))


def test_consent_is_remembered_for_who_asks_silently_for_no_more(rig: Rig) -> None:
    assert silent(rig)["error"] == "consent_required"
    given = rig.tokens(scope="launch/patient openid patient/Observation.rs patient/Condition.rs")
    for scope in ("launch/patient openid patient/Observation.rs", "openid patient/Condition.r"):
        assert "code" in silent(rig, scope=scope)
    for scope in (
        "patient/Observation.cruds",
        "patient/*.rs",
        "openid fhirUser",
        "patient/Condition.rs offline_access",
    ):
        assert silent(rig, scope=scope)["error"] == "consent_required"
    assert (
        rig.service.authorizations.next_step(  # and is asked again whenever somebody is there to be asked
            rig.service.authorizations.begin(rig.params(scope="openid")), PATIENT, rig.session(PATIENT)
        )
        is Step.CONSENT
    )
    for approval in rig.records.approvals(PATIENT.id):
        rig.records.revoke_family(approval.id, rig.clock(), rig.clock())
    assert given["access_token"] and silent(rig, scope="openid")["error"] == "consent_required"


def test_consent_is_for_one_app_one_person_one_patient_and_no_claimable_address(rig: Rig) -> None:
    rig.tokens(scope="openid patient/*.rs")
    assert silent(rig, scope="openid", client_id="symmetric")["error"] == "consent_required"
    native = {"redirect_uri": "http://127.0.0.1:4321/native"}
    assert silent(rig, scope="openid patient/*.rs", **native)["error"] == "consent_required"
    launched = {"launch": _launch(rig, context=Context(patient="p2")), "scope": "launch patient/*.rs"}
    service = rig.service.authorizations
    request = service.begin(rig.params(launch=_launch(rig), scope="launch patient/*.rs"))
    service.finish(request, STAFF, rig.session(STAFF), request.scope)
    assert silent(rig, STAFF, **launched)["error"] == "consent_required"
