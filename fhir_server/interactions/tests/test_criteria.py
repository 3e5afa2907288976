"""Criteria of conditional interactions."""

import pytest

from fhir_server.interactions.criteria import criteria_text, search_pairs
from resources.errors import PreconditionFailed


def test_parameters_of_the_answer_do_not_select() -> None:
    query = (("identifier", "a|b c"), ("_format", "xml"), ("_pretty", "true"))
    assert criteria_text(query) == "identifier=a%7Cb+c"
    assert search_pairs(query) == (("identifier", "a|b c"),)


@pytest.mark.parametrize("query", [(), (("_format", "json"),), (("identifier", ""),)])
def test_nothing_selects(query: tuple[tuple[str, str], ...]) -> None:
    with pytest.raises(PreconditionFailed):
        criteria_text(query)
