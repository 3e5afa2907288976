"""Terminology: $expand, $validate-code, $lookup, $subsumes, $translate, and searches by value set and hierarchy."""

import uuid
from typing import Any

import pytest

from conformance_tests.client import Client, Json, text_of
from conformance_tests.examples import encounter, observation, patient

requirement = pytest.mark.requirement


class Zoo:
    """A code system, a value set of its dogs, a map, and an observation for each code."""

    def __init__(self, fhir: Client) -> None:
        self.fhir, self.base = fhir, f"http://example.org/{uuid.uuid4().hex}"
        self.system, self.dogs, self.map = (f"{self.base}/{name}" for name in ("animals", "dogs", "map"))
        dog = {"code": "dog", "display": "Dog", "concept": [{"code": "poodle", "display": "Poodle"}]}
        self.code_system = fhir.create(
            self._definition("CodeSystem", self.system, content="complete", caseSensitive=True, name="Animals")
            | {"concept": [{"code": "animal", "concept": [{"code": "cat", "display": "Cat"}, dog]}]}
        )
        self.value_set = fhir.create(self._definition("ValueSet", self.dogs) | self.compose(self.is_a("dog")))
        target = {"code": "canis", "display": "Canis", "equivalence": "wider"}
        group = {"source": self.system, "target": f"{self.base}/latin"}
        fhir.create(
            self._definition("ConceptMap", self.map)
            | {"group": [group | {"element": [{"code": "dog", "target": [target]}]}]}
        )

    def _definition(self, type: str, url: str, **more: Any) -> Json:
        return {"resourceType": type, "url": url, "status": "active"} | more

    def compose(self, *include: Json) -> Json:
        return {"compose": {"include": list(include)}}

    def is_a(self, code: str) -> Json:
        return {"system": self.system, "filter": [{"property": "concept", "op": "is-a", "value": code}]}

    def answer(self, path: str, **query: str) -> dict[str, Any]:
        """The parameters of an answer by name; of each the last."""
        found = self.fhir.get(path, query=query).json()
        assert found["resourceType"] == "Parameters"
        return {each["name"]: next(v for k, v in each.items() if k != "name") for each in found["parameter"]}


@pytest.fixture(scope="module")
def zoo(fhir: Client) -> Zoo:
    return Zoo(fhir)


def codes(expanded: Json) -> list[str]:
    return [each["code"] for each in expanded["expansion"].get("contains", ())]


@requirement("valueset-operation-expand.html")
def test_expand_by_url_by_id_and_as_sent(zoo: Zoo) -> None:
    assert codes(zoo.fhir.get("ValueSet/$expand", query={"url": zoo.dogs}).json()) == ["dog", "poodle"]
    assert codes(zoo.fhir.get(f"ValueSet/{zoo.value_set['id']}/$expand").json()) == ["dog", "poodle"]
    sent = {"resourceType": "ValueSet", "status": "active"} | zoo.compose(zoo.is_a("animal"))
    body = {"resourceType": "Parameters", "parameter": [{"name": "valueSet", "resource": sent}]}
    assert codes(zoo.fhir.post("ValueSet/$expand", body).json()) == ["animal", "cat", "dog", "poodle"]


@requirement("valueset-operation-expand.html")
def test_expand_in_pages_and_by_text(zoo: Zoo) -> None:
    page = zoo.fhir.get("ValueSet/$expand", query={"url": zoo.dogs, "offset": "1", "count": "1"}).json()
    assert codes(page) == ["poodle"]
    assert (page["expansion"]["total"], page["expansion"]["offset"]) == (2, 1)
    assert codes(zoo.fhir.get("ValueSet/$expand", query={"url": zoo.dogs, "filter": "poo"}).json()) == ["poodle"]


