"""What a person allows on the consent page is what the app gets, and no more."""

import pytest

from conformance_tests.client import Client
from conformance_tests.smart.app import App, scopes, token_response
from conformance_tests.smart.browser import Browser, Fields
from conformance_tests.smart.record import CONDITION_CATEGORY, HEALTH_CONCERN, OBSERVATION_CATEGORY

requirement = pytest.mark.requirement

US_CORE = "AllergyIntolerance Condition Encounter Immunization MedicationRequest Observation Patient Procedure"
ASKED = "launch/patient openid fhirUser offline_access " + " ".join(f"patient/{type}.rs" for type in US_CORE.split())

GROUPS = {
    "one": {
        "Condition": [f"{CONDITION_CATEGORY}|encounter-diagnosis", f"{HEALTH_CONCERN}|health-concern"],
        "Observation": [f"{OBSERVATION_CATEGORY}|laboratory", f"{OBSERVATION_CATEGORY}|social-history"],
    },
    "two": {
        "Condition": [f"{CONDITION_CATEGORY}|problem-list-item"],
        "Observation": [f"{OBSERVATION_CATEGORY}|vital-signs", f"{OBSERVATION_CATEGORY}|survey"],
    },
}
"""The two launches of US Core's granular scopes."""


def answered(browser: Browser, growth: App, scope: str, changes: Fields) -> str:
    """The scope that is granted when the boxes of some rows are ticked otherwise than offered."""
    growth.ask(browser, scope)
    form = browser.form("/auth/consent")
    browser.send(form, form.fields | changes | {"answer": ["allow"]})
    return str(token_response(growth.exchange(browser.told["code"]))["scope"])


@requirement("SMART conformance#consent in plain words")
def test_the_page_says_what_is_asked_for_whom_and_by_whom(ada: Browser, growth: App) -> None:
    growth.ask(ada, ASKED)
    words = ada.page.words
    for expected in ("Growth chart", "Ada Byron", "Allergies", "Vaccinations", "Test results", "app.example"):
        assert expected in words, expected
    assert "patient/" not in words and ".rs" not in words


@requirement("inferno:g10_limited_scope_grant")
@requirement("inferno:g10_restricted_resource_type_access")
def test_types_can_be_taken_away(ada: Browser, growth: App) -> None:
    growth.ask(ada, ASKED)
    form = ada.form("/auth/consent")
    kept = {"patient/Patient", "patient/Observation"}
    away = {name: [] for name in form.fields if name.startswith("patient/") and name not in kept}
    assert len(away) == len(US_CORE.split()) - len(kept)
    ada.send(form, {**form.fields, **away, "answer": ["allow"]})
    got = token_response(growth.exchange(ada.told["code"]))
    left = {scope for scope in scopes(got["scope"]) if scope.startswith("patient/")}
    assert left == {"patient/Patient.rs", "patient/Observation.rs"}
    record = growth.record(got["access_token"])
    for type in ("Patient", "Observation"):
        assert record.found(type, {"_id": "ada"} if type == "Patient" else {"patient": "ada"})
    for type in ("Condition", "AllergyIntolerance", "Encounter"):
        record.refused("GET", type, query={"patient": "ada"}, expect=(401, 403))
        record.refused("GET", f"{type}/x", expect=(401, 403))


@requirement("inferno:g10_smart_granular_scope_selection")
@requirement("inferno:us_core_granted_granular_scopes")
@pytest.mark.parametrize("group", GROUPS)
def test_types_can_be_narrowed_to_categories(ada: Browser, growth: App, group: str) -> None:
    asked = (
        "launch/patient openid fhirUser offline_access patient/Condition.rs patient/Observation.rs patient/Patient.rs"
    )
    growth.ask(ada, asked)
    form = ada.form("/auth/consent")
    changes: Fields = {}
    for type, categories in GROUPS[group].items():
        boxes = [value for name, value in form.boxes if name == f"patient/{type}"]
        wanted = [f"category={category}" for category in categories]
        assert set(wanted) <= set(boxes)
        actions = [value for value in form.fields[f"patient/{type}"] if value != "*"]
        changes[f"patient/{type}"] = actions + wanted
    ada.send(form, {**form.fields, **changes, "answer": ["allow"]})
    got = token_response(growth.exchange(ada.told["code"]))
    expected = {f"patient/{t}.rs?category={c}" for t, categories in GROUPS[group].items() for c in categories}
    assert {scope for scope in scopes(got["scope"]) if scope.startswith("patient/")} == expected | {
        "patient/Patient.rs"
    }
    _shows_the_granted_alone(growth.record(got["access_token"]), GROUPS[group])
    refreshed = token_response(growth.refresh(got["refresh_token"]))
    _shows_the_granted_alone(growth.record(refreshed["access_token"]), GROUPS[group])


