"""One value out of a collection."""

import pytest

from resources.fhirpath.errors import PathExecutionError
from resources.fhirpath.node import Node
from resources.fhirpath.singletons import integer, maybe, number, one, text, truth


def test_empty_is_none() -> None:
    assert [take([]) for take in (one, truth, text, integer, number)] == [None] * 5
    assert maybe(None) == [] and maybe(0) == [0]


def test_values() -> None:
    assert truth([False]) is False and truth(["x"]) is True
    assert text([Node("1974-12", "date")]) == "1974-12"
    assert integer([3]) == 3 and number([3]) == 3


@pytest.mark.parametrize("take", [one, truth, text, integer, number])
def test_several_are_refused(take: object) -> None:
    with pytest.raises(PathExecutionError):
        take([1, 2])  # type: ignore[operator]


def test_other_types_are_refused() -> None:
    for take, value in ((text, 1), (integer, "1"), (number, True)):
        with pytest.raises(PathExecutionError):
            take([value])
