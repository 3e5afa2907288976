"""history of an instance, a type and the system."""

import time
from datetime import UTC, datetime

import pytest

from conformance_tests.client import Client, Json, link, reference
from conformance_tests.examples import patient

requirement = pytest.mark.requirement


def versions(bundle: Json) -> list[str]:
    """``Patient/1/2``: type, id and version of each entry."""
    named = []
    for each in bundle.get("entry", ()):
        place = each["fullUrl"].split("/fhir/")[-1]
        named.append(f"{place}/{each['response']['etag'].strip('W/').strip(chr(34))}")
    return named


def changed(fhir: Client, tag: str) -> Json:
    """A patient that was created, updated and deleted."""
    made = fhir.create(patient(tag))
    fhir.put(reference(made), made | {"gender": "male"})
    fhir.delete(reference(made))
    return made


def now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")


def walk(fhir: Client, path: str, query: dict[str, str]) -> list[str]:
    """The versions of all pages."""
    page = fhir.get(path, query=query).json()
    found = versions(page)
    while following := link(page, "next"):
        page = fhir.get(following).json()
        found += versions(page)
    return found


@requirement("http.html#history")
def test_history_of_an_instance_tells_what_happened_newest_first(fhir: Client, tag: str) -> None:
    made = changed(fhir, tag)
    bundle = fhir.get(f"{reference(made)}/_history").json()
    assert (bundle["type"], bundle["total"]) == ("history", 3)
    assert [each["request"]["method"] for each in bundle["entry"]] == ["DELETE", "PUT", "POST"]
    assert [each["request"]["url"] for each in bundle["entry"]] == [reference(made), reference(made), "Patient"]
    assert [each["response"]["status"][:3] for each in bundle["entry"]] == ["204", "200", "201"]
    assert [each["response"]["etag"] for each in bundle["entry"]] == ['W/"3"', 'W/"2"', 'W/"1"']
    assert "resource" not in bundle["entry"][0]
    assert bundle["entry"][1]["resource"]["gender"] == "male"
    assert bundle["entry"][2]["resource"] == made
    assert all(each["fullUrl"] == f"{fhir.base}/{reference(made)}" for each in bundle["entry"])
    assert all(each["response"]["lastModified"] for each in bundle["entry"])


@requirement("http.html#history")
def test_history_of_an_unknown_instance_is_404(fhir: Client, tag: str) -> None:
    fhir.refused("GET", f"Patient/{tag}/_history", expect=404)


@requirement("http.html#history")
def test_history_of_a_type_holds_all_versions_of_that_type(fhir: Client, tag: str) -> None:
    since = now()
    made = changed(fhir, tag)
    organization = fhir.create({"resourceType": "Organization", "name": tag})
    found = walk(fhir, "Patient/_history", {"_since": since})
    assert [each for each in found if made["id"] in each] == [f"{reference(made)}/{n}" for n in (3, 2, 1)]
    assert not any(organization["id"] in each for each in found)


@requirement("http.html#history")
def test_history_of_the_system_holds_all_types(fhir: Client, tag: str) -> None:
    since = now()
    made = changed(fhir, tag)
    organization = fhir.create({"resourceType": "Organization", "name": tag})
    found = walk(fhir, "_history", {"_since": since})
    assert found.index(f"{reference(organization)}/1") < found.index(f"{reference(made)}/3")
    assert found.index(f"{reference(made)}/3") < found.index(f"{reference(made)}/1")


@requirement("http.html#history")
def test_since_leaves_older_versions_out(fhir: Client, tag: str) -> None:
    made = fhir.create(patient(tag))
    time.sleep(0.05)
    since = now()
    time.sleep(0.05)
    fhir.put(reference(made), made)
    assert walk(fhir, f"{reference(made)}/_history", {"_since": since}) == [f"{reference(made)}/2"]
    assert f"{reference(made)}/1" not in walk(fhir, "_history", {"_since": since})


