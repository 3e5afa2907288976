"""update, update as create, version-aware update and conditional update."""

import pytest

from conformance_tests.client import SYSTEM, Client, reference, text_of
from conformance_tests.examples import identifier, patient

requirement = pytest.mark.requirement


@requirement("http.html#update")
def test_update_makes_a_new_version(fhir: Client, tag: str) -> None:
    made = fhir.create(patient(tag))
    answer = fhir.put(reference(made), made | {"gender": "female"})
    assert answer.headers["etag"] == 'W/"2"'
    assert answer.json()["meta"]["versionId"] == "2"
    assert answer.json()["meta"]["lastUpdated"] >= made["meta"]["lastUpdated"]
    assert fhir.get(reference(made)).json() == answer.json()
    assert fhir.get(reference(made)).json()["gender"] == "female"


@requirement("http.html#update")
def test_update_replaces_the_whole_resource(fhir: Client, tag: str) -> None:
    made = fhir.create(patient(tag, gender="male", birthDate="1980-05-05"))
    fhir.put(reference(made), patient(tag, id=made["id"]))
    now = fhir.get(reference(made)).json()
    assert "gender" not in now
    assert fhir.found("Patient", {"identifier": f"{SYSTEM}|{tag}", "gender": "male"}) == []


@requirement("http.html#update")
def test_labels_of_an_update_are_stored(fhir: Client, tag: str) -> None:
    made = fhir.create(patient(tag, meta={"tag": [{"system": SYSTEM, "code": tag}]}))
    now = fhir.put(reference(made), patient(tag, id=made["id"], meta={"tag": [{"system": SYSTEM, "code": "b"}]})).json()
    assert {"system": SYSTEM, "code": "b"} in now["meta"]["tag"]


@requirement("http.html#update")
@pytest.mark.parametrize("id", [None, "other"])
def test_the_id_of_the_body_must_be_that_of_the_url(fhir: Client, tag: str, id: str | None) -> None:
    made = fhir.create(patient(tag))
    body = patient(tag) | ({"id": id} if id else {})
    fhir.refused("PUT", reference(made), body, expect=400)
    assert fhir.get(reference(made)).headers["etag"] == 'W/"1"'


@requirement("http.html#update")
def test_the_type_of_the_body_must_be_that_of_the_url(fhir: Client, tag: str) -> None:
    fhir.refused("PUT", f"Observation/{tag}", patient(tag, id=tag), expect=400)


@requirement("http.html#upsert")
def test_update_of_an_unknown_id_creates_it(fhir: Client, tag: str) -> None:
    answer = fhir.put(f"Patient/{tag}", patient(tag, id=tag), expect=201)
    assert answer.headers["location"] == f"{fhir.base}/Patient/{tag}/_history/1"
    assert answer.headers["etag"] == 'W/"1"'
    assert fhir.get(f"Patient/{tag}").json()["id"] == tag


@requirement("http.html#delete")
def test_update_brings_a_deleted_resource_back(fhir: Client, tag: str) -> None:
    made = fhir.create(patient(tag))
    fhir.delete(reference(made))
    answer = fhir.put(reference(made), made, expect=201)
    assert answer.headers["etag"] == 'W/"3"'
    assert fhir.get(reference(made)).json()["name"] == made["name"]
    assert fhir.found("Patient", {"identifier": f"{SYSTEM}|{tag}"}) == [made["id"]]


@requirement("http.html#concurrency")
def test_if_match_with_the_current_version_updates(fhir: Client, tag: str) -> None:
    made = fhir.create(patient(tag))
    assert fhir.put(reference(made), made, If_Match='W/"1"').headers["etag"] == 'W/"2"'


@requirement("http.html#concurrency")
@pytest.mark.parametrize("version", ['W/"1"', 'W/"9"', '"none"'])
def test_if_match_with_another_version_is_412(fhir: Client, tag: str, version: str) -> None:
    made = fhir.create(patient(tag))
    fhir.put(reference(made), made | {"gender": "male"})
    outcome = fhir.refused("PUT", reference(made), made, expect=412, If_Match=version)
    assert outcome["issue"][0]["severity"] == "error"
    assert fhir.get(reference(made)).json()["gender"] == "male"


