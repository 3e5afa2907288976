"""create and conditional create."""

import re

import pytest

from conformance_tests.client import SYSTEM, Client, reference, text_of
from conformance_tests.examples import patient

requirement = pytest.mark.requirement


@requirement("http.html#create")
def test_create_answers_201_with_location_etag_and_date(fhir: Client, tag: str) -> None:
    answer = fhir.post("Patient", patient(tag), expect=201)
    made = answer.json()
    assert answer.headers["location"] == f"{fhir.base}/{reference(made)}/_history/1"
    assert answer.headers["etag"] == 'W/"1"'
    assert answer.headers["last-modified"].endswith("GMT")
    assert made["meta"]["versionId"] == "1"
    assert fhir.get(answer.headers["location"]).json() == made


@requirement("http.html#create")
def test_the_server_chooses_id_version_and_date(fhir: Client, tag: str) -> None:
    sent = patient(tag, id="mine", meta={"versionId": "77", "lastUpdated": "2001-01-01T00:00:00Z"})
    made = fhir.create(sent)
    assert made["id"] != "mine"
    assert made["meta"]["versionId"] == "1"
    assert not made["meta"]["lastUpdated"].startswith("2001")


@requirement("http.html#create")
def test_meta_labels_are_kept(fhir: Client, tag: str) -> None:
    meta = {"profile": ["http://example.org/p"], "tag": [{"system": SYSTEM, "code": tag}], "source": "urn:x:lab"}
    made = fhir.create(patient(tag, meta=meta))
    assert meta.items() <= made["meta"].items()


@requirement("json.html#primitive")
def test_what_was_sent_comes_back_as_it_was_written(fhir: Client, tag: str) -> None:
    sent = (
        b'{"resourceType":"Observation","status":"final","code":{"text":"weight"},"valueQuantity":'
        b'{"value":1.00,"unit":"kg"},"component":[{"code":{"text":"tiny"},"valueQuantity":{"value":1.0E-22}}],'
        b'"_effectiveDateTime":{"extension":[{"url":"http://example.org/x","valueCode":"unknown"}]},'
        b'"note":[{"text":"a\\tb \\u00e9 \xf0\x9f\x98\x80"}]}'
    )
    made = fhir.post("Observation", sent, expect=201).json()
    text = fhir.get(f"Observation/{made['id']}").text
    assert re.search(r'"value":\s?1\.00,', text)
    assert re.search(r'"value":\s?1\.0E-22\b', text)
    assert made["note"][0]["text"] == "a\tb é 😀"
    assert made["_effectiveDateTime"]["extension"][0]["valueCode"] == "unknown"


@requirement("json.html#null")
def test_nulls_in_arrays_keep_the_places_of_extensions(fhir: Client, tag: str) -> None:
    extension = {"extension": [{"url": "http://example.org/x", "valueString": "middle"}]}
    names = [{"given": ["Ada", None, "B"], "_given": [None, extension, None], "family": "K"}]
    made = fhir.create(patient(tag, name=names))
    assert made["name"] == names


@requirement("http.html#create")
def test_the_type_of_the_body_must_be_that_of_the_url(fhir: Client, tag: str) -> None:
    outcome = fhir.refused("POST", "Observation", patient(tag), expect=400)
    assert "Patient" in text_of(outcome)


@requirement("http.html#create")
def test_an_invalid_resource_is_refused_and_not_stored(fhir: Client, tag: str) -> None:
    sent = patient(tag, gender="femal", birthDate="1970-02-31", contact=[{}])
    outcome = fhir.refused("POST", "Patient", sent, expect=400)
    places = {place for issue in outcome["issue"] for place in issue.get("expression", ())}
    assert {"Patient.gender", "Patient.birthDate"} <= places
    assert any(place.startswith("Patient.contact") for place in places)
    assert fhir.found("Patient", {"identifier": f"{SYSTEM}|{tag}"}) == []


@requirement("http.html#create")
def test_an_empty_body_is_400(fhir: Client) -> None:
    fhir.refused("POST", "Patient", b"", expect=400)


@requirement("http.html#ccreate")
def test_conditional_create_makes_one_resource(fhir: Client, tag: str) -> None:
    criteria = f"identifier={SYSTEM}|{tag}"
    first = fhir.post("Patient", patient(tag), If_None_Exist=criteria, expect=201)
    second = fhir.post("Patient", patient(tag, gender="male"), If_None_Exist=criteria, expect=200)
    assert second.headers["etag"] == 'W/"1"'
    assert second.headers["location"].startswith(f"{fhir.base}/{reference(first.json())}")
    assert fhir.found("Patient", {"identifier": f"{SYSTEM}|{tag}"}) == [first.json()["id"]]


@requirement("http.html#ccreate")
def test_conditional_create_with_several_matches_is_412(fhir: Client, tag: str) -> None:
    fhir.create(patient(tag))
    fhir.create(patient(tag))
    fhir.refused("POST", "Patient", patient(tag), If_None_Exist=f"identifier={SYSTEM}|{tag}", expect=412)
    assert len(fhir.found("Patient", {"identifier": f"{SYSTEM}|{tag}"})) == 2


@requirement("http.html#ccreate")
@pytest.mark.parametrize("criteria", ["identifer=x|y", "birthdate=notadate", "identifier:foo=x|y", "_id="])
def test_conditional_create_with_criteria_it_cannot_honour_stores_nothing(
    fhir: Client, tag: str, criteria: str
) -> None:
    # An ignored criterion would match everything or nothing: both end in the wrong chart.
    fhir.post("Patient", patient(tag), If_None_Exist=criteria, expect=(400, 412))
    assert fhir.found("Patient", {"identifier": f"{SYSTEM}|{tag}"}) == []
