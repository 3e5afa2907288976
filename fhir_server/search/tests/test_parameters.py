"""Names of parameters: chains, reverse chains, and how wrong names are answered."""

import pytest

from fhir_server.search.parameters import UnknownParameter, branches, known, reference_names, term
from resources.errors import BadSearch
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
