"""$expand, $validate-code, $lookup, $subsumes, $translate: their input, their answers, and who is not answered."""

from collections.abc import Iterator
from typing import Any

import pytest

from fhir_server.conftest import Client

SYSTEM = "http://example.org/animals"
URL = "http://example.org/all-animals"
MAP = "http://example.org/map"
CODES: dict[str, Any] = {
    "resourceType": "CodeSystem", "url": SYSTEM, "name": "Animals", "status": "active", "content": "complete",
    "caseSensitive": True,
    "concept": [{"code": "animal", "concept": [{"code": "cat", "display": "Cat"}, {"code": "dog"}]}],
}  # fmt: skip
SET: dict[str, Any] = {
    "resourceType": "ValueSet", "url": URL, "status": "active", "compose": {"include": [{"system": SYSTEM}]},
}  # fmt: skip
TARGET = {"code": "felis", "equivalence": "wider", "dependsOn": [{"property": "urn:kind", "value": "tame"}]}
CONCEPT_MAP: dict[str, Any] = {
    "resourceType": "ConceptMap", "url": MAP, "status": "active",
    "group": [{"source": SYSTEM, "target": "urn:latin", "element": [{"code": "cat", "target": [TARGET]}]}],
}  # fmt: skip


@pytest.fixture(scope="module")
def ids(client: Client) -> Iterator[dict[str, str]]:
    yield {each["resourceType"]: client.create(each) for each in (CODES, SET, CONCEPT_MAP)}


def parameters(*parts: Any) -> dict[str, Any]:
    return {"resourceType": "Parameters", "parameter": list(parts)}


def value(answer: Any, name: str) -> Any:
    found = next(each for each in answer.json["parameter"] if each["name"] == name)
    return next(held for key, held in found.items() if key != "name")


def codes(answer: Any) -> list[str]:
    assert answer.status == 200, answer.body
    return [each["code"] for each in answer.json["expansion"].get("contains", ())]


def test_expand_by_every_way_of_naming(client: Client, ids: dict[str, str]) -> None:
    everything = ["animal", "cat", "dog"]
    sent = parameters({"name": "valueSet", "resource": SET}, {"name": "filter", "valueString": "d"})
    assert codes(client.send("GET", f"ValueSet/$expand?url={URL}")) == everything
    assert codes(client.send("GET", f"ValueSet/{ids['ValueSet']}/$expand")) == everything
    assert codes(client.send("POST", "ValueSet/$expand", SET)) == everything
    assert codes(client.send("POST", "ValueSet/$expand", sent)) == ["dog"]
    assert codes(client.send("GET", f"ValueSet/$expand?url={URL}&offset=1&count=1")) == ["cat"]


def test_validate_code_in_a_value_set(client: Client, ids: dict[str, str]) -> None:
    asked = f"url={URL}&system={SYSTEM}"
    assert value(client.send("GET", f"ValueSet/$validate-code?{asked}&code=cat&display=cat"), "result") is True
    assert value(client.send("GET", f"ValueSet/$validate-code?{asked}&code=cow"), "result") is False
    concept = {"coding": [{"system": "urn:x", "code": "1"}, {"system": SYSTEM, "code": "dog"}]}
    body = parameters({"name": "codeableConcept", "valueCodeableConcept": concept})
    assert value(client.send("POST", f"ValueSet/{ids['ValueSet']}/$validate-code", body), "result") is True


def test_validate_code_in_a_code_system(client: Client, ids: dict[str, str]) -> None:
    for way in (f"CodeSystem/$validate-code?url={SYSTEM}&", f"CodeSystem/{ids['CodeSystem']}/$validate-code?"):
        assert value(client.send("GET", f"{way}code=cat"), "display") == "Cat"
        assert value(client.send("GET", f"{way}code=cat&display=Dog"), "result") is False
        assert value(client.send("GET", f"{way}code=cat&system=urn:other"), "result") is False
    coding = parameters({"name": "coding", "valueCoding": {"system": SYSTEM, "code": "dog"}})
    assert value(client.send("POST", "CodeSystem/$validate-code", coding), "result") is True
    sent = parameters({"name": "codeSystem", "resource": CODES}, {"name": "code", "valueCode": "cat"})
    assert value(client.send("POST", "CodeSystem/$validate-code", sent), "result") is True


def test_lookup_and_subsumes(client: Client, ids: dict[str, str]) -> None:
    assert value(client.send("GET", f"CodeSystem/$lookup?system={SYSTEM}&code=cat"), "display") == "Cat"
    coding = parameters({"name": "coding", "valueCoding": {"system": SYSTEM, "code": "cat"}})
    assert value(client.send("POST", "CodeSystem/$lookup", coding), "name") == "Animals"
    by_type = f"CodeSystem/$subsumes?system={SYSTEM}&codeA=animal&codeB=cat"
    by_id = f"CodeSystem/{ids['CodeSystem']}/$subsumes?codeA=cat&codeB=animal"
    assert value(client.send("GET", by_type), "outcome") == "subsumes"
    assert value(client.send("GET", by_id), "outcome") == "subsumed-by"


