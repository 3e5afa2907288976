"""Names of parameters: chains, reverse chains, and how wrong names are answered."""

import pytest

from fhir_server.search.parameters import UnknownParameter, branches, known, reference_names, term, ways
from resources.errors import BadSearch, TooCostly
from resources.search_param.terms import Or, Post, Referred, Refers


def test_a_plain_parameter_is_compiled() -> None:
    assert isinstance(term("Patient", "gender", "male"), Post)


def test_a_typed_chain_goes_to_one_type() -> None:
    found = term("Observation", "subject:Patient.gender", "male")
    assert isinstance(found, Refers)
    assert (found.type, found.branches, found.target) == ("Observation", ("Observation.subject",), "Patient")
    assert found.term == term("Patient", "gender", "male")


def test_an_untyped_chain_goes_to_every_type_that_knows_the_parameter() -> None:
    found = term("Observation", "subject.identifier", "x")
    assert isinstance(found, Or)
    assert {part.target for part in found.terms if isinstance(part, Refers)} == {
        "Patient",
        "Group",
        "Device",
        "Location",
    }
    only = term("Observation", "subject.birthdate", "2000")
    assert isinstance(only, Refers) and only.target == "Patient"


def test_a_chain_may_be_long() -> None:
    found = term("Observation", "patient.organization.name", "x")
    assert isinstance(found, Refers) and isinstance(found.term, Refers)
    assert found.term.target == "Organization"
    with pytest.raises(BadSearch, match="more than"):
        term("Organization", ".".join(["partof"] * 20) + ".name", "x")


def test_reverse_chains_nest() -> None:
    found = term("Patient", "_has:Observation:patient:_has:Provenance:target:recorded", "2020")
    assert isinstance(found, Referred) and isinstance(found.term, Referred)
    assert (found.type, found.source, found.term.source) == ("Patient", "Observation", "Provenance")


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("nam", "did you mean 'name'"),
        ("organization.nam", "Organization has no search parameter 'nam'"),
        ("_has:Observation:patint:code", "did you mean 'patient'"),
    ],
)
def test_unknown_names_name_the_nearest(name: str, words: str) -> None:
    with pytest.raises(UnknownParameter, match=words):
        term("Patient", name, "x")


def test_references_and_their_branches() -> None:
    assert "general-practitioner" in reference_names("Patient") and "name" not in reference_names("Patient")
    assert branches("Observation", "patient") == branches("Observation", "subject")
    assert {"_id", "_lastUpdated", "code-value-quantity"} <= known("Observation")


@pytest.mark.parametrize(
    ("type", "name", "value"),
    [
        ("ActivityDefinition", "successor.based-on.subject.subject.subject.identifier", "a"),
        ("Library", "derived-from.subject.subject.identifier", "a"),
        ("Library", "derived-from.identifier", ",".join("a" * 1000)),
        ("Patient", "_has:Observation:focus:derived-from.subject.subject.identifier", "a"),
    ],
)
def test_chains_that_fork_at_every_step_are_refused_before_they_are_followed(type: str, name: str, value: str) -> None:
    with pytest.raises(TooCostly, match="Name the types"):
        term(type, name, value)


@pytest.mark.parametrize("name", ["a." * 5_000 + "name", "_has:Observation:patient:" * 5_000 + "code", "subject." * 13])
def test_chains_of_many_steps_are_refused_by_their_length(name: str) -> None:
    with pytest.raises(BadSearch, match="more than 12 steps"):
        term("Observation", name, "x")


def test_a_chain_may_fork_to_every_type() -> None:
    assert ways("Provenance", "target.identifier") > 100
    assert isinstance(term("Provenance", "target.identifier", "a"), Or)


def test_a_chain_goes_where_the_rest_leads_on() -> None:
    found = term("Observation", "subject.family", "x")
    assert isinstance(found, Refers) and found.target == "Patient"


def test_of_a_chain_that_leads_nowhere_the_missing_parameter_is_told() -> None:
    with pytest.raises(UnknownParameter, match="has no search parameter 'famly'"):
        term("Observation", "subject.famly", "x")


def test_a_reverse_chain_inside_a_chain_goes_to_the_types_that_are_referred_to() -> None:
    found = term("Observation", "subject._has:Group:member:code", "x")
    assert isinstance(found, Or)
    assert sorted(each.target for each in found.terms if isinstance(each, Refers)) == ["Device", "Group", "Patient"]
    assert isinstance(term("Observation", "subject._has:Encounter:patient:status", "finished"), Refers)
    assert ways("Observation", "subject._has:Encounter:patient:status") == 1


@pytest.mark.parametrize(
    ("type", "name"),
    [
        ("QuestionnaireResponse", "questionnaire.title"),
        ("CarePlan", "instantiates-canonical:PlanDefinition.title"),
        ("Questionnaire", "_has:QuestionnaireResponse:questionnaire:status"),
    ],
)
def test_a_canonical_is_not_followed_in_silence(type, name):
    with pytest.raises(BadSearch, match="refers by canonical URL"):
        term(type, name, "x")
