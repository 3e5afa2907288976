"""Which references :above and :below follow."""

import pytest

from resources.errors import BadSearch
from resources.search_param import compile_param
from resources.search_param.hierarchy import HIERARCHIES
from resources.search_param.parameters import parameters
from resources.search_param.terms import Within


def test_each_row_names_a_parameter_that_refers_to_its_own_type() -> None:
    assert all(type in parameters(type)[name].targets for type, name in HIERARCHIES.items())


def test_the_term() -> None:
    found = compile_param("Encounter", "location", "below", "Location/1")
    assert found == Within("Encounter", "Encounter.location.location", "Location", "1", "below")


def test_what_has_no_hierarchy() -> None:
    with pytest.raises(BadSearch):
        compile_param("Encounter", "subject", "above", "Patient/1")
