"""resources.paging over a real record: each match once, of the compartment asked for, page after page as wanted."""

from itertools import islice
from typing import Any

import pytest

from fhir_server.repository import BoundRepository
from resources.paging import every, pages
from resources.repository import Put, SearchRequest

FEW = (("_count", "2"),)


@pytest.fixture
def basics(repository: BoundRepository) -> BoundRepository:
    patients = [Put({"resourceType": "Patient"}, "Patient", id) for id in ("ann", "bob")]
    made = [Put(_basic("ann" if n < 7 else "bob"), "Basic", f"b{n}") for n in range(9)]
    repository.commit([*patients, *made])
    return repository


def _basic(whose: str) -> dict[str, Any]:
    return {"resourceType": "Basic", "code": {"text": "x"}, "subject": {"reference": f"Patient/{whose}"}}


def test_each_match_is_met_once(basics: BoundRepository) -> None:
    assert sorted(one.id for one in every(basics, SearchRequest("Basic", FEW))) == [f"b{n}" for n in range(9)]


def test_following_pages_stay_in_the_compartment(basics: BoundRepository) -> None:
    request = SearchRequest("Basic", FEW, ("Patient", "ann"))
    assert [len(page.hits) for page in pages(basics, request)] == [2, 2, 2, 1]
    assert {one.id for one in every(basics, request)} == {f"b{n}" for n in range(7)}


def test_included_resources_are_no_matches(basics: BoundRepository) -> None:
    asked = SearchRequest("Basic", (*FEW, ("subject", "Patient/ann"), ("_include", "Basic:subject")))
    assert {one.type for one in every(basics, asked)} == {"Basic"}


def test_pages_are_read_when_they_are_wanted(basics: BoundRepository, noted: list[object]) -> None:
    noted.clear()
    assert len(list(islice(every(basics, SearchRequest("Basic", FEW)), 3))) == 3
    assert len(noted) == 2
