"""What a scope says is what can be done: letters, types, malformed ones, entries of a Bundle."""

import uuid

import pytest

from conformance_tests.client import Client, Json, reference
from conformance_tests.examples import entry, observation, statuses
from conformance_tests.smart.app import REDIRECT, App, scopes, token_response
from conformance_tests.smart.browser import Browser
from conformance_tests.smart.record import ADA

requirement = pytest.mark.requirement


@pytest.fixture(scope="session")
def letters() -> dict[str, Client]:
    """Records seen with one letter of permission on Observation each; filled as tests ask."""
    return {}


def seen_with(permissions: str, growth: App, grace: Browser) -> Client:
    return growth.record(growth.granted(grace, f"user/Observation.{permissions}")["access_token"])


INTERACTIONS: dict[str, tuple[str, str, str]] = {
    "read": ("r", "GET", "Observation/laboratory-ada"),
    "vread": ("r", "GET", "Observation/laboratory-ada/_history/1"),
    "history of an instance": ("r", "GET", "Observation/laboratory-ada/_history"),
    "search": ("s", "GET", "Observation?patient=ada"),
    "search by POST": ("s", "POST", "Observation/_search"),
    "history of the type": ("s", "GET", "Observation/_history"),
    "create": ("c", "POST", "Observation"),
    "update": ("u", "PUT", "Observation/{made}"),
    "patch": ("u", "PATCH", "Observation/{made}"),
    "delete": ("d", "DELETE", "Observation/{made}"),
}
"""Name: letter, method, path."""


@requirement("smart:95")
@requirement("smart:266")
@pytest.mark.parametrize("letter", list("cruds"))
def test_each_letter_allows_its_interactions_and_no_other(growth: App, grace: Browser, letter: str) -> None:
    record = seen_with(letter, growth, grace)
    maker = seen_with("cruds", growth, grace)
    for name, (needed, method, path) in INTERACTIONS.items():
        made = maker.create(observation(ADA))
        answer = _interact(record, method, path.format(made=made["id"]), made)
        allowed = answer < 300
        assert allowed == (needed == letter), f"{name} under .{letter} → {answer}"
        assert allowed or answer == 403, f"{name} under .{letter} → {answer}"


def _interact(record: Client, method: str, path: str, made: Json) -> int:
    bodies: dict[str, object] = {
        "POST": {key: value for key, value in made.items() if key not in ("id", "meta")},
        "PUT": made,
        "PATCH": [{"op": "add", "path": "/issued", "value": "2026-11-02T10:00:00Z"}],
    }
    body = bodies.get(method)
    kind = {"PATCH": "application/json-patch+json"}.get(method, "application/fhir+json")
    if path.endswith("_search"):
        body, kind = "patient=ada", "application/x-www-form-urlencoded"
    anything = tuple(range(200, 600))
    return record.request(method, path, body, type=kind, expect=anything).status_code  # type: ignore[arg-type]


@requirement("smart:123")
def test_update_as_create_is_an_update(growth: App, grace: Browser, tag: str) -> None:
    body = observation(ADA) | {"id": tag}
    seen_with("c", growth, grace).put(f"Observation/{tag}", body, expect=403)
    seen_with("u", growth, grace).put(f"Observation/{tag}", body, expect=201)


@requirement("smart:95")
@pytest.mark.parametrize(
    ("v1", "works", "fails"),
    [
        ("read", ("r", "s"), ("c",)),
        ("write", ("c", "u"), ("r", "s")),
        ("*", ("c", "r", "s"), ()),
    ],
)
def test_the_words_of_version_1(
    growth: App, grace: Browser, v1: str, works: tuple[str, ...], fails: tuple[str, ...]
) -> None:
    record = seen_with(v1, growth, grace)
    made = seen_with("cruds", growth, grace).create(observation(ADA))
    for needed, method, path in INTERACTIONS.values():
        if needed in works + fails:
            answer = _interact(record, method, path.format(made=made["id"]), made)
            assert (answer < 300) == (needed in works), (v1, path, answer)


@requirement("attack:39 malformed scopes")
@pytest.mark.parametrize(
    "malformed",
    [
        "patient/Observation.rsXYZ",
        "patient/Observation.sr",
        "patient/Observation.",
        "patient/Observation",
        "patient/Observation.RS",
        "patient/observation.rs",
        "Patient/Observation.rs",
        "patient/Observation.rs.rs",
        "patient/Nonsense.rs",
        "patient/*.rs?category=laboratory",
        "patient/Observation.rs?",
        "patient/Observation.rs?category",
        "patient/Observation.rs?category=",
        "patient/Observation.rs?nonsense=1",
        "patient/Observation.rs?category:not=laboratory",
        "patient/Observation.rs?subject:Patient.name=Babbage",
        "patient/Observation.rs?_has:Group:member:_id=1",
        "patient/Observation.rs?_include=Observation:subject",
        "patient/Observation.rs?_count=1",
        "patient/Observation.rs?category=laboratory%26category=vital-signs",
        "patient/Observation.rs%3fcategory=laboratory",
        "patient/Observation.rs?category=laboratory?code=x",
        "patient/Observation.read?category=laboratory",
        "patient/Observation.rs\tpatient/Condition.rs",
        "patient/../user/Observation.rs",
        "user/Patient.rs patient",
        "launch/patient.rs",
    ],
)
def test_a_malformed_scope_grants_nothing(ada: Browser, growth: App, malformed: str) -> None:
    asked = f"patient/Patient.r {malformed}"
    growth.ask(ada, asked)
    if ada.left:
        assert ada.left.startswith(REDIRECT) and ada.told["error"] == "invalid_scope"
        return
    ada.submit("/auth/consent", answer="allow")
    got = token_response(growth.exchange(ada.told["code"]))
    well_formed = {"patient/Patient.r"} | (scopes(malformed) & {"user/Patient.rs"})
    assert scopes(got["scope"]) == well_formed
    growth.record(got["access_token"]).get("Observation", expect=403)


