"""What the patch formats share."""

import pytest

from resources.errors import BusinessRule, TooCostly
from resources.patch.document import Place, Stopwatch, copied, same_type, size


def test_copies_share_nothing() -> None:
    value = {"a": [{"b": 1}]}
    other = copied(value)
    other["a"][0]["b"] = 2
    assert value == {"a": [{"b": 1}]} and size(value) == 4


def test_errors_name_the_operation() -> None:
    error = Place(3, "add", "/name", "Parameters.parameter[2]").refused("it is full")
    assert error.issues[0].text == "Operation 3 (add) at '/name': it is full"
    assert error.issues[0].expression == "Parameters.parameter[2]" and error.status == 422
    assert Place(1, "", "").malformed("no op").status == 400


def test_the_type_stays() -> None:
    assert same_type({"resourceType": "Patient"}, {"resourceType": "Patient", "id": "1"})["id"] == "1"
    for after in ({"resourceType": "Person"}, {}, [], None):
        with pytest.raises(BusinessRule):
            same_type({"resourceType": "Patient"}, after)


def test_stopwatch() -> None:
    watch = Stopwatch()
    watch.check()
    watch.deadline -= 1000
    with pytest.raises(TooCostly):
        watch.check()
