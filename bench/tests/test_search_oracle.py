"""A few hundred queries of the oracle against the engine, on SQLite."""

from bench.bar import Profile
from bench.isolation_fuzz import stores
from bench.search_oracle.bar import Trial, collection


def test_the_engine_finds_what_the_oracle_finds() -> None:
    with stores(Profile("ci", 0.05, ""), "sqlite", 1) as [store]:
        trial = Trial(store, collection(2, 250), 11)
        assert trial.differences(400) == []
        assert trial.matched > 200