@requirement("http.html#history")
def test_since_takes_any_time_zone(fhir: Client, tag: str) -> None:
    made = fhir.create(patient(tag))
    for since in ("2001-01-01T00:00:00+05:00", "2001-01-01T00:00:00Z"):
        assert walk(fhir, f"{reference(made)}/_history", {"_since": since}) == [f"{reference(made)}/1"]
    assert walk(fhir, f"{reference(made)}/_history", {"_since": "2999-01-01T00:00:00Z"}) == []


@requirement("http.html#history")
def test_at_tells_what_was_current_then(fhir: Client, tag: str) -> None:
    made = fhir.create(patient(tag))
    time.sleep(0.05)
    then = now()
    time.sleep(0.05)
    fhir.put(reference(made), made)
    assert walk(fhir, f"{reference(made)}/_history", {"_at": then}) == [f"{reference(made)}/1"]
    assert walk(fhir, f"{reference(made)}/_history", {"_at": "2001-01-01"}) == []


@requirement("http.html#history")
def test_count_pages_without_gap_or_repetition(fhir: Client, tag: str) -> None:
    made = fhir.create(patient(tag))
    for _ in range(4):
        fhir.put(reference(made), made)
    first = fhir.get(f"{reference(made)}/_history", query={"_count": "2"}).json()
    assert len(first["entry"]) == 2
    assert link(first, "self")
    fhir.put(reference(made), made)  # between two pages
    second = fhir.get(link(first, "next")).json()
    third = fhir.get(link(second, "next")).json()
    found = versions(first) + versions(second) + versions(third)
    assert found == [f"{reference(made)}/{n}" for n in (5, 4, 3, 2, 1)]
    assert not link(third, "next")


@requirement("http.html#history")
@pytest.mark.parametrize("query", [{"_count": "x"}, {"_since": "yesterday"}, {"_at": "13/1/2020"}, {"gender": "male"}])
def test_a_history_parameter_that_cannot_be_honoured_is_400(fhir: Client, tag: str, query: dict[str, str]) -> None:
    made = fhir.create(patient(tag))
    fhir.refused("GET", f"{reference(made)}/_history", query=query, expect=400)


@requirement("http.html#history")
def test_history_in_xml_and_cut_down(fhir: Client, tag: str) -> None:
    made = changed(fhir, tag)
    path = f"{reference(made)}/_history"
    assert "<method value=" in fhir.get(path, Accept="application/fhir+xml").text
    assert "entry" not in fhir.get(path, query={"_summary": "count"}).json()
    cut = fhir.get(path, query={"_elements": "gender"}).json()["entry"][1]["resource"]
    assert "name" not in cut and cut["gender"] == "male"


@requirement("http.html#history")
def test_a_forged_page_of_history_is_refused(fhir: Client, tag: str) -> None:
    made = changed(fhir, tag)
    for cursor in ("x", "-1", "9" * 40, "1;DROP TABLE history"):
        fhir.refused("GET", f"{reference(made)}/_history", query={"_cursor": cursor}, expect=400)


@requirement("http.html#history")
def test_each_method_is_told_by_its_name(fhir: Client, tag: str) -> None:
    made = fhir.create(patient(tag, gender="male"))
    operations = [{"op": "remove", "path": "/gender"}]
    fhir.patch(reference(made), operations, type="application/json-patch+json")
    fhir.put(f"Patient/{tag}", patient(tag, id=tag), expect=201)
    methods = [each["request"]["method"] for each in fhir.get(f"{reference(made)}/_history").json()["entry"]]
    assert methods == ["PATCH", "POST"]
    [upsert] = fhir.get(f"Patient/{tag}/_history").json()["entry"]
    assert (upsert["request"]["method"], upsert["response"]["status"][:3]) == ("PUT", "201")


@requirement("bundle.html#history")
def test_a_history_bundle_is_valid(fhir: Client, tag: str) -> None:
    made = changed(fhir, tag)
    bundle = fhir.get(f"{reference(made)}/_history").json()
    outcome = fhir.post("Bundle/$validate", bundle).json()
    assert {issue["severity"] for issue in outcome["issue"]} == {"information"}, outcome
