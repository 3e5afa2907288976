import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from resources import definitions
from resources.errors import BadSearch
from resources.search_param import compile_param, extract
from resources.search_param.compile import find
from resources.search_param.parameters import composites, parameters
from resources.search_param.tests.naive import matches
from resources.search_param.value_set import asks_for_codes


def test_an_unknown_parameter_names_the_nearest():
    with pytest.raises(BadSearch, match="did you mean 'birthdate'"):
        compile_param("Patient", "birthdat", "", "2020")
    with pytest.raises(BadSearch, match="known are"):
        compile_param("Patient", "zzz", "", "2020")


def test_full_text_has_no_values_to_sort_or_filter_by():
    with pytest.raises(BadSearch, match="'_text' of Location reads no element"):
        find("Location", "_text")


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
    assert unserved == set()
    assert all(p.branches for type in definitions.RESOURCE_TYPES for p in parameters(type).values())


VALUES = {
    "special": "52.5|13.4|5|km",
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


PIECES = [
    "ge",
    "ap",
    "2020",
    "-01",
    "T10:00",
    "+99:99",
    "Z",
    "|",
    "$",
    ",",
    "\\",
    "1e999",
    "-5",
    ".",
    "é",
    "\x00",
    "Patient/",
    "x",
]
NAMES = [
    ("Observation", "code"),
    ("Observation", "date"),
    ("Observation", "value-quantity"),
    ("Observation", "subject"),
    ("Observation", "code-value-quantity"),
    ("Observation", "combo-code-value-concept"),
    ("Observation", "value-string"),
    ("Observation", "code-value-date"),
    ("Patient", "identifier"),
    ("Patient", "_lastUpdated"),
    ("Patient", "_id"),
    ("Patient", "deceased"),
    ("ValueSet", "url"),
    ("RiskAssessment", "probability"),
    ("Patient", "address-use"),
    ("MolecularSequence", "chromosome-variant-coordinate"),
    ("DocumentReference", "relationship"),
]
MODIFIERS = [
    "",
    "",
    "",
    "not",
    "text",
    "of-type",
    "identifier",
    "missing",
    "exact",
    "contains",
    "above",
    "below",
    "Patient",
]


@settings(max_examples=400)
@given(st.sampled_from(NAMES), st.sampled_from(MODIFIERS), st.lists(st.sampled_from(PIECES), max_size=6).map("".join))
def test_any_text_is_a_term_or_is_refused(name, modifier, value):
    try:
        term = compile_param(*name, modifier, value)
    except BadSearch as refused:
        assert name[1] in str(refused)
    else:
        assert hash(term) is not None
        if not name[1].startswith("_") and not asks_for_codes(term):  # those are answered by the row and the store
            assert isinstance(matches(extract({"resourceType": name[0]}), term), bool)


@pytest.mark.parametrize("value", ["a\x00", "\ud800"])
def test_what_no_database_takes_is_refused(value):
    with pytest.raises(BadSearch, match="family"):
        compile_param("Patient", "family", "", value)
