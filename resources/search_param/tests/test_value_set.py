"""What :in, :not-in, :above and :below compile to, and what they are refused for."""

import pytest

from resources.errors import BadSearch, TooCostly
from resources.search_param import compile_param
from resources.search_param.terms import Coded, Not, Or, Refers
from resources.search_param.value_set import asks_for_codes

URL = "http://example.org/vs"


def test_a_concept_and_a_code() -> None:
    found = compile_param("Observation", "code", "in", f"{URL}\\|1")
    assert found == Coded("Observation", "Observation.code", "s|c", "in", f"{URL}|1")
    found = compile_param("Observation", "status", "below", "urn:x|final")
    assert isinstance(found, Coded) and found.form == "c" and found.binding


def test_alternatives_and_branches_are_an_or() -> None:
    found = compile_param("Observation", "combo-code", "in", f"{URL},ValueSet/1")
    assert isinstance(found, Or) and len(found.terms) == 4
    assert isinstance(compile_param("Observation", "code", "not-in", URL), Not)


REFUSED = [("code", "in", "vs"), ("code", "in", "Patient/1"), ("code", "above", "code"), ("code", "below", "s|")]
REFUSED += [("identifier", "in", URL), ("value-string", "in", URL), ("code", "inside", URL), ("subject", "in", URL)]


@pytest.mark.parametrize(("name", "modifier", "value"), REFUSED)
def test_what_is_refused(name: str, modifier: str, value: str) -> None:
    with pytest.raises(BadSearch):
        compile_param("Observation", name, modifier, value)


def test_too_many_sets() -> None:
    with pytest.raises(TooCostly, match="at most 50"):
        compile_param("Observation", "code", "not-in", ",".join(f"{URL}{n}" for n in range(51)))


def test_no_document_can_be_asked() -> None:
    inner = compile_param("Observation", "code", "not-in", URL)
    assert asks_for_codes(inner) and asks_for_codes(Refers("A", ("b",), "Observation", inner))
    assert not asks_for_codes(compile_param("Observation", "code", "", "x"))
