"""batch: every entry alone."""

import pytest

from conformance_tests.client import SYSTEM, Client, reference
from conformance_tests.examples import entry, patient, statuses

requirement = pytest.mark.requirement


@requirement("http.html#brules")
def test_each_entry_of_a_batch_has_its_own_answer_in_order(fhir: Client, tag: str) -> None:
    known = fhir.create(patient(tag))
    answered = fhir.bundle(
        "batch",
        entry("GET", reference(known)),
        entry("GET", f"Patient/{tag}"),
        entry("POST", "Patient", patient(tag + "b")),
        entry("POST", "Patient", patient(tag + "c", gender="none")),
        entry("PUT", f"Patient/{tag}d", patient(tag + "d", id=tag + "d")),
        entry("GET", f"Patient?identifier={SYSTEM}|{tag}"),
        entry("DELETE", reference(known)),
    )
    assert answered["type"] == "batch-response"
    assert statuses(answered) == ["200", "404", "201", "400", "201", "200", "204"]
    assert answered["entry"][0]["resource"] == known
    assert answered["entry"][1]["response"]["outcome"]["issue"][0]["code"] == "not-found"
    assert answered["entry"][3]["response"]["outcome"]["resourceType"] == "OperationOutcome"
    assert answered["entry"][4]["response"]["location"].endswith(f"Patient/{tag}d/_history/1")
    assert answered["entry"][5]["resource"]["type"] == "searchset"
    assert fhir.found("Patient", {"identifier": f"{SYSTEM}|{tag}b"})
    assert not fhir.found("Patient", {"identifier": f"{SYSTEM}|{tag}c"})
    fhir.refused("GET", reference(known), expect=410)


@requirement("http.html#brules")
def test_a_batch_takes_conditional_entries(fhir: Client, tag: str) -> None:
    known = fhir.create(patient(tag, gender="male"))
    answered = fhir.bundle(
        "batch",
        entry("POST", "Patient", patient(tag), ifNoneExist=f"identifier={SYSTEM}|{tag}"),
        entry("PUT", f"Patient?identifier={SYSTEM}|{tag}", patient(tag, gender="other")),
        entry("PUT", reference(known), known, ifMatch='W/"1"'),
        entry("GET", reference(known), ifNoneMatch='W/"2"'),
        entry("DELETE", f"Patient?identifier={SYSTEM}|{tag}"),
    )
    assert statuses(answered) == ["200", "200", "412", "304", "204"]


@requirement("http.html#brules")
def test_a_batch_takes_history_vread_and_operations(fhir: Client, tag: str) -> None:
    known = fhir.create(patient(tag))
    answered = fhir.bundle(
        "batch",
        entry("GET", f"{reference(known)}/_history"),
        entry("GET", f"{reference(known)}/_history/1"),
        entry("GET", f"{reference(known)}/$everything"),
        entry("POST", "Patient/$validate", patient(tag)),
    )
    assert statuses(answered) == ["200"] * 4
    kinds = [each["resource"]["resourceType"] for each in answered["entry"]]
    assert kinds == ["Bundle", "Patient", "Bundle", "OperationOutcome"]


@requirement("http.html#brules")
@pytest.mark.parametrize(
    ("method", "url"), [("FETCH", "Patient"), ("GET", "https://elsewhere.example/fhir/Patient/1"), ("POST", "Patient")]
)
def test_an_entry_that_is_no_request_fails_alone(fhir: Client, tag: str, method: str, url: str) -> None:
    known = fhir.create(patient(tag))
    body = {"resourceType": "Bundle", "type": "batch", "entry": [entry(method, url), entry("GET", reference(known))]}
    answer = fhir.post("", body, expect=(200, 400))
    if answer.status_code == 200:
        assert statuses(answer.json())[0] == "400"
        assert statuses(answer.json())[1] == "200"


@requirement("http.html#transaction")
@pytest.mark.parametrize("type", ["collection", "searchset", "history", "document", ""])
def test_a_bundle_of_another_type_is_no_batch(fhir: Client, type: str) -> None:
    body = {"resourceType": "Bundle", "entry": []} | ({"type": type} if type else {})
    fhir.refused("POST", "", body, expect=400)


@requirement("http.html#transaction")
def test_what_is_no_bundle_is_refused_at_the_base(fhir: Client, tag: str) -> None:
    fhir.refused("POST", "", patient(tag), expect=400)


@requirement("http.html#transaction")
@pytest.mark.parametrize("type", ["batch", "transaction"])
def test_an_empty_bundle_has_an_empty_answer(fhir: Client, type: str) -> None:
    answered = fhir.post("", {"resourceType": "Bundle", "type": type}).json()
    assert (answered["type"], answered.get("entry", [])) == (f"{type}-response", [])