def _shows_the_granted_alone(record: Client, granted: dict[str, list[str]]) -> None:
    """Each search equals the full answer filtered by the categories; what is beside them cannot be read."""
    for type, categories in granted.items():
        codes = sorted(category.partition("|")[2] for category in categories)
        everything = [f"{code}-ada" for code in codes]
        assert sorted(record.found(type, {"patient": "ada"})) == everything
        assert sorted(record.found(type)) == everything
        assert record.search(type, {"_summary": "count"})["total"] == len(codes)
        for code in ("laboratory", "vital-signs") if type == "Observation" else ("problem-list-item", "health-concern"):
            mine = [f"{code}-ada"] if code in codes else []
            assert record.found(type, {"patient": "ada", "category": code}) == mine
            record.get(f"{type}/{code}-ada", expect=200 if mine else (403, 404))
            record.get(f"{type}/{code}-bob", expect=(403, 404))


@requirement("SMART scopes-and-launch-context#finer-grained resource constraints")
def test_categories_can_be_asked_for(ada: Browser, growth: App) -> None:
    scope = f"launch/patient patient/Observation.rs?category={OBSERVATION_CATEGORY}|laboratory"
    got = growth.granted(ada, scope)
    assert scopes(got["scope"]) == scopes(scope)
    record = growth.record(got["access_token"])
    assert record.found("Observation") == ["laboratory-ada"]
    assert record.found("Observation", {"category": "vital-signs"}) == []
    record.get("Observation/laboratory-bob", expect=(403, 404))


@requirement("SMART scopes-and-launch-context#scopes are granted in part")
def test_staying_logged_on_can_be_declined(ada: Browser, growth: App) -> None:
    growth.ask(ada, ASKED)
    form = ada.form("/auth/consent")
    assert "offline_access" in form.fields
    ada.send(form, {**form.fields, "offline_access": [], "answer": ["allow"]})
    got = token_response(growth.exchange(ada.told["code"]))
    assert "offline_access" not in scopes(got["scope"]) and "refresh_token" not in got


@requirement("inferno:g10 attestation: patient is told of offline access")
def test_the_page_tells_that_access_lasts(ada: Browser, growth: App) -> None:
    growth.ask(ada, ASKED)
    assert "while you are away" in ada.page.words
    growth.ask(ada, ASKED.replace("offline", "online"))
    assert "ends when you log off" in ada.page.words


@requirement("attack:50 consent")
@pytest.mark.parametrize(
    "more",
    [
        {"patient/Condition": ["read", "search", "create", "update", "delete", "*"]},
        {"patient/Patient": ["read", "write", "cruds", "rs", "*", "delete"]},
        {"user/Patient": ["read", "allow"]},
        {"system/*": ["read"]},
        {"patient/Observation": ["read", "category=../*"]},
        {"offline_access": ["allow"]},
    ],
)
def test_a_form_that_was_tampered_with_gives_no_more(ada: Browser, growth: App, more: Fields) -> None:
    asked = "launch/patient patient/Patient.rs patient/Observation.rs"
    granted = scopes(answered(ada, growth, asked, more))
    assert granted <= scopes(asked)


@requirement("smart:54")
def test_nothing_allowed_is_a_refusal(ada: Browser, growth: App) -> None:
    growth.ask(ada, "patient/Patient.rs")
    form = ada.form("/auth/consent")
    ada.send(form, {**form.fields, "patient/Patient": [], "answer": ["allow"]})
    assert ada.told["error"] == "access_denied"


@requirement("inferno:g10_smart_scopes")
def test_a_wildcard_comes_back_whole_or_as_what_is_left(ada: Browser, growth: App) -> None:
    whole = scopes(answered(ada, growth, "launch/patient patient/*.rs", {}))
    assert whole == {"launch/patient", "patient/*.rs"}
    less = scopes(answered(ada, growth, "launch/patient patient/*.rs", {"patient/Condition": []}))
    assert "patient/*.rs" not in less and not any("Condition" in scope for scope in less)
    assert "patient/Observation.rs" in less
