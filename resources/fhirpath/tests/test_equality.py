"""Equality and equivalence."""

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from resources.fhirpath.equality import distinct, equal, equivalent, key
from resources.fhirpath.node import Node
from resources.fhirpath.temporal import parse_literal

_VALUES = st.one_of(st.booleans(), st.integers(-5, 5), st.text(max_size=3), st.decimals(-5, 5, places=1))


def test_collections() -> None:
    assert equal([], [1]) is None
    assert equal([1, 2], [1, 2]) is True and equal([1, 2], [2, 1]) is False and equal([1], [1, 1]) is False
    assert equal([parse_literal("2012")], [parse_literal("2012-01")]) is None


def test_true_is_not_one() -> None:
    assert equal([True], [1]) is False and key(True) != key(1)


def test_elements() -> None:
    assert equal([Node({"a": Decimal("1.0")})], [Node({"a": Decimal("1.00")})]) is True
    assert equal([Node("1974-12-25", "date")], ["1974-12-25"]) is True


def test_equivalence() -> None:
    assert equivalent([1, 2, 3], [3, 2, 1]) and equivalent([], [])
    assert equivalent(["A  b"], ["a B"]) and not equivalent(["a"], ["b"])
    assert equivalent([Decimal("0.6666666")], [Decimal("0.67")])
    assert equivalent([Node({"id": "1", "x": ["a", "b"]})], [Node({"x": ["B", "A"]})])


@given(st.lists(_VALUES, max_size=8))
def test_distinct_keeps_one_of_each(values: list[object]) -> None:
    once = distinct(values)
    assert distinct(once) == once
    assert all(any(equal([value], [kept]) for kept in once) for value in values)
    assert not any(equal([a], [b]) for n, a in enumerate(once) for b in once[n + 1 :])


@given(_VALUES, _VALUES)
def test_keys_agree_with_equality(left: object, right: object) -> None:
    assert (key(left) == key(right)) == (equal([left], [right]) is True)