@requirement("valueset-operation-expand.html")
def test_what_cannot_be_expanded_says_why(zoo: Zoo) -> None:
    big = {"url": "http://hl7.org/fhir/ValueSet/observation-codes"}
    outcome = zoo.fhir.refused("GET", "ValueSet/$expand", query=big, expect=422)
    assert outcome["issue"][0]["code"] == "too-costly" and "http://loinc.org" in text_of(outcome)
    outcome = zoo.fhir.refused("GET", "ValueSet/$expand", query={"url": f"{zoo.base}/none"}, expect=404)
    assert outcome["issue"][0]["code"] == "not-found"


@requirement("valueset-operation-validate-code.html")
def test_validate_code_in_a_value_set(zoo: Zoo) -> None:
    asked = {"url": zoo.dogs, "system": zoo.system}
    found = zoo.answer("ValueSet/$validate-code", code="poodle", **asked)
    assert (found["result"], found["display"]) == (True, "Poodle")
    assert zoo.answer("ValueSet/$validate-code", code="cat", **asked)["result"] is False
    wrong = zoo.answer("ValueSet/$validate-code", code="poodle", display="Cat", **asked)
    assert wrong["result"] is False and wrong["display"] == "Poodle"


@requirement("codesystem-operation-validate-code.html")
def test_validate_code_in_a_code_system(zoo: Zoo) -> None:
    assert zoo.answer("CodeSystem/$validate-code", url=zoo.system, code="cat")["result"] is True
    assert zoo.answer("CodeSystem/$validate-code", url=zoo.system, code="cow")["result"] is False


@requirement("codesystem-operation-lookup.html")
def test_lookup(zoo: Zoo) -> None:
    found = zoo.answer("CodeSystem/$lookup", system=zoo.system, code="cat")
    assert (found["name"], found["display"]) == ("Animals", "Cat")
    published = "http://terminology.hl7.org/CodeSystem/v3-ActCode"
    assert zoo.answer("CodeSystem/$lookup", system=published, code="AMB")["display"] == "ambulatory"
    unknown = {"system": zoo.system, "code": "cow"}
    assert "cow" in text_of(zoo.fhir.refused("GET", "CodeSystem/$lookup", query=unknown, expect=404))


@requirement("codesystem-operation-subsumes.html")
def test_subsumes(zoo: Zoo) -> None:
    def outcome(a: str, b: str) -> str:
        found: str = zoo.answer("CodeSystem/$subsumes", system=zoo.system, codeA=a, codeB=b)["outcome"]
        return found

    assert [outcome("animal", "poodle"), outcome("poodle", "animal")] == ["subsumes", "subsumed-by"]
    assert [outcome("cat", "cat"), outcome("cat", "dog")] == ["equivalent", "not-subsumed"]


@requirement("conceptmap-operation-translate.html")
def test_translate_there_and_back(zoo: Zoo) -> None:
    there = zoo.answer("ConceptMap/$translate", url=zoo.map, system=zoo.system, code="dog")
    assert there["result"] is True
    match = {part["name"]: part for part in there["match"]}
    assert match["equivalence"]["valueCode"] == "wider" and match["concept"]["valueCoding"]["code"] == "canis"
    latin = {"system": f"{zoo.base}/latin", "code": "canis", "reverse": "true"}
    back = zoo.answer("ConceptMap/$translate", url=zoo.map, **latin)
    match = {part["name"]: part for part in back["match"]}
    assert match["equivalence"]["valueCode"] == "narrower" and match["concept"]["valueCoding"]["code"] == "dog"
    assert zoo.answer("ConceptMap/$translate", url=zoo.map, system=zoo.system, code="cat")["result"] is False


@requirement("terminologycapabilities.html")
def test_it_is_stated(fhir: Client) -> None:
    stated = fhir.get("metadata", query={"mode": "terminology"}).json()
    assert stated["resourceType"] == "TerminologyCapabilities" and stated["expansion"]["paging"] is True
    rest = fhir.get("metadata").json()["rest"][0]
    [value_set] = [each for each in rest["resource"] if each["type"] == "ValueSet"]
    assert {"expand", "validate-code"} <= {each["name"] for each in value_set["operation"]}


