"""read, vread, HEAD and conditional read."""

import pytest

from conformance_tests.client import FHIR_JSON, Client, outcome_of, reference, text_of
from conformance_tests.examples import patient

requirement = pytest.mark.requirement


@requirement("http.html#read")
def test_read_answers_the_resource_with_its_version_and_date(fhir: Client, tag: str) -> None:
    made = fhir.create(patient(tag, birthDate="1970-01"))
    answer = fhir.get(reference(made))
    assert answer.json() == made
    assert answer.headers["etag"] == f'W/"{made["meta"]["versionId"]}"'
    assert answer.headers["last-modified"].endswith("GMT")
    assert answer.headers["content-type"].startswith(FHIR_JSON)
    assert made["meta"]["lastUpdated"]


@requirement("http.html#read")
def test_an_unknown_id_is_404(fhir: Client, tag: str) -> None:
    outcome = fhir.refused("GET", f"Patient/{tag}", expect=404)
    assert outcome["issue"][0]["code"] == "not-found"
    assert tag in text_of(outcome)


@requirement("http.html#read")
def test_an_unknown_type_is_404(fhir: Client) -> None:
    fhir.refused("GET", "Patiens/1", expect=404)


@requirement("http.html#read")
def test_an_impossible_id_is_refused(fhir: Client) -> None:
    outcome_of(fhir.get("Patient/" + "x" * 65, expect=(400, 404)))
    outcome_of(fhir.get("Patient/a%20b", expect=(400, 404)))


@requirement("http.html#delete")
def test_a_deleted_resource_is_410(fhir: Client, tag: str) -> None:
    made = fhir.create(patient(tag))
    fhir.delete(reference(made))
    assert fhir.refused("GET", reference(made), expect=410)["issue"][0]["code"] == "deleted"


@requirement("http.html#vread")
def test_every_version_stays_readable(fhir: Client, tag: str) -> None:
    first = fhir.create(patient(tag, gender="female"))
    second = fhir.put(reference(first), first | {"gender": "other"}).json()
    for version in (first, second):
        answer = fhir.get(f"{reference(first)}/_history/{version['meta']['versionId']}")
        assert answer.json() == version
        assert answer.headers["etag"] == f'W/"{version["meta"]["versionId"]}"'


@requirement("http.html#vread")
def test_an_unknown_version_is_404(fhir: Client, tag: str) -> None:
    made = fhir.create(patient(tag))
    fhir.refused("GET", f"{reference(made)}/_history/99", expect=404)
    fhir.refused("GET", f"{reference(made)}/_history/none", expect=404)


@requirement("http.html#vread")
def test_the_version_that_deleted_is_410_and_those_before_stay(fhir: Client, tag: str) -> None:
    made = fhir.create(patient(tag))
    fhir.delete(reference(made))
    fhir.refused("GET", f"{reference(made)}/_history/2", expect=410)
    assert fhir.get(f"{reference(made)}/_history/1").json() == made


@requirement("http.html#3.1.0.1.4")
@pytest.mark.parametrize("place", ["{0}", "{0}/_history/1", "Patient?_id={1}", "metadata", "{0}/_history"])
def test_head_is_get_without_body(fhir: Client, tag: str, place: str) -> None:
    made = fhir.create(patient(tag))
    path = place.format(reference(made), made["id"])
    got, headed = fhir.get(path), fhir.request("HEAD", path)
    assert headed.content == b""
    for name in ("etag", "last-modified", "content-type"):
        assert headed.headers.get(name) == got.headers.get(name), name


@requirement("http.html#3.1.0.1.4")
def test_head_of_what_is_absent_is_404(fhir: Client, tag: str) -> None:
    assert fhir.request("HEAD", f"Patient/{tag}", expect=404).content == b""


@requirement("http.html#cread")
def test_if_none_match_with_the_current_version_is_304(fhir: Client, tag: str) -> None:
    made = fhir.create(patient(tag))
    answer = fhir.get(reference(made), If_None_Match='W/"1"', expect=304)
    assert answer.content == b""
    assert answer.headers["etag"] == 'W/"1"'
    fhir.get(reference(made), If_None_Match='W/"7", W/"1"', expect=304)
    fhir.get(reference(made), If_None_Match="*", expect=304)


@requirement("http.html#cread")
def test_if_none_match_with_another_version_is_200(fhir: Client, tag: str) -> None:
    made = fhir.create(patient(tag))
    assert fhir.get(reference(made), If_None_Match='W/"11"').json() == made


@requirement("http.html#cread")
def test_if_modified_since(fhir: Client, tag: str) -> None:
    made = fhir.create(patient(tag))
    modified = fhir.get(reference(made)).headers["last-modified"]
    assert fhir.get(reference(made), If_Modified_Since=modified, expect=304).content == b""
    fhir.get(reference(made), If_Modified_Since="Sat, 01 Jan 2000 00:00:00 GMT")
    fhir.get(reference(made), If_Modified_Since="not a date")


@requirement("RFC 9110#13.2.2")
def test_if_none_match_overrules_if_modified_since(fhir: Client, tag: str) -> None:
    made = fhir.create(patient(tag))
    modified = fhir.get(reference(made)).headers["last-modified"]
    fhir.get(reference(made), If_None_Match='W/"9"', If_Modified_Since=modified, expect=200)
