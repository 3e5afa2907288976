"""The interface: compile, evaluate, hold, and every invariant of R4."""

import contextlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from resources.definitions import Invariant, type_def, type_names
from resources.fhirpath import FhirPathError, Node, PathSemanticError, compile, evaluate
from resources.fhirpath.tests.sample import OBSERVATION, PATIENT

_WORDS = [
    "name", "given", ".first()", ".where(", ")", "use", "=", "'official'", "|", "1", " + ", "birthDate", "@1974",
          ".count()", "not()", "and", "$this", ".extension(", "is", "Patient", "(", ".", "{}", "value", "-", "[0]",
          ".toString()", ".substring(1)", "10 'mg'", " < ", "now()", ".matches(", ".descendants()", ".type()",
]  # fmt: skip


def _invariants() -> set[Invariant]:
    types = [type_def(name) for name in type_names()]
    own = {invariant for type in types for invariant in type.invariants}
    return own | {i for type in types for element in type.elements.values() for i in element.invariants}


def test_every_invariant_compiles() -> None:
    found = _invariants()
    for invariant in found:
        compile(invariant.expression)
    assert len({invariant.key for invariant in found}) > 230


def test_invariants_on_a_patient() -> None:
    own = [invariant.expression for invariant in type_def("Patient").invariants if invariant.severity == "error"]
    assert all(compile(expression).holds(PATIENT) for expression in own)


@pytest.mark.parametrize(
    ("expression", "type", "value", "holds"),
    [
        ("start.empty() or end.empty() or (start <= end)", "Period", {"start": "2013", "end": "2012"}, False),
        ("fullUrl.contains('/_history/').not()", "Bundle.entry", {}, True),
        ("extension.exists() != value.exists()", "Extension", {"url": "x", "valueString": "y"}, True),
        ("hasValue() or (children().count() > id.count())", "string", None, False),
        ("empty() or ($this = '*') or (toInteger() >= 0)", "ElementDefinition.max", "*", True),
    ],
)  # fmt: skip
def test_holds(expression: str, type: str, value: object, holds: bool) -> None:
    assert compile(expression, type).holds(value) is holds


def test_contained_and_unused() -> None:
    [dom3] = {i.expression for i in _invariants() if i.key == "dom-3"}
    assert compile(dom3).holds(PATIENT)
    assert not compile(dom3).holds({**PATIENT, "managingOrganization": {"reference": "Organization/1"}})


def test_nodes_know_their_place() -> None:
    [node] = compile("Patient.name.where(use = 'usual').given").nodes(PATIENT)
    assert isinstance(node, Node) and node.path == "Patient.name[1].given[0]"


def test_input_stays_as_it_is() -> None:
    before = repr(OBSERVATION)
    evaluate("descendants().distinct().count()", OBSERVATION)
    assert repr(OBSERVATION) == before


def test_expressions_are_cached_and_named() -> None:
    assert compile("1 + 1") is compile("1 + 1")
    assert repr(compile("1 + 1")) == "Expression('1 + 1')"


def test_long_chains_are_refused() -> None:
    with pytest.raises(PathSemanticError):
        compile("1" + " + 1" * 3000)


@settings(max_examples=300, deadline=None)
@given(st.lists(st.sampled_from(_WORDS), max_size=12).map("".join))
def test_nothing_but_its_own_errors(expression: str) -> None:
    with contextlib.suppress(FhirPathError):
        evaluate(expression, PATIENT)
