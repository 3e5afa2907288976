"""Search by what no element says alone: near, text, lists, parts of texts; US Core's parameters; parts of results."""

import uuid
from collections.abc import Iterator

import pytest

from conformance_tests.client import SYSTEM, Client, Json, reference
from conformance_tests.examples import coding, observation, patient
from conformance_tests.test_search_parameters import Shelf

requirement = pytest.mark.requirement
CORE = "http://hl7.org/fhir/us/core/StructureDefinition/us-core-"
TERMS = "http://terminology.hl7.org/CodeSystem/"
SUBSETTED = "SUBSETTED"


@pytest.fixture(scope="module")
def shelf(fhir: Client) -> Iterator[Shelf]:
    made = Shelf(fhir, f"s{uuid.uuid4().hex[:12]}")
    for name, latitude, longitude in (("mill", 52.52, 13.405), ("lake", 52.3906, 13.0645), ("isle", -18.1, 178.4)):
        position = {"latitude": latitude, "longitude": longitude}
        made.put(name, {"resourceType": "Location", "name": f"The {name}", "position": position})
    eve = made.put("eve", patient("x", name=[{"family": "van Oosterhout"}], text=told("Likes <i>tea</i> &amp; chess")))
    max = made.put("max", patient("x", name=[{"family": "Oster"}], text=told("Chess, no tea"), extension=[race()]))
    pain = observation(reference(eve), made.label, note=[{"text": "Severe chest pain"}], text=told("see the note"))
    first, second = (
        made.put("pain", pain),
        made.put("calm", observation(reference(max), made.label, text=told("All quiet"))),
    )
    entries = [{"item": {"reference": reference(each)}} for each in (first, eve)]
    gone = {"item": {"reference": reference(second)}, "deleted": True}
    listed = {"resourceType": "List", "status": "current", "mode": "changes", "entry": [*entries, gone]}
    made.put("list", listed)
    yield made


def told(words: str) -> Json:
    return {"status": "additional", "div": f'<div xmlns="http://www.w3.org/1999/xhtml"><p>{words}</p></div>'}


def race() -> Json:
    omb = {"url": "ombCategory", "valueCoding": {"system": "urn:oid:2.16.840.1.113883.6.238", "code": "2106-3"}}
    return {"url": f"{CORE}race", "extension": [omb, {"url": "text", "valueString": "White"}]}


# --- near -------------------------------------------------------------------------------------------------------------


@requirement("location.html#positional")
@pytest.mark.parametrize(
    ("near", "found"),
    [
        ("52.52|13.405|5|km", "mill"),
        ("52.52|13.405", "lake mill"),
        ("52.52|13.405|16|[mi_i]", "mill"),
        ("52.52|13.405|18|[mi_i]", "lake mill"),
        ("52.52|13.405|28000|m", "lake mill"),
        ("-18|-179.9|300|km", "isle"),
        ("0|0|1|km", ""),
    ],
)
def test_near(shelf: Shelf, near: str, found: str) -> None:
    assert shelf.names("Location", ("near", near)) == found


@requirement("search.html#errors")
@pytest.mark.parametrize("near", ["here", "91|0", "52|13|5|kg", "52|13|-1"])
def test_a_place_that_is_none_is_400(fhir: Client, near: str) -> None:
    told = fhir.refused("GET", "Location", query={"near": near}, expect=400)
    assert "near" in told["issue"][0]["diagnostics"]


# --- text -------------------------------------------------------------------------------------------------------------


@requirement("search.html#content")
@pytest.mark.parametrize(
    ("type", "query", "found"),
    [
        ("Patient", "_text=CHESS", "eve max"),
        ("Patient", '_text="tea chess"', "eve"),
        ("Patient", "_text=chess,quiet", "eve max"),
        ("Patient", "_text=tea likes", "eve"),
        ("Patient", "_text=ches*", "eve max"),
        ("Patient", "_text=oster", ""),
        ("Patient", "_content=oster", "max"),
        ("Observation", "_content=severe", "pain"),
        ("Observation", "_text=severe", ""),
        ("Observation", "subject:Patient._text=likes", "pain"),
    ],
)
def test_words_of_narratives_and_of_all_that_is_written(shelf: Shelf, type: str, query: str, found: str) -> None:
    assert shelf.names(type, query) == found