# --- searches ---------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def seen(zoo: Zoo) -> dict[str, str]:
    """The code of each observation by its id, all of one patient."""
    subject = zoo.fhir.create(patient(uuid.uuid4().hex))
    found = {}
    for code in ("animal", "cat", "dog", "poodle"):
        coded = {"code": {"coding": [{"system": zoo.system, "code": code}]}}
        found[zoo.fhir.create(observation(f"Patient/{subject['id']}") | coded)["id"]] = code
    found["patient"] = str(subject["id"])
    return found


SEARCHES = [
    ("code:in", "{dogs}", "dog poodle"),
    ("code:in", "ValueSet/{id}", "dog poodle"),
    ("code:not-in", "{dogs}", "animal cat"),
    ("code:below", "{system}|dog", "dog poodle"),
    ("code:above", "{system}|poodle", "animal dog poodle"),
    ("status:in", "http://hl7.org/fhir/ValueSet/observation-status|4.0.1", "animal cat dog poodle"),
]


@requirement("search.html#modifiers")
@pytest.mark.parametrize(("name", "value", "expected"), SEARCHES)
def test_search_by_value_set_and_hierarchy(
    zoo: Zoo, seen: dict[str, str], name: str, value: str, expected: str
) -> None:
    value = value.format(dogs=zoo.dogs, system=zoo.system, id=zoo.value_set["id"])
    ids = zoo.fhir.found("Observation", [("subject", f"Patient/{seen['patient']}"), (name, value)])
    assert " ".join(sorted(seen[id] for id in ids)) == expected


@requirement("search.html#modifiers")
def test_a_value_set_that_changes_changes_what_is_found(zoo: Zoo, seen: dict[str, str]) -> None:
    url = f"{zoo.base}/changing"
    made = zoo.fhir.create({"resourceType": "ValueSet", "url": url, "status": "active"} | zoo.compose(zoo.is_a("cat")))

    def found() -> list[str]:
        return sorted(seen[id] for id in zoo.fhir.found("Observation", {"code:in": url}))

    assert found() == ["cat"]
    zoo.fhir.put(f"ValueSet/{made['id']}", made | zoo.compose(zoo.is_a("dog")))
    assert found() == ["dog", "poodle"]
    zoo.fhir.delete(f"ValueSet/{made['id']}")
    outcome = zoo.fhir.refused("GET", "Observation", query={"code:in": url}, expect=400)
    assert outcome["issue"][0]["code"] == "not-found" and url in text_of(outcome)


@requirement("search.html#recursive")
def test_search_by_what_is_part_of_something(zoo: Zoo) -> None:
    house = zoo.fhir.create({"resourceType": "Location", "name": "House"})
    inside = {"reference": f"Location/{house['id']}"}
    room = zoo.fhir.create({"resourceType": "Location", "name": "Room", "partOf": inside})
    subject = zoo.fhir.create(patient(uuid.uuid4().hex))
    place = {"location": [{"location": {"reference": f"Location/{room['id']}"}}]}
    made = zoo.fhir.create(encounter(f"Patient/{subject['id']}") | place)
    assert zoo.fhir.found("Encounter", {"location:below": f"Location/{house['id']}"}) == [made["id"]]
    assert zoo.fhir.found("Encounter", {"location": f"Location/{house['id']}"}) == []
    assert zoo.fhir.found("Location", {"partof:above": room["id"]}) == [room["id"]]


@requirement("search.html#modifiers")
def test_a_modifier_that_does_not_fit_is_refused(zoo: Zoo) -> None:
    for name, value in (("code:in", "dogs"), ("identifier:in", zoo.dogs), ("code:below", "dog")):
        assert zoo.fhir.refused("GET", "Observation", query={name: value}, expect=400)["issue"]
