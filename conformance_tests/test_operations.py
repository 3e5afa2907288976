"""$validate, $everything, $meta, $meta-add and $meta-delete."""

import pytest

from conformance_tests.client import SYSTEM, Client, Json, link, reference, resources_of, text_of
from conformance_tests.examples import coding, encounter, observation, patient

requirement = pytest.mark.requirement


def parameters(**named: Json) -> Json:
    """Parameters: ``resource`` is given as a resource, everything else as value[x]."""
    parts = [{"name": name, **value} for name, value in named.items()]
    return {"resourceType": "Parameters", "parameter": parts}


def severities(outcome: Json) -> set[str]:
    assert outcome["resourceType"] == "OperationOutcome"
    return {issue["severity"] for issue in outcome["issue"]}


# --- $validate --------------------------------------------------------------------------------------------------------


@requirement("resource-operation-validate.html")
def test_validate_finds_nothing_wrong_and_stores_nothing(fhir: Client, tag: str) -> None:
    outcome = fhir.post("Patient/$validate", patient(tag)).json()
    assert severities(outcome) == {"information"}
    assert fhir.found("Patient", {"identifier": f"{SYSTEM}|{tag}"}) == []


@requirement("resource-operation-validate.html")
def test_validate_names_every_issue(fhir: Client, tag: str) -> None:
    body = parameters(resource={"resource": patient(tag, gender="none", birthDate="1970-13-01")})
    outcome = fhir.post("Patient/$validate", body).json()
    assert "error" in severities(outcome)
    places = {place for issue in outcome["issue"] for place in issue.get("expression", ())}
    assert {"Patient.gender", "Patient.birthDate"} <= places


@requirement("resource-operation-validate.html")
def test_validate_of_a_stored_resource(fhir: Client, tag: str) -> None:
    made = fhir.create(patient(tag))
    assert severities(fhir.get(f"{reference(made)}/$validate").json()) == {"information"}
    body = parameters(resource={"resource": made | {"gender": "none"}}, mode={"valueCode": "update"})
    assert "error" in severities(fhir.post(f"{reference(made)}/$validate", body).json())
    body = parameters(mode={"valueCode": "delete"})
    assert "error" not in severities(fhir.post(f"{reference(made)}/$validate", body).json())


@requirement("resource-operation-validate.html")
def test_validate_says_which_profile_it_could_not_check(fhir: Client, tag: str) -> None:
    body = parameters(resource={"resource": patient(tag)}, profile={"valueUri": "http://example.org/unknown"})
    outcome = fhir.post("Patient/$validate", body, expect=(200, 400, 422)).json()
    assert "http://example.org/unknown" in text_of(outcome)
    assert severities(outcome) & {"warning", "error"}


@requirement("resource-operation-validate.html")
def test_validate_of_another_type_is_an_error(fhir: Client, tag: str) -> None:
    outcome = fhir.post("Observation/$validate", patient(tag), expect=(200, 400)).json()
    assert "error" in severities(outcome)


# --- $everything ------------------------------------------------------------------------------------------------------


def record(fhir: Client, tag: str) -> Json:
    """A patient with an encounter and three observations, a practitioner, and another patient beside."""
    made = fhir.create(patient(tag))
    doctor = fhir.create({"resourceType": "Practitioner", "name": [{"family": tag}]})
    fhir.create(encounter(reference(made), participant=[{"individual": {"reference": reference(doctor)}}]))
    for day in (1, 2, 3):
        fhir.create(observation(reference(made), f"{tag}-{day}", effectiveDateTime=f"2020-03-0{day}"))
    other = fhir.create(patient(tag + "b"))
    fhir.create(observation(reference(other), tag + "b"))
    return made


@requirement("patient-operation-everything.html")
def test_everything_of_a_patient(fhir: Client, tag: str) -> None:
    made = record(fhir, tag)
    page = fhir.search(f"{reference(made)}/$everything")
    kinds = sorted(entry["resource"]["resourceType"] for entry in page["entry"])
    assert kinds == ["Encounter", "Observation", "Observation", "Observation", "Patient", "Practitioner"]
    assert tag + "b" not in str(page)


@requirement("patient-operation-everything.html")
def test_everything_with_type_dates_and_since(fhir: Client, tag: str) -> None:
    made = record(fhir, tag)
    path = f"{reference(made)}/$everything"
    chosen = fhir.search(path, {"_type": "Observation", "start": "2020-03-02", "end": "2020-03-02"})
    assert [each["identifier"][0]["value"] for each in resources_of(chosen)] == [f"{tag}-2"]
    assert {each["resourceType"] for each in resources_of(fhir.search(path, {"_type": "Encounter"}))} == {"Encounter"}
    later = fhir.search(path, {"_since": "2999-01-01T00:00:00Z", "_type": "Observation"})
    assert resources_of(later) == []


