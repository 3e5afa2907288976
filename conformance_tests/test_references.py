"""Referential integrity: no reference to what is absent, no delete of what is referred to."""

import pytest

from conformance_tests.client import SYSTEM, Client, reference, text_of
from conformance_tests.examples import encounter, entry, observation, patient, statuses

requirement = pytest.mark.requirement


@requirement("http.html#integrity")
def test_a_reference_to_an_absent_local_resource_is_refused(fhir: Client, tag: str) -> None:
    outcome = fhir.refused("POST", "Observation", observation(f"Patient/{tag}", tag), expect=(400, 409, 422))
    assert f"Patient/{tag}" in text_of(outcome)
    assert fhir.found("Observation", {"identifier": f"{SYSTEM}|{tag}"}) == []


@requirement("http.html#integrity")
def test_a_reference_to_a_deleted_resource_is_refused(fhir: Client, tag: str) -> None:
    made = fhir.create(patient(tag))
    fhir.delete(reference(made))
    fhir.refused("POST", "Observation", observation(reference(made), tag), expect=(400, 409, 422))


@requirement("http.html#integrity")
def test_an_update_may_not_introduce_a_dangling_reference(fhir: Client, tag: str) -> None:
    made = fhir.create(patient(tag))
    weight = fhir.create(observation(reference(made), tag))
    dangling = weight | {"subject": {"reference": f"Patient/{tag}"}}
    fhir.refused("PUT", reference(weight), dangling, expect=(400, 409, 422))
    assert fhir.get(reference(weight)).json() == weight


@requirement("http.html#delete")
def test_what_is_referred_to_is_not_deleted(fhir: Client, tag: str) -> None:
    made = fhir.create(patient(tag))
    weight = fhir.create(observation(reference(made), tag))
    fhir.refused("DELETE", reference(made), expect=409)
    fhir.get(reference(made))
    fhir.delete(reference(weight))
    fhir.delete(reference(made))


@requirement("http.html#delete")
def test_a_transaction_may_delete_both_ends(fhir: Client, tag: str) -> None:
    made = fhir.create(patient(tag))
    weight = fhir.create(observation(reference(made), tag))
    answered = fhir.bundle("transaction", entry("DELETE", reference(made)), entry("DELETE", reference(weight)))
    assert statuses(answered) == ["204", "204"]


@requirement("http.html#delete")
def test_a_transaction_may_not_delete_what_it_refers_to(fhir: Client, tag: str) -> None:
    made = fhir.create(patient(tag))
    body = {
        "resourceType": "Bundle",
        "type": "transaction",
        "entry": [entry("DELETE", reference(made)), entry("POST", "Encounter", encounter(reference(made)))],
    }
    fhir.refused("POST", "", body, expect=(400, 409, 422))
    fhir.get(reference(made))


@requirement("references.html#literal")
def test_references_elsewhere_and_logical_ones_are_kept(fhir: Client, tag: str) -> None:
    absolute = fhir.create(observation(f"https://elsewhere.example/fhir/Patient/{tag}", tag))
    assert absolute["subject"]["reference"] == f"https://elsewhere.example/fhir/Patient/{tag}"
    logical = observation("x", tag, subject={"type": "Patient", "identifier": {"system": SYSTEM, "value": tag}})
    assert fhir.create(logical)["subject"]["identifier"]["value"] == tag


@requirement("references.html#literal")
def test_an_absolute_reference_to_this_server_is_a_local_one(fhir: Client, tag: str) -> None:
    made = fhir.create(patient(tag))
    weight = fhir.create(observation(f"{fhir.base}/{reference(made)}", tag))
    assert fhir.found("Observation", {"subject": reference(made)}) == [weight["id"]]
    assert fhir.found("Observation", {"subject": f"{fhir.base}/{reference(made)}"}) == [weight["id"]]


@requirement("references.html#contained")
def test_a_contained_resource_is_referred_to_inside_only(fhir: Client, tag: str) -> None:
    contained = [{"resourceType": "Patient", "id": "p", "name": [{"family": tag}]}]
    weight = observation("#p", tag, contained=contained)
    assert fhir.create(weight)["contained"] == contained
    fhir.refused("POST", "Observation", observation("#q", tag, contained=contained), expect=400)
    assert fhir.found("Patient", {"family": tag}) == []


@requirement("references.html#literal")
def test_a_reference_to_a_type_the_element_does_not_take_is_refused(fhir: Client, tag: str) -> None:
    organization = fhir.create({"resourceType": "Organization", "name": tag})
    outcome = fhir.refused("POST", "Encounter", encounter(reference(organization)), expect=400)
    assert "Encounter.subject" in text_of(outcome)
