"""delete and conditional delete."""

import pytest

from conformance_tests.client import SYSTEM, Client, outcome_of, reference
from conformance_tests.examples import patient

requirement = pytest.mark.requirement


@requirement("http.html#delete")
def test_a_deleted_resource_is_gone_from_read_and_search(fhir: Client, tag: str) -> None:
    made = fhir.create(patient(tag))
    answer = fhir.delete(reference(made), expect=204)
    assert answer.content == b""
    assert answer.headers["etag"] == 'W/"2"'
    fhir.refused("GET", reference(made), expect=410)
    assert fhir.found("Patient", {"identifier": f"{SYSTEM}|{tag}"}) == []
    assert fhir.found("Patient", {"_id": made["id"]}) == []


@requirement("http.html#delete")
def test_delete_of_what_is_not_there_succeeds(fhir: Client, tag: str) -> None:
    fhir.delete(f"Patient/{tag}")
    made = fhir.create(patient(tag))
    fhir.delete(reference(made))
    fhir.delete(reference(made))
    assert fhir.get(f"{reference(made)}/_history").json()["total"] == 2


@requirement("http.html#return")
def test_delete_may_answer_an_outcome(fhir: Client, tag: str) -> None:
    made = fhir.create(patient(tag))
    outcome_of(fhir.delete(reference(made), Prefer="return=OperationOutcome", expect=200))


@requirement("http.html#concurrency")
def test_delete_with_if_match(fhir: Client, tag: str) -> None:
    made = fhir.create(patient(tag))
    fhir.put(reference(made), made | {"gender": "male"})
    fhir.refused("DELETE", reference(made), If_Match='W/"1"', expect=412)
    fhir.delete(reference(made), If_Match='W/"2"')
    fhir.refused("GET", reference(made), expect=410)


@requirement("http.html#3.1.0.7.1")
def test_conditional_delete_of_one(fhir: Client, tag: str) -> None:
    made = fhir.create(patient(tag))
    other = fhir.create(patient(tag + "b"))
    fhir.delete("Patient", query={"identifier": f"{SYSTEM}|{tag}"})
    fhir.refused("GET", reference(made), expect=410)
    fhir.get(reference(other))


@requirement("http.html#3.1.0.7.1")
def test_conditional_delete_of_none_deletes_nothing(fhir: Client, tag: str) -> None:
    fhir.delete("Patient", query={"identifier": f"{SYSTEM}|{tag}"}, expect=(200, 204, 404))


@requirement("http.html#3.1.0.7.1")
def test_conditional_delete_of_several_deletes_none(fhir: Client, tag: str) -> None:
    made = [fhir.create(patient(tag)) for _ in range(2)]
    fhir.refused("DELETE", "Patient", query={"identifier": f"{SYSTEM}|{tag}"}, expect=412)
    for each in made:
        fhir.get(reference(each))


@requirement("http.html#3.1.0.7.1")
@pytest.mark.parametrize("query", [{}, {"identifier": ""}, {"identifer": "x"}, {"_format": "json"}, {"_count": "1"}])
def test_conditional_delete_without_real_criteria_is_refused(fhir: Client, tag: str, query: dict[str, str]) -> None:
    made = fhir.create(patient(tag))
    fhir.request("DELETE", "Patient", query=query, expect=(400, 405, 412))
    fhir.get(reference(made))
