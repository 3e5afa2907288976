"""Every planted error is found, alone, at its place; the resources it was planted in are valid.

FHIR R4 validation (https://hl7.org/fhir/R4/validation.html).
"""

from collections import Counter

import pytest

from resources.errors import Invalid
from resources.validation import check
from resources.validation.tests.planted import PLANTED, VALID, Planted
from resources.validation.walker import walk


@pytest.mark.parametrize("name", VALID)
def test_the_resources_without_a_planted_error_are_valid(name: str) -> None:
    check(VALID[name])
    assert walk(VALID[name]) == []


@pytest.mark.parametrize("row", PLANTED, ids=lambda row: f"{row.category}: {row.expression}")
def test_a_planted_error_is_the_one_issue(row: Planted) -> None:
    with pytest.raises(Invalid) as raised:
        check(row.resource())
    assert [(issue.expression, issue.code) for issue in raised.value.issues] == [(row.expression, row.code)]
    assert all(issue.text.startswith(row.expression) for issue in raised.value.issues)


def test_there_are_sixty_errors_in_seventeen_categories() -> None:
    categories = Counter(row.category for row in PLANTED)
    print(f"{len(PLANTED)} planted errors in {len(categories)} categories: {dict(categories)}")
    assert len(PLANTED) >= 60
    assert len(categories) >= 17
