import pytest

from resources import definitions
from resources.errors import BadSearch
from resources.search_param import chain_branches, compile_param
from resources.search_param.parameters import composites, parameters


def test_an_unknown_parameter_names_the_nearest():
    with pytest.raises(BadSearch, match="did you mean 'birthdate'"):
        compile_param("Patient", "birthdat", "", "2020")
    with pytest.raises(BadSearch, match="known are"):
        compile_param("Patient", "zzz", "", "2020")


def test_a_known_one_without_support_says_so():
    with pytest.raises(BadSearch, match="not supported by this server"):
        compile_param("Location", "near", "", "1")


def test_a_wrong_modifier_names_those_it_takes():
    with pytest.raises(BadSearch, match=":missing, :contains, :exact"):
        compile_param("Patient", "family", "of-type", "x")


def test_all_parameters_with_an_expression_are_served():
    unserved = {
        (type, row.code)
        for type in definitions.RESOURCE_TYPES
        for row in definitions.search_params(type).values()
        if row.expression and row.code not in parameters(type) and row.code not in composites(type)
    }
    assert unserved == {("Location", "near")}
    assert all(p.branches for type in definitions.RESOURCE_TYPES for p in parameters(type).values())


VALUES = {
    "date": "ge2020",
    "number": "1",
    "quantity": "1||mg",
    "reference": "x1",
    "string": "a",
    "token": "true",
    "uri": "urn:a",
}


@pytest.mark.parametrize("type", sorted(definitions.RESOURCE_TYPES))
def test_every_parameter_compiles(type):
    for parameter in parameters(type).values():
        assert hash(compile_param(type, parameter.code, "", VALUES[parameter.kind])) is not None
    for code, places in composites(type).items():
        assert compile_param(type, code, "", "$".join(VALUES[part.kind] for part in places[0].parts))


def test_chain_branches():
    assert chain_branches("Observation", "patient") == (("Observation.subject",), ("Patient",))
    assert chain_branches("Observation", "subject", "Group") == (("Observation.subject",), ("Group",))
    with pytest.raises(BadSearch, match="needs a reference"):
        chain_branches("Observation", "code")
    with pytest.raises(BadSearch, match="does not refer to 'Medication'"):
        chain_branches("Observation", "subject", "Medication")
