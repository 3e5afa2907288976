"""The quick look is sure only of what the walker accepts, and never raises."""

from concurrent.futures import ThreadPoolExecutor
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from resources.validation import quick
from resources.validation.quick import prepare, surely_valid
from resources.validation.residue import Residues
from resources.validation.tests.mutations import damaged
from resources.validation.tests.planted import PLANTED, VALID, Planted
from resources.validation.walker import walk


@pytest.fixture(autouse=True)
def room(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only so many types are looked at quickly in one process, and other tests had theirs."""
    monkeypatch.setattr(quick, "_looks", {})


@pytest.mark.parametrize("name", [name for name in VALID if name not in ("media", "patient", "request")])
def test_it_is_sure_of_common_resources(name: str) -> None:
    assert surely_valid(VALID[name])


def test_it_is_sure_of_a_resource_with_contained_ones() -> None:
    request = VALID["request"]
    assert surely_valid(request)
    assert not surely_valid(request | {"medicationReference": {"reference": "#other"}})
    assert not surely_valid(request | {"contained": []})


@pytest.mark.parametrize("row", PLANTED, ids=lambda row: f"{row.category}: {row.expression}")
def test_it_is_never_sure_of_a_planted_error(row: Planted) -> None:
    assert not surely_valid(row.resource())


@given(st.sampled_from(sorted(VALID)), st.integers(0, 2**32), st.integers(1, 3))
@settings(max_examples=400, deadline=None)
def test_it_agrees_with_the_walker_on_damaged_resources(name: str, seed: int, times: int) -> None:
    resource = damaged(VALID[name], Random(seed), times)
    issues = walk(resource)
    assert not (surely_valid(resource) and issues)


_LEAVES = st.none() | st.booleans() | st.integers() | st.text(max_size=9)
_NAMES = st.sampled_from(["resourceType", "contained", "id", "entry", "x"])


@given(st.recursive(_LEAVES, lambda below: st.lists(below, max_size=3) | st.dictionaries(_NAMES, below), max_leaves=6))
@settings(max_examples=50, deadline=None)
def test_it_never_raises(value: object) -> None:
    assert not surely_valid(value)


def test_without_the_compiled_schemas_nothing_is_sure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(quick, "jsonschema_rs", None)
    prepare()
    assert not surely_valid(VALID["patient"])


def test_types_beyond_the_limit_are_left_to_the_walker(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(quick, "_looks", {})
    monkeypatch.setattr(quick, "MOST_TYPES", 1)
    monkeypatch.setattr(quick, "TOGETHER", ())
    assert surely_valid(VALID["encounter"])
    assert not surely_valid(VALID["observation"])


def test_types_compiled_together_are_told_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(quick, "_looks", {})
    prepare()
    compiled = {fits.__self__ for fits, _ in quick._looks.values()}
    assert set(quick._looks) == set(quick.TOGETHER[0])
    assert len(compiled) == 1
    assert surely_valid(VALID["encounter"])
    assert surely_valid(VALID["observation"])
    assert not surely_valid(VALID["encounter"] | {"resourceType": "Observation"})
    assert not surely_valid(VALID["observation"] | {"resourceType": "Encounter"})


def test_threads_that_come_first_together_all_see_every_rule(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(quick, "_looks", {})
    monkeypatch.setattr(quick, "_residues", Residues(quick._valid))
    broken = VALID["encounter"] | {"period": {"start": "2021", "end": "2020"}}
    with ThreadPoolExecutor(8) as pool:
        assert not any(pool.map(surely_valid, [broken] * 64))