@requirement("patient-operation-everything.html")
def test_everything_in_pages_is_the_same(fhir: Client, tag: str) -> None:
    made = record(fhir, tag)
    whole = {reference(each) for each in resources_of(fhir.search(f"{reference(made)}/$everything"))}
    page = fhir.search(f"{reference(made)}/$everything", {"_count": "2"})
    found = [reference(each) for each in resources_of(page)]
    while following := link(page, "next"):
        page = fhir.search(following)
        found += [reference(each) for each in resources_of(page)]
    assert set(found) == whole
    assert len(found) == len(whole)


@requirement("patient-operation-everything.html")
def test_everything_in_pages_comes_to_an_end(fhir: Client, tag: str) -> None:
    made = record(fhir, tag)
    page, pages = fhir.search(f"{reference(made)}/$everything", {"_count": "0"}), 1
    while (following := link(page, "next")) and pages < 30:
        page, pages = fhir.search(following), pages + 1
    assert pages < 30


@requirement("patient-operation-everything.html")
def test_everything_by_post_takes_parameters(fhir: Client, tag: str) -> None:
    made = record(fhir, tag)
    body = parameters(_type={"valueCode": "Observation"})
    page = fhir.post(f"{reference(made)}/$everything", body).json()
    assert {each["resourceType"] for each in resources_of(page)} == {"Observation"}


@requirement("encounter-operation-everything.html")
def test_everything_of_an_encounter(fhir: Client, tag: str) -> None:
    made = fhir.create(patient(tag))
    visit = fhir.create(encounter(reference(made)))
    weight = fhir.create(observation(reference(made), tag, encounter={"reference": reference(visit)}))
    fhir.create(observation(reference(made), tag + "b"))
    page = fhir.search(f"{reference(visit)}/$everything")
    found = {reference(entry["resource"]) for entry in page["entry"]}
    assert {reference(visit), reference(weight), reference(made)} == found


@requirement("patient-operation-everything.html")
def test_everything_of_what_is_absent_is_404(fhir: Client, tag: str) -> None:
    fhir.refused("GET", f"Patient/{tag}/$everything", expect=404)


# --- $meta ------------------------------------------------------------------------------------------------------------


def returned(answer: Json) -> Json:
    assert answer["resourceType"] == "Parameters"
    meta: Json = answer["parameter"][0]["valueMeta"]
    assert answer["parameter"][0]["name"] == "return"
    return meta


@requirement("resource-operation-meta.html")
def test_meta_of_an_instance_a_type_and_the_system(fhir: Client, tag: str) -> None:
    made = fhir.create(patient(tag, meta={"tag": [coding(tag)], "profile": ["http://example.org/p"]}))
    assert returned(fhir.get(f"{reference(made)}/$meta").json())["tag"] == [coding(tag)]
    for path in ("Patient/$meta", "$meta"):
        assert coding(tag) in returned(fhir.get(path).json())["tag"], path


@requirement("resource-operation-meta-add.html")
def test_meta_add_keeps_what_is_there(fhir: Client, tag: str) -> None:
    made = fhir.create(patient(tag, meta={"tag": [coding("one")]}))
    body = parameters(meta={"valueMeta": {"tag": [coding("one"), coding(tag)], "profile": ["http://example.org/p"]}})
    meta = returned(fhir.post(f"{reference(made)}/$meta-add", body).json())
    assert [label["code"] for label in meta["tag"]] == ["one", tag]
    assert meta["profile"] == ["http://example.org/p"]
    assert fhir.found("Patient", {"_tag": f"{SYSTEM}|{tag}"}) == [made["id"]]


@requirement("resource-operation-meta-delete.html")
def test_meta_delete_takes_away_what_is_named(fhir: Client, tag: str) -> None:
    made = fhir.create(patient(tag, meta={"tag": [coding("one"), coding(tag)], "security": [coding("R")]}))
    body = parameters(meta={"valueMeta": {"tag": [coding(tag), coding("never")]}})
    meta = returned(fhir.post(f"{reference(made)}/$meta-delete", body).json())
    assert [label["code"] for label in meta["tag"]] == ["one"]
    assert meta["security"] == [coding("R")]
    assert fhir.found("Patient", {"_tag": f"{SYSTEM}|{tag}"}) == []


@requirement("operations.html#executing")
def test_an_operation_that_changes_is_not_done_by_get(fhir: Client, tag: str) -> None:
    made = fhir.create(patient(tag))
    fhir.refused("GET", f"{reference(made)}/$meta-add", expect=405)


@requirement("operations.html#executing")
def test_an_unknown_operation_is_refused(fhir: Client, tag: str) -> None:
    made = fhir.create(patient(tag))
    for path in ("$nothing", "Patient/$nothing", f"{reference(made)}/$nothing"):
        fhir.refused("GET", path, expect=(400, 404))
