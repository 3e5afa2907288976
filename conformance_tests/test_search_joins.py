"""Chains, _has, _include, _revinclude and compartments."""

import uuid
from dataclasses import dataclass

import pytest

from conformance_tests.client import SYSTEM, Client, Json, ids_of, link, reference, resources_of
from conformance_tests.examples import encounter, entry, identifier, observation, patient

requirement = pytest.mark.requirement


@dataclass
class Record:
    """Two patients of one practitioner's organization, one visit with two observations, one observation without."""

    tag: str
    organization: Json
    doctor: Json
    patient: Json
    other: Json
    visit: Json
    first: Json
    second: Json
    lone: Json


@pytest.fixture(scope="module")
def record(fhir: Client) -> Record:
    tag = f"j{uuid.uuid4().hex[:12]}"
    clinic = fhir.create({"resourceType": "Organization", "name": f"Clinic {tag}", "identifier": [identifier(tag)]})
    ward = {"resourceType": "Organization", "name": f"Ward {tag}", "partOf": {"reference": reference(clinic)}}
    organization = fhir.create(ward)
    doctor = fhir.create({"resourceType": "Practitioner", "name": [{"family": f"Doctor-{tag}"}]})
    managed = {"managingOrganization": {"reference": reference(organization)}}
    mine = fhir.create(patient(tag, **managed, generalPractitioner=[{"reference": reference(doctor)}]))
    other = fhir.create(patient(tag + "b", birthDate="1950-01-01"))
    visit = fhir.create(encounter(reference(mine), participant=[{"individual": {"reference": reference(doctor)}}]))
    of_visit = {"encounter": {"reference": reference(visit)}}
    first = fhir.create(observation(reference(mine), tag, **of_visit, effectiveDateTime="2021-01-01"))
    second = fhir.create(observation(reference(mine), tag, **of_visit, effectiveDateTime="2021-01-02"))
    lone = fhir.create(observation(reference(other), tag, status="amended", effectiveDateTime="2021-01-03"))
    return Record(tag, organization, doctor, mine, other, visit, first, second, lone)


# --- Chains -----------------------------------------------------------------------------------------------------------


@requirement("search.html#chaining")
@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("patient.identifier={system}|{tag}", "first second"),
        ("subject:Patient.family=okafor-{tag}b", "lone"),
        ("subject.identifier={system}|{tag}", "first second"),
        ("patient.birthdate=lt1960&identifier={system}|{tag}", "lone"),
        ("patient.organization.name=ward {tag}", "first second"),
        ("patient.organization.partof.identifier={system}|{tag}", "first second"),
        ("encounter.participant:Practitioner.family=doctor-{tag}", "first second"),
        ("patient.general-practitioner:Practitioner.family=doctor-{tag}", "first second"),
        ("patient.identifier={system}|{tag}c", ""),
        ("patient._id={patient}", "first second"),
    ],
)
def test_chain(fhir: Client, record: Record, query: str, found: str) -> None:
    text = query.format(system=SYSTEM, tag=record.tag, patient=record.patient["id"])
    pairs = [tuple(part.split("=", 1)) for part in text.split("&")]
    expected = {getattr(record, name)["id"] for name in found.split()}
    assert set(fhir.found("Observation", pairs)) == expected  # type: ignore[arg-type]


@requirement("search.html#chaining")
@pytest.mark.parametrize("name", ["code.family", "patient.colour", "subject:Medication.code", "patient..family"])
def test_a_chain_that_leads_nowhere_is_400(fhir: Client, name: str) -> None:
    fhir.refused("GET", "Observation", query={name: "x"}, expect=400)


@requirement("search.html#has")
def test_reverse_chain(fhir: Client, record: Record) -> None:
    by_identifier = {"_has:Observation:patient:identifier": f"{SYSTEM}|{record.tag}"}
    assert set(fhir.found("Patient", by_identifier)) == {record.patient["id"], record.other["id"]}
    amended = [("_has:Observation:patient:status", "amended"), *by_identifier.items()]
    assert record.other["id"] in fhir.found("Patient", amended)
    nested = {"_has:Encounter:patient:_has:Observation:encounter:identifier": f"{SYSTEM}|{record.tag}"}
    assert fhir.found("Patient", nested) == [record.patient["id"]]
    chained = {"patient._has:Encounter:patient:_id": record.visit["id"]}
    assert set(fhir.found("Observation", chained)) == {record.first["id"], record.second["id"]}


@requirement("search.html#has")
@pytest.mark.parametrize("name", ["_has:Observation:patient", "_has:Patiens:x:y", "_has:Observation:code:status"])
def test_a_reverse_chain_that_leads_nowhere_is_400(fhir: Client, name: str) -> None:
    fhir.refused("GET", "Patient", query={name: "x"}, expect=400)


# --- Includes ---------------------------------------------------------------------------------------------------------


def included(fhir: Client, type: str, *pairs: tuple[str, str]) -> set[str]:
    return {reference(each) for each in resources_of(fhir.search(type, list(pairs)), "include")}