@requirement("search.html#content")
def test_words_of_several_types(fhir: Client, shelf: Shelf) -> None:
    query = {"_type": "Patient,Observation", "_text": "quiet,likes", "_tag": f"{SYSTEM}|{shelf.label}"}
    assert {shelf.known[id] for id in fhir.found("", query)} == {"eve", "calm"}


@requirement("search.html#content")
def test_words_change_with_the_resource(fhir: Client, tag: str) -> None:
    made = fhir.create(patient(tag, text=told("before"), meta={"tag": [coding(tag)]}))
    query = {"_tag": f"{SYSTEM}|{tag}", "_text": "before"}
    assert fhir.found("Patient", query) == [made["id"]]
    fhir.put(reference(made), made | {"text": told("after")})
    assert fhir.found("Patient", query) == []
    assert fhir.found("Patient", query | {"_text": "after"}) == [made["id"]]


# --- lists ------------------------------------------------------------------------------------------------------------


@requirement("search.html#list")
def test_current_entries_of_a_list(shelf: Shelf) -> None:
    list = next(id for id, name in shelf.known.items() if name == "list")
    assert shelf.names("Observation", f"_list={list}") == "pain"
    assert shelf.names("Patient", f"_list={list}") == "eve"
    assert shelf.names("Patient", "_list=there-is-none") == ""


@requirement("lifecycle.html#current")
def test_current_allergies(fhir: Client, tag: str) -> None:
    eve = fhir.create(patient(tag))

    def allergy(category: str, code: str) -> Json:
        status = {"coding": [{"system": f"{TERMS}allergyintolerance-clinical", "code": code}]}
        about: Json = {"resourceType": "AllergyIntolerance", "patient": {"reference": reference(eve)}}
        return fhir.create(about | {"category": [category], "clinicalStatus": status})

    food, drug = allergy("food", "active"), allergy("medication", "active")
    allergy("food", "resolved")
    of = {"patient": eve["id"]}
    assert set(fhir.found("AllergyIntolerance", of | {"_list": "$current-allergies"})) == {food["id"], drug["id"]}
    assert fhir.found("AllergyIntolerance", of | {"_list": "$current-drug-allergies"}) == [drug["id"]]
    fhir.refused("GET", "AllergyIntolerance", query=of | {"_list": "$current-hopes"}, expect=400)


# --- strings, sources, US Core ----------------------------------------------------------------------------------------


@requirement("search.html#modifiers")
@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("family:contains=OSTER", "eve max"),
        ("family:contains=n oo", "eve"),
        ("family:contains=te", "eve max"),
        ("family:contains=ostr", ""),
        ("family:exact=Oster", "max"),
        ("family:exact=oster", ""),
    ],
)
def test_contains_and_exact(shelf: Shelf, query: str, found: str) -> None:
    assert shelf.names("Patient", query) == found


@requirement("search.html#modifiers")
@pytest.mark.parametrize(
    "query",
    ["family:text=a", "_text:exact=a", "birthdate:exact=2020", "gender:contains=m", "_list:not=1", "subject:text=a"],
)
def test_a_modifier_that_r4_does_not_allow_is_400(fhir: Client, query: str) -> None:
    type = "Observation" if query.startswith("subject") else "Patient"
    fhir.refused("GET", type, query=dict([query.split("=")]), expect=400)


@requirement("search.html#all")
def test_source(fhir: Client, tag: str) -> None:
    made = fhir.create(patient(tag, meta={"tag": [coding(tag)], "source": "http://lab.example.org/feed#42"}))
    of = {"_tag": f"{SYSTEM}|{tag}"}
    assert fhir.found("Patient", of | {"_source": "http://lab.example.org/feed#42"}) == [made["id"]]
    assert fhir.found("Patient", of | {"_source:below": "http://lab.example.org"}) == [made["id"]]
    assert fhir.found("Patient", of | {"_source": "http://lab.example.org/feed"}) == [made["id"]]
    assert fhir.found("Patient", of | {"_source": "#42"}) == [made["id"]]
    assert fhir.found("Patient", of | {"_source": "http://lab.example.org/feed#43"}) == []


