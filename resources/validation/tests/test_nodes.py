"""How rules read a node."""

import pytest

from resources.validation.nodes import children, choice, coded, count, descendants, distinct, has, has_any, in_order


def test_presence() -> None:
    node = {"a": 1, "_b": {}, "valueString": "x", "valueset": 1}
    assert has(node, "a")
    assert has(node, "b")
    assert not has(node, "c")
    assert has_any(node, "c", "b")
    assert count(node, "a", "b", "c") == 2
    assert choice(node, "value")
    assert not choice({"valueset": 1}, "value")
    assert choice({"_valueCode": {}}, "value")


def test_children_and_descendants() -> None:
    node = {"a": [{"b": [1, 2]}, {"b": [3]}, 4], "c": {"d": {"e": 1}}}
    assert children(node, "a", "b") == [1, 2, 3]
    assert children(node, "x", "y") == []
    assert len(list(descendants(node))) == 4


def test_distinct_tells_types_apart() -> None:
    assert distinct([1, "1", None])
    assert not distinct([{"a": 1}, {"a": 1}])


def test_coded() -> None:
    node = {"code": {"coding": [{"system": "s", "code": "a"}]}}
    assert coded(node, "code", "s", "b", "a")
    assert not coded(node, "code", "t", "a")


@pytest.mark.parametrize(
    ("first", "second", "holds"),
    [
        ("2020-01-01", "2020-01-01", True),
        ("2020-01-02", "2020-01-01", False),
        ("2020", "2019-12", False),
        ("2020-01-01T10:00:00Z", "2020-01-01", True),
        ("2020-01-01T10:00:00+01:00", "2020-01-01T09:30:00Z", True),
        ("2020-01-01T10:00:00+01:00", "2020-01-01T08:30:00Z", False),
        ("2020-01-01T10:00:00.500Z", "2020-01-01T10:00:00Z", False),
        ("2020-01-01T10:00:00Z", "2020-01-01T10:00:00.001Z", True),
        ("2016-12-31T23:59:60Z", "2017-01-01T00:00:00+00:00", True),
        ("2020-02", "2020-01-31T23:00:00-05:00", True),
        ("2020", "2020-03", True),
        ("2020-03", "2020", True),
        ("nonsense", "2020-01-01T00:00:00Z", True),
        (None, "2020", True),
        ("9999-12-31T23:59:60Z", "2020-01-01T00:00:00.0Z", True),
    ],
)
def test_in_order(first: object, second: object, holds: bool) -> None:
    assert in_order(first, second) is holds