@requirement("search.html#include")
def test_include(fhir: Client, record: Record) -> None:
    mine = ("identifier", f"{SYSTEM}|{record.tag}")
    page = fhir.search("Observation", [mine, ("_include", "Observation:encounter")])
    assert len(ids_of(page)) == 3
    assert ids_of(page, "include") == [record.visit["id"]]
    assert included(fhir, "Observation", mine, ("_include", "Observation:subject:Patient")) == {
        reference(record.patient),
        reference(record.other),
    }
    assert included(fhir, "Observation", mine, ("_include", "Observation:subject:Group")) == set()
    everything = included(fhir, "Observation", mine, ("_include", "Observation:*"))
    assert {reference(record.visit), reference(record.patient)} <= everything


@requirement("search.html#include")
def test_include_iterate_goes_on(fhir: Client, record: Record) -> None:
    mine = ("_id", record.first["id"])
    start = ("_include", "Observation:patient")
    once = included(fhir, "Observation", mine, start, ("_include", "Patient:organization"))
    assert once == {reference(record.patient)}
    further = included(fhir, "Observation", mine, start, ("_include:iterate", "Patient:organization"))
    assert further == {reference(record.patient), reference(record.organization)}
    whole = [("_include:iterate", "Patient:organization"), ("_include:iterate", "Organization:partof")]
    assert len(included(fhir, "Observation", mine, start, *whole)) == 3


@requirement("search.html#revinclude")
def test_revinclude(fhir: Client, record: Record) -> None:
    mine = ("_id", record.patient["id"])
    found = included(fhir, "Patient", mine, ("_revinclude", "Observation:patient"))
    assert found == {reference(record.first), reference(record.second)}
    both = included(fhir, "Patient", mine, ("_revinclude", "Encounter:patient"), ("_revinclude", "Observation:subject"))
    assert both == {reference(record.first), reference(record.second), reference(record.visit)}
    iterated = [("_revinclude", "Encounter:patient"), ("_revinclude:iterate", "Observation:encounter")]
    assert included(fhir, "Patient", mine, *iterated) == both


@requirement("search.html#include")
def test_includes_count_neither_as_matches_nor_in_the_total(fhir: Client, record: Record) -> None:
    pairs = [("identifier", f"{SYSTEM}|{record.tag}"), ("_include", "Observation:patient"), ("_total", "accurate")]
    page = fhir.search("Observation", [*pairs, ("_count", "1")])
    assert page["total"] == 3
    assert len(ids_of(page)) == 1
    assert len(ids_of(page, "include")) == 1
    seen = ids_of(page)
    while following := link(page, "next"):
        page = fhir.search(following)
        seen += ids_of(page)
        assert len(ids_of(page, "include")) == 1
    assert len(seen) == len(set(seen)) == 3


@requirement("search.html#include")
@pytest.mark.parametrize(
    "value", ["Observation:code", "Observation:nothing", "Patiens:x", "Observation", "Observation:subject:X"]
)
def test_an_include_of_nothing_is_400(fhir: Client, value: str) -> None:
    fhir.refused("GET", "Observation", query={"_include": value}, expect=400)


# --- Compartments -----------------------------------------------------------------------------------------------------


@requirement("http.html#vsearch")
def test_compartment_search(fhir: Client, record: Record) -> None:
    path = f"{reference(record.patient)}"
    assert set(fhir.found(f"{path}/Observation")) == {record.first["id"], record.second["id"]}
    assert fhir.found(f"{path}/Observation", {"date": "2021-01-02"}) == [record.second["id"]]
    assert fhir.found(f"{path}/Encounter") == [record.visit["id"]]
    everything = set(fhir.found(f"{path}/*"))
    assert {record.first["id"], record.second["id"], record.visit["id"]} <= everything
    assert record.lone["id"] not in everything
    assert fhir.found(f"{reference(record.visit)}/Observation", {"_sort": "date"}) == [
        record.first["id"],
        record.second["id"],
    ]
    page = fhir.search(f"{path}/Observation")
    assert link(page, "self").startswith(f"{fhir.base}/{path}/Observation")


@requirement("http.html#vsearch")
def test_compartment_search_by_post(fhir: Client, record: Record) -> None:
    page = fhir.post(
        f"{reference(record.patient)}/Observation/_search",
        "date=2021-01-02",
        type="application/x-www-form-urlencoded",
    ).json()
    assert ids_of(page) == [record.second["id"]]


@requirement("http.html#vsearch")
def test_there_is_no_compartment_of_other_types(fhir: Client, record: Record) -> None:
    fhir.refused("GET", f"{reference(record.organization)}/Observation", expect=(400, 404))


@requirement("http.html#transaction")
def test_searches_inside_a_batch(fhir: Client, record: Record) -> None:
    answered = fhir.bundle(
        "batch",
        entry("GET", f"Observation?patient.identifier={SYSTEM}|{record.tag}&_include=Observation:encounter"),
        entry("GET", f"{reference(record.patient)}/Observation?date=2021-01-02"),
    )
    assert len(answered["entry"][0]["resource"]["entry"]) == 3
    assert ids_of(answered["entry"][1]["resource"]) == [record.second["id"]]