@requirement("us-core:search-parameters")
def test_parameters_of_us_core(fhir: Client, shelf: Shelf, tag: str) -> None:
    assert shelf.names("Patient", "race=2106-3") == "max"
    assert shelf.names("Patient", "race=urn:oid:2.16.840.1.113883.6.238|2106-3") == "max"
    assert shelf.names("Patient", "race=White") == ""
    asserted = {"url": "http://hl7.org/fhir/StructureDefinition/condition-assertedDate", "valueDateTime": "2016-08-10"}
    eve = {"reference": reference(fhir.create(patient(tag)))}
    made = fhir.create({"resourceType": "Condition", "subject": eve, "extension": [asserted], "code": {"text": tag}})
    of = {"patient": eve["reference"]}
    assert fhir.found("Condition", of | {"asserted-date": "ge2016-08"}) == [made["id"]]
    assert fhir.found("Condition", of | {"asserted-date": "lt2016-08"}) == []
    status = {"resourceType": "Goal", "lifecycleStatus": "active", "subject": eve}
    goal = fhir.create(status | {"description": {"coding": [{"system": "http://loinc.org", "code": "59408-5"}]}})
    assert fhir.found("Goal", of | {"description": "59408-5", "lifecycle-status": "active"}) == [goal["id"]]
    role = {"coding": [{"system": "http://snomed.info/sct", "code": "59058001"}]}
    team = fhir.create(
        {"resourceType": "CareTeam", "status": "active", "subject": eve, "participant": [{"role": [role]}]}
    )
    assert fhir.found("CareTeam", of | {"role": "59058001", "status": "active"}) == [team["id"]]


@requirement("search.html#conformance")
def test_the_statement_lists_them(fhir: Client) -> None:
    stated = fhir.get("metadata").json()["rest"][0]["resource"]
    names = {each["type"]: {param["name"] for param in each["searchParam"]} for each in stated}
    assert {"near", "_text", "_content", "_list"} <= names["Location"]
    assert {"race", "ethnicity", "gender-identity"} <= names["Patient"]
    assert {"asserted-date"} <= names["Condition"]
    assert {"discharge-disposition", "location"} <= names["Encounter"]
    assert "_query" not in names["Patient"]


# --- what is refused; parts of results --------------------------------------------------------------------------------


@requirement("search.html#errors")
@pytest.mark.parametrize(
    ("query", "reason"),
    [
        ({"_query": "everyone"}, "named query"),
        ({"_contained": "true"}, "contained resources"),
        ({"_contained": "both"}, "contained resources"),
        ({"_containedType": "contained"}, "contained resources"),
        ({"_content": "abc*"}, "expected"),
        ({"_text": '"open'}, "expected"),
    ],
)
def test_what_is_not_done_is_refused_with_a_reason(fhir: Client, query: dict[str, str], reason: str) -> None:
    answered = fhir.refused("GET", "Patient", query=query, expect=400)
    assert reason in answered["issue"][0]["diagnostics"]


@requirement("search.html#contained")
def test_contained_resources_may_be_left_out_aloud(fhir: Client, shelf: Shelf) -> None:
    assert shelf.names("Patient", "_contained=false", "_text=likes") == "eve"


@requirement("search.html#summary")
def test_a_summary_of_text_goes_with_no_include(fhir: Client) -> None:
    query = {"_summary": "text", "_include": "Observation:subject"}
    fhir.refused("GET", "Observation", query=query, expect=400)


@requirement("search.html#elements")
def test_elements_of_a_search(fhir: Client, shelf: Shelf) -> None:
    query = {"_tag": f"{SYSTEM}|{shelf.label}", "_elements": "subject", "_include": "Observation:subject"}
    page = fhir.search("Observation", query)
    for each in page["entry"]:
        assert SUBSETTED in [label["code"] for label in each["resource"]["meta"]["tag"]]
    matches = [each["resource"] for each in page["entry"] if each["search"]["mode"] == "match"]
    assert all({"status", "code", "subject"} <= each.keys() and "text" not in each for each in matches)
    fhir.refused("GET", "Observation", query={"_elements": "subjekt"}, expect=400)


@requirement("search.html#total")
def test_totals_of_what_documents_tell(fhir: Client, shelf: Shelf) -> None:
    query = {"_tag": f"{SYSTEM}|{shelf.label}", "_content": "chess", "_count": "1"}
    for total in ("accurate", "estimate"):
        assert fhir.search("Patient", query | {"_total": total})["total"] == 2
    assert fhir.search("Patient", query | {"_summary": "count"})["total"] == 2