@requirement("attack:38 mixed scopes")
@pytest.mark.parametrize("system", ["system/Patient.rs", "system/*.cruds"])
@pytest.mark.parametrize("own", ["patient/Patient.rs", "user/Patient.rs"])
def test_system_scopes_with_a_person_are_refused(ada: Browser, growth: App, system: str, own: str) -> None:
    for asked in (f"{own} {system}", f"{system} {own}"):
        growth.ask(ada, asked)
        assert ada.left.startswith(REDIRECT) and ada.told["error"] == "invalid_scope"


@requirement("smart:119")
def test_patient_and_user_scopes_are_each_under_their_own_restriction(grace: Browser, growth: App) -> None:
    got = growth.granted(grace, "launch/patient patient/Condition.rs user/Observation.rs", patient="ada")
    record = growth.record(got["access_token"])
    assert all(id.endswith("-ada") for id in record.found("Condition"))
    assert {"laboratory-ada", "laboratory-bob"} <= set(record.found("Observation"))
    record.get("Condition/health-concern-bob", expect=404)


@pytest.fixture
def narrow(ada: Browser, growth: App) -> Client:
    """The record as an app sees it that may read and search Observations and read the Patient."""
    return growth.record(growth.granted(ada, "launch/patient patient/Observation.rs patient/Patient.r")["access_token"])


@requirement("smart:130")
@requirement("attack:33 bundles")
def test_each_entry_of_a_batch_is_checked(narrow: Client) -> None:
    made = narrow.bundle(
        "batch",
        entry("GET", "Observation/laboratory-ada"),
        entry("GET", "Observation?patient=ada"),
        entry("GET", "Patient/ada"),
        entry("GET", "Patient?name=byron"),
        entry("GET", "Condition/health-concern-ada"),
        entry("GET", "Condition?patient=ada"),
        entry("GET", "Observation/laboratory-bob"),
        entry("GET", "Patient/bob"),
        entry("POST", "Observation", observation(ADA)),
        entry("PUT", "Patient/ada", {"resourceType": "Patient", "id": "ada"}),
        entry("DELETE", "Observation/laboratory-ada"),
    )
    got = statuses(made)
    assert got[:3] == ["200"] * 3
    assert got[3:6] == ["403"] * 3
    assert got[6:8] == ["404"] * 2
    assert got[8:] == ["403"] * 3
    assert "Babbage" not in str(made)


@requirement("smart:130")
@requirement("attack:33 bundles")
@pytest.mark.parametrize(
    "forbidden",
    [
        entry("GET", "Condition?patient=ada"),
        entry("POST", "Condition", {"resourceType": "Condition", "subject": {"reference": ADA}}),
        entry("DELETE", "Observation/laboratory-ada"),
        entry("POST", "Observation", observation("Patient/bob")),
    ],
    ids=lambda each: f"{each['request']['method']} {each['request']['url']}",
)
def test_a_transaction_with_a_forbidden_entry_stores_nothing(
    ada: Browser, growth: App, tag: str, forbidden: Json
) -> None:
    token = growth.granted(ada, "launch/patient patient/Observation.crs patient/Patient.r")["access_token"]
    record = growth.record(token)
    wanted = entry("POST", "Observation", observation(ADA, tag), full_url=f"urn:uuid:{uuid.uuid4()}")
    body = {"resourceType": "Bundle", "type": "transaction", "entry": [wanted, forbidden]}
    assert record.post("", body, expect=(403, 404, 400, 422)).status_code
    assert record.found("Observation", {"identifier": f"urn:x-conformance:test|{tag}"}) == []


@requirement("smart:95")
def test_a_write_stays_in_the_patients_own_record(ada: Browser, growth: App) -> None:
    record = growth.record(growth.granted(ada, "launch/patient patient/Observation.cruds")["access_token"])
    made = record.create(observation(ADA))
    assert record.post("Observation", observation("Patient/bob"), expect=(403, 404, 400, 422))
    moved = made | {"subject": {"reference": "Patient/bob"}}
    assert record.put(reference(made), moved, expect=(403, 404, 400, 422))
    patch = [{"op": "replace", "path": "/subject/reference", "value": "Patient/bob"}]
    kind = "application/json-patch+json"
    assert record.patch(reference(made), patch, type=kind, expect=(403, 404, 400, 422))
    assert record.get(reference(made)).json()["subject"]["reference"] == ADA


@requirement("smart:scopes-and-launch-context#clinical scopes of shared types")
def test_what_the_record_refers_to_is_readable_where_a_scope_names_it(grace: Browser, growth: App) -> None:
    types = ("Practitioner", "Organization", "Location", "Medication", "MedicationRequest")
    scope = "launch/patient " + " ".join(f"patient/{type}.rs" for type in types)
    record = growth.record(growth.granted(grace, scope, patient="ada")["access_token"])
    for place in ("Practitioner/grace", "Organization/clinic", "Location/ward", "Medication/aspirin"):
        assert record.get(place).json()["id"] == place.partition("/")[2]
    found = record.search("MedicationRequest", {"patient": "ada", "_include": "MedicationRequest:medication"})
    assert {each["resource"]["resourceType"] for each in found["entry"]} == {"MedicationRequest", "Medication"}