def test_translate(client: Client, ids: dict[str, str]) -> None:
    element = {"name": "element", "valueUri": "urn:kind"}
    concept = {"name": "concept", "valueCodeableConcept": {"coding": [{"code": "tame"}]}}
    asked = ({"name": "coding", "valueCoding": {"system": SYSTEM, "code": "cat"}},)
    given = parameters(*asked, {"name": "dependency", "part": [element, concept]})
    for way in (
        f"ConceptMap/$translate?url={MAP}",
        f"ConceptMap/{ids['ConceptMap']}/$translate",
        "ConceptMap/$translate",
    ):
        assert value(client.send("POST", way, given), "result") is True
        assert value(client.send("POST", way, parameters(*asked)), "result") is False


def test_another_version_than_there_is(client: Client, ids: dict[str, str]) -> None:
    assert client.send("GET", f"ValueSet/$expand?url={URL}&valueSetVersion=9").status == 404
    assert client.send("GET", f"CodeSystem/$lookup?system={SYSTEM}&code=cat&version=9").status == 404


REFUSED = [
    ("ValueSet/$expand", 400, "invalid"),
    ("ValueSet/$expand?url=http://example.org/none", 404, "not-found"),
    ("ValueSet/none/$expand", 404, "not-found"),
    (f"ValueSet/$expand?url={URL}&count=-1", 400, "invalid"),
    (f"ValueSet/$expand?url={URL}&count=9999999999", 400, "invalid"),
    (f"ValueSet/$expand?url={URL}&activeOnly=maybe", 400, "invalid"),
    (f"ValueSet/$expand?url={URL}&date=2020-01-01", 400, "not-supported"),
    (f"ValueSet/$expand?url={URL}&colour=red", 400, "invalid"),
    ("ValueSet/$expand?url=http://hl7.org/fhir/ValueSet/observation-codes", 422, "too-costly"),
    (f"ValueSet/$validate-code?url={URL}&code=cat", 400, "invalid"),
    (f"ValueSet/$validate-code?url={URL}", 400, "invalid"),
    (f"CodeSystem/$lookup?system={SYSTEM}&code=cow", 404, "not-found"),
    ("CodeSystem/$lookup?system=http://loinc.org&code=718-7", 404, "not-found"),
    ("CodeSystem/$lookup?code=cat", 400, "invalid"),
    (f"CodeSystem/$subsumes?system={SYSTEM}&codeA=cat", 400, "invalid"),
    ("ConceptMap/$translate?url=http://example.org/none&system=urn:x&code=1", 404, "not-found"),
]


@pytest.mark.parametrize(("path", "status", "code"), REFUSED)
def test_what_is_refused(client: Client, ids: dict[str, str], path: str, status: int, code: str) -> None:
    answer = client.send("GET", path)
    assert (answer.status, answer.issue["code"]) == (status, code), answer.body


BODIES = [
    {"resourceType": "ValueSet", "status": "active", "compose": {"include": "x"}},
    {"resourceType": "Patient"},
    parameters({"name": "valueSet", "resource": {"resourceType": "CodeSystem"}}),
    parameters({"name": "url", "valueUri": URL}, {"name": "url", "part": "x"}),
    parameters({"name": "coding", "valueCoding": {"code": 5}}, {"name": "url", "valueUri": URL}),
]


@pytest.mark.parametrize("body", BODIES)
def test_bodies_that_are_refused(client: Client, ids: dict[str, str], body: Any) -> None:
    assert client.send("POST", "ValueSet/$expand", body).status == 400
    assert client.send("POST", "ValueSet/$validate-code", body).status == 400


def test_an_expression_that_means_harm_and_imports_in_a_circle(client: Client) -> None:
    held = {"property": "code", "op": "regex", "value": "(" * 600}
    harm = {**SET, "url": "urn:harm", "compose": {"include": [{"system": SYSTEM, "filter": [held]}]}}
    assert client.send("POST", "ValueSet/$expand", harm).issue["code"] == "too-costly"
    circle = {**SET, "url": "http://example.org/circle"}
    circle["compose"] = {"include": [{"valueSet": ["http://example.org/circle"]}]}
    client.create(circle)
    assert client.send("GET", "ValueSet/$expand?url=http://example.org/circle").issue["code"] == "business-rule"


def test_they_are_stated(client: Client) -> None:
    rest = client.send("GET", "metadata").json["rest"][0]
    stated = {(each["type"], row["name"]) for each in rest["resource"] for row in each.get("operation", ())}
    assert {("ValueSet", "expand"), ("CodeSystem", "lookup"), ("ConceptMap", "translate")} <= stated
    assert ("Patient", "expand") not in stated
    terminology = client.send("GET", "metadata?mode=terminology").json
    assert terminology["resourceType"] == "TerminologyCapabilities" and terminology["expansion"]["paging"] is True
