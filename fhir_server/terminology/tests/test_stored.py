"""Terminology as somebody may see it: which version is meant, what shadows what is published, supplements."""

from typing import Any

import msgspec

from fhir_server.terminology.stored import Asked, CodeSystems, Stored, is_local
from resources.repository import Version

URL = "http://example.org/x"


def found_by(*resources: dict[str, Any]) -> Stored:
    def find(asked: Asked) -> list[Version]:
        name = {"_id": "id", "": "resourceType"}.get(asked.parameter, asked.parameter)
        value = asked.value or asked.type
        chosen = [r for r in resources if r["resourceType"] == asked.type and r.get(name) == value]
        return [Version(asked.type, r.get("id", "1"), 1, n, msgspec.json.encode(r)) for n, r in enumerate(chosen)]

    return Stored(find)


def vs(**more: Any) -> dict[str, Any]:
    return {"resourceType": "ValueSet", "url": URL, "status": "active", **more}


def cs(**more: Any) -> dict[str, Any]:
    return {"resourceType": "CodeSystem", "url": URL, "status": "active", "content": "complete", **more}


def test_the_latest_version_unless_one_is_named() -> None:
    source = found_by(vs(version="9"), vs(version="10"), vs(version="11", status="retired"), vs(version="2"))
    assert [source.value_set(name)["version"] for name in (URL, f"{URL}|2", f"{URL}|11")] == ["10", "2", "11"]
    assert source.value_set(f"{URL}|3") is None and source.value_set("http://example.org/none") is None


def test_by_id() -> None:
    assert found_by(vs(id="a")).value_set("ValueSet/a")["id"] == "a"
    assert is_local("ValueSet/a") and not is_local("ValueSet/a/b") and not is_local("http://x/ValueSet/a")


def test_what_is_published_below_what_is_stored() -> None:
    name = "http://hl7.org/fhir/ValueSet/administrative-gender"
    assert found_by().value_set(name)["url"] == found_by().value_set(f"{name}|4.0.1")["url"] == name
    assert found_by().value_set(f"{name}|1") is None
    own = {**vs(), "url": name, "title": "ours"}
    assert found_by(own).value_set(name)["title"] == "ours"


def test_code_systems_and_supplements() -> None:
    extra = cs(url="urn:extra", content="supplement", supplements=URL, concept=[{"code": "a", "display": "A"}])
    known = found_by(cs(concept=[{"code": "a"}]), extra).code_system(URL)
    assert known and known.concepts["a"].display == "A"
    gender = "http://hl7.org/fhir/administrative-gender"
    word = {"code": "male", "designation": [{"language": "de", "value": "männlich"}]}
    added = found_by({**extra, "supplements": gender, "concept": [word]}).code_system(gender)
    assert added and added.concepts["male"].designations and added.concepts["male"].display == "Male"
    assert found_by(extra).code_system("urn:extra") is None


def test_concept_maps() -> None:
    own = {"resourceType": "ConceptMap", "url": URL}
    assert found_by(own).concept_maps(URL) == [own] and found_by().concept_maps(URL) == []
    assert own in found_by(own).concept_maps("") and len(found_by().concept_maps("")) > 10


def test_what_was_asked_is_remembered() -> None:
    source = found_by(vs())
    source.value_set(URL)
    source.code_system("urn:none")
    assert source.asked == {
        Asked("ValueSet", "url", URL), Asked("CodeSystem", "url", "urn:none"),
        Asked("CodeSystem", "supplements", "urn:none"),
    }  # fmt: skip


def test_code_systems_are_indexed_once_and_forgotten_by_size() -> None:
    held = CodeSystems(5)
    documents = [msgspec.json.encode(cs(url=f"urn:{n}", concept=[{"code": "a"}, {"code": "b"}])) for n in range(4)]
    first = held.of(documents[0])
    assert held.of(documents[0]) is first
    for document in documents:
        held.of(document)
    assert held.of(documents[0]) is not first
