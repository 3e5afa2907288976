"""Counts remembered for a while."""

import pytest

from fhir_server.search import sizes
from fhir_server.search.sizes import Sizes, every
from fhir_server.store.search_sets import Interval, Text

SMITH = Text((1, 2), "smith", "prefix")
JUNE = Interval((7,), 10, 20, 10, 20)
JULY = Interval((7,), 20, 30, 20, 30)


def test_a_count_is_known_to_its_tenant_for_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    known = Sizes(100)
    known.learn(0, SMITH, 12)
    assert known.known(0, SMITH) == 12
    assert known.known(1, SMITH) is None and known.known(0, Text((1, 2), "smit", "prefix")) is None
    monkeypatch.setattr(sizes, "LASTING", 0.0)
    assert known.known(0, SMITH) is None


@pytest.mark.parametrize(("length", "bound"), [(99, 99), (100, None)])
def test_a_short_list_bounds_all_intervals_on_it(length: int, bound: int | None) -> None:
    known = Sizes(100)
    known.learn(0, every(JUNE), length)
    assert known.known(0, JULY) == bound
    known.learn(0, JULY, 3)
    assert known.known(0, JULY) == 3


def test_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sizes, "MOST", 2)
    known = Sizes(100)
    for n in range(3):
        known.learn(0, Interval((n,), 0, 1, 0, 1), n)
    assert known.known(0, Interval((2,), 0, 1, 0, 1)) == 2 and known.known(0, Interval((0,), 0, 1, 0, 1)) is None
