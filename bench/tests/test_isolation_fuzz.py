"""The restricted answers of random searches are those of a server that never had the rest, on both databases."""

import os

import pytest

from bench.bar import Profile
from bench.isolation_fuzz import CALLERS, GRANULAR, differences
from bench.isolation_record import Oracle, record


@pytest.mark.parametrize("dialect", ["sqlite", "postgresql"])
def test_restricted_answers_are_those_of_a_server_without_the_rest(dialect: str) -> None:
    server = os.environ.get("HEARTH_TEST_POSTGRESQL", "")
    if dialect == "postgresql" and not server:
        pytest.skip("PostgreSQL could not be had")
    assert differences(Profile("test", 1.0, server), dialect, tuple(CALLERS), 300) == []
    assert differences(Profile("test", 1.0, server), dialect, GRANULAR, 100) == []


@pytest.mark.parametrize("name", CALLERS)
def test_the_oracle_shows_a_part(name: str) -> None:
    resources = record(7)
    assert 0 < len(Oracle(resources, CALLERS[name]).visible()) < len(resources)
