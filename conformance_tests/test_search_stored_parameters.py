"""SearchParameter resources that take effect: in force, told of in the statement, retired, refused."""

import uuid
from collections.abc import Iterator

import pytest

from conformance_tests.client import Client, Json, ids_of, resources_of
from conformance_tests.examples import patient

requirement = pytest.mark.requirement
COLOUR, RANK = "https://example.org/colour", "https://example.org/rank"


@pytest.fixture(scope="module")
def code() -> str:
    return f"colour-{uuid.uuid4().hex[:12]}"


def _parameter(code: str, **more: object) -> Json:
    expression = f"Patient.extension.where(url = '{COLOUR}').value as code"
    return {
        "resourceType": "SearchParameter", "url": f"https://example.org/{code}", "name": "Colour", "code": code,
        "description": "The favourite colour.", "status": "active", "base": ["Patient"], "type": "token",
        "expression": expression, **more,
    }  # fmt: skip


def _patient(colour: str, rank: int) -> Json:
    extension = [{"url": COLOUR, "valueCode": colour}, {"url": RANK, "valueQuantity": {"value": rank, "unit": "mg"}}]
    return patient("x", extension=extension)


@pytest.fixture(scope="module")
def stored(fhir: Client, code: str) -> Iterator[Json]:
    """A parameter for codes and one for quantities, and what has them."""
    rank = f"Patient.extension.where(url = '{RANK}').value.ofType(Quantity)"
    made = fhir.create(_parameter(code))
    other = fhir.create(_parameter(f"{code}-rank", type="quantity", expression=rank))
    people = {colour: fhir.create(_patient(colour, n))["id"] for n, colour in enumerate(("red", "blue"))}
    yield {"colour": made, **people}
    for each in (made, other):
        fhir.delete(f"SearchParameter/{each['id']}")
    fhir.refused("GET", f"Patient?{code}=red", expect=400)


@requirement("searchparameter.html")
def test_what_is_written_from_then_on_is_found(fhir: Client, code: str, stored: Json) -> None:
    assert fhir.found("Patient", [(code, "red")]) == [stored["red"]]
    assert set(fhir.found("Patient", [(code, "red,blue")])) == {stored["red"], stored["blue"]}
    assert fhir.found("Patient", [(f"{code}-rank", "gt0||mg")]) == [stored["blue"]]
    sorted_ids = fhir.found("Patient", [(code, "red,blue"), ("_sort", f"-{code}-rank")])
    assert sorted_ids == [stored["blue"], stored["red"]]


@requirement("searchparameter.html")
def test_a_change_is_found_by_what_it_says_now(fhir: Client, code: str, stored: Json) -> None:
    made = fhir.create(_patient("green", 3))
    fhir.put(f"Patient/{made['id']}", made | {"extension": [{"url": COLOUR, "valueCode": "grey"}]})
    assert fhir.found("Patient", [(code, "green")]) == []
    assert fhir.found("Patient", [(code, "grey")]) == [made["id"]]
    fhir.delete(f"Patient/{made['id']}")
    assert fhir.found("Patient", [(code, "grey")]) == []


@requirement("search.html#errors")
def test_an_incomplete_index_is_told(fhir: Client, code: str, stored: Json) -> None:
    """A warning stands beside the results for as long as what existed before may be missing; the self link holds."""
    page = fhir.search("Patient", [(code, "red")])
    for outcome in resources_of(page, "outcome"):
        assert [(issue["severity"], issue["code"]) for issue in outcome["issue"]] == [("warning", "incomplete")]
    assert ids_of(page) == [stored["red"]]
    assert page["link"][0]["url"].endswith(f"/Patient?{code}=red")


@requirement("capabilitystatement.html")
def test_the_statement_lists_it(fhir: Client, code: str, stored: Json) -> None:
    resources = fhir.get("metadata").json()["rest"][0]["resource"]
    [listed] = [row["searchParam"] for row in resources if row["type"] == "Patient"]
    [found] = [row for row in listed if row["name"] == code]
    assert (found["definition"], found["type"]) == (f"https://example.org/{code}", "token")


@requirement("searchparameter-definitions.html#SearchParameter.status")
@pytest.mark.parametrize("status", ["draft", "retired"])
def test_only_active_ones_are_in_force(fhir: Client, code: str, status: str) -> None:
    made = fhir.create(_parameter(f"{code}-{status}", status=status))
    fhir.refused("GET", f"Patient?{code}-{status}=red", expect=400)
    fhir.put(f"SearchParameter/{made['id']}", made | {"status": "active"})
    fhir.get(f"Patient?{code}-{status}=red")
    fhir.delete(f"SearchParameter/{made['id']}")
    fhir.refused("GET", f"Patient?{code}-{status}=red", expect=400)


@requirement("searchparameter-definitions.html#SearchParameter.expression")
@pytest.mark.parametrize(
    ("place", "changed"),
    [
        ("expression", {"expression": "Patient.colour"}),
        ("expression", {"expression": "Patient.name.where("}),
        ("expression", {"expression": "Patient.name"}),
        ("code", {"code": "gender"}),
        ("modifier[0]", {"modifier": ["exact"]}),
        ("type", {"type": "special", "expression": "Patient.address"}),
    ],
)
def test_one_that_cannot_work_is_refused(fhir: Client, code: str, place: str, changed: Json) -> None:
    outcome = fhir.refused("POST", "SearchParameter", _parameter(f"{code}-bad") | changed, expect=422)
    assert [issue["expression"] for issue in outcome["issue"]] == [[f"SearchParameter.{place}"]]