@requirement("http.html#concurrency")
def test_if_match_on_an_absent_resource_creates_nothing(fhir: Client, tag: str) -> None:
    fhir.refused("PUT", f"Patient/{tag}", patient(tag, id=tag), expect=412, If_Match='W/"1"')
    fhir.refused("GET", f"Patient/{tag}", expect=404)


@requirement("RFC 9110#13.1.1")
def test_if_match_any_means_update_only(fhir: Client, tag: str) -> None:
    fhir.refused("PUT", f"Patient/{tag}", patient(tag, id=tag), If_Match="*", expect=412)
    made = fhir.create(patient(tag))
    assert fhir.put(reference(made), made, If_Match="*").headers["etag"] == 'W/"2"'
    fhir.delete(reference(made))
    fhir.refused("PUT", reference(made), made, If_Match="*", expect=412)


@requirement("RFC 9110#13.1.2")
def test_if_none_match_any_means_create_only(fhir: Client, tag: str) -> None:
    fhir.put(f"Patient/{tag}", patient(tag, id=tag), If_None_Match="*", expect=201)
    fhir.refused("PUT", f"Patient/{tag}", patient(tag, id=tag), If_None_Match="*", expect=412)


@requirement("http.html#cond-update")
def test_conditional_update_of_nothing_creates(fhir: Client, tag: str) -> None:
    answer = fhir.put("Patient", patient(tag), query={"identifier": f"{SYSTEM}|{tag}"}, expect=201)
    assert answer.headers["location"].startswith(f"{fhir.base}/Patient/{answer.json()['id']}")


@requirement("http.html#cond-update")
def test_conditional_update_of_nothing_with_an_id_creates_under_that_id(fhir: Client, tag: str) -> None:
    fhir.put("Patient", patient(tag, id=tag), query={"identifier": f"{SYSTEM}|{tag}"}, expect=201)
    assert fhir.get(f"Patient/{tag}").headers["etag"] == 'W/"1"'


@requirement("http.html#cond-update")
def test_conditional_update_of_one_updates_it(fhir: Client, tag: str) -> None:
    made = fhir.create(patient(tag))
    query = {"identifier": f"{SYSTEM}|{tag}"}
    assert fhir.put("Patient", patient(tag, gender="other"), query=query).json()["id"] == made["id"]
    assert fhir.put("Patient", patient(tag, id=made["id"]), query=query).headers["etag"] == 'W/"3"'


@requirement("http.html#cond-update")
def test_conditional_update_of_one_with_another_id_is_400(fhir: Client, tag: str) -> None:
    made = fhir.create(patient(tag))
    query = {"identifier": f"{SYSTEM}|{tag}"}
    fhir.refused("PUT", "Patient", patient(tag, id="other"), query=query, expect=400)
    assert fhir.get(reference(made)).headers["etag"] == 'W/"1"'


@requirement("http.html#cond-update")
def test_conditional_update_of_several_is_412(fhir: Client, tag: str) -> None:
    fhir.create(patient(tag))
    fhir.create(patient(tag))
    outcome = fhir.refused("PUT", "Patient", patient(tag), query={"identifier": f"{SYSTEM}|{tag}"}, expect=412)
    assert "identifier" in text_of(outcome)


@requirement("http.html#cond-update")
@pytest.mark.parametrize("query", [{}, {"identifer": "a"}, {"identifier": ""}, {"_count": "1"}])
def test_conditional_update_without_real_criteria_is_refused(fhir: Client, tag: str, query: dict[str, str]) -> None:
    fhir.request("PUT", "Patient", patient(tag), query=query, expect=(400, 412))
    assert fhir.found("Patient", {"identifier": f"{SYSTEM}|{tag}"}) == []


@requirement("http.html#cond-update")
def test_the_criteria_may_change_with_the_update(fhir: Client, tag: str) -> None:
    made = fhir.create(patient(tag))
    fhir.put("Patient", patient(tag, identifier=[identifier(tag + "b")]), query={"identifier": f"{SYSTEM}|{tag}"})
    assert fhir.found("Patient", {"identifier": f"{SYSTEM}|{tag}"}) == []
    assert fhir.found("Patient", {"identifier": f"{SYSTEM}|{tag}b"}) == [made["id"]]
