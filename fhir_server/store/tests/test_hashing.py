"""Hashes: stable, keyed, different for different keys."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fhir_server.store.hashing import Hasher
from resources.search_param.terms import Key

KEYS = st.builds(Key, *[st.text(max_size=6)] * 4)
HASHER = Hasher(b"0" * 16)
HASH = 2922620640983362633


@given(st.integers(0, 3), KEYS, st.integers(0, 3), KEYS)
def test_different_keys_have_different_hashes(t1: int, a: Key, t2: int, b: Key) -> None:
    assert (HASHER.h(t1, a) == HASHER.h(t2, b)) == ((t1, a) == (t2, b))
    assert HASHER.h(t1, a) == HASHER.fresh(t1, a)
    assert -(2**63) <= HASHER.h(t1, a) < 2**63


def test_the_secret_matters_and_must_be_one() -> None:
    assert Hasher(b"1" * 16).h(0, Key("a", "b", "c", "d")) != HASHER.h(0, Key("a", "b", "c", "d"))
    with pytest.raises(ValueError, match="16 to 64"):
        Hasher(b"short")


def test_lock_keys_differ_by_part() -> None:
    assert HASHER.lock(0, "ab", "c") != HASHER.lock(0, "a", "bc")
    assert HASHER.lock(0, "a") != HASHER.lock(1, "a")


def test_a_hash_is_forever() -> None:
    """Stored rows are found by it: a change of this number is a reindex of every store."""
    assert Hasher(b"k" * 32).h(0, Key("Observation", "Observation.code", "s|c", "http://loinc.org|8480-6")) == HASH
