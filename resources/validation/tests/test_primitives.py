"""The formats of primitive values."""

from decimal import Decimal
from typing import Any

import pytest

from resources.definitions import type_def, type_names
from resources.validation.primitives import flaw, shown

GOOD: list[tuple[str, list[Any]]] = [
    ("base64Binary", ["aGVsbG8=", "aGVs\nbG8=", "AAAA"]),
    ("boolean", [True, False]),
    ("code", ["a", "a b", "text/plain"]),
    ("date", ["2020", "2020-02", "2020-02-29", "2000-02-29", "0001-01-01"]),
    ("dateTime", ["2020", "2020-12-31T23:59:60Z", "2020-01-01T00:00:00.123+14:00"]),
    ("decimal", [1, Decimal("1.00"), Decimal("-1E+2"), 0]),
    ("id", ["a", "A-1.b", "x" * 64]),
    ("instant", ["2020-01-01T00:00:00Z", "2020-01-01T00:00:00.1-05:30"]),
    ("integer", [0, -1, 2**31 - 1, -(2**31)]),
    ("markdown", ["# x\n\ny"]),
    ("oid", ["urn:oid:1.2.840"]),
    ("positiveInt", [1]),
    ("string", ["x", " x ", "\u00a0x", "ü"]),
    ("time", ["00:00:00", "23:59:59.999"]),
    ("unsignedInt", [0]),
    ("uri", ["urn:x", "http://x.org/a|1", "#a", "a/b"]),
    ("uuid", ["urn:uuid:c757873d-ec9a-4326-a141-556f43239520"]),
]
BAD: list[tuple[str, list[Any]]] = [
    ("base64Binary", ["", " ", "AAA", "A===", "%%%%", 1, "AAAA=AAA"]),
    ("boolean", ["true", 1, 0, None]),
    ("code", ["", " a", "a ", "a  b", "a\u0001", 1, None, "a\n\nb"]),
    (
        "date",
        ["0000", "20", "2020-1", "2020-13", "2019-02-29", "1900-02-29", "2020-06-31", "2020-01-01T00:00:00Z", 2020],
    ),
    ("dateTime", ["2020-01-01T10:00Z", "2020-01-01T10:00:00", "2020-01-01 10:00:00Z", "2020-01-01T24:00:00Z"]),
    ("decimal", ["1.0", True, Decimal("NaN"), float("inf"), None]),
    ("id", ["", "a b", "x" * 65, "a_b", "a\n"]),
    ("instant", ["2020", "2020-01-01", "2020-02-30T00:00:00Z"]),
    ("integer", [2**31, Decimal("1.0"), Decimal("1E+2"), "1", True, None]),
    ("oid", ["1.2.3", "urn:oid:3.1"]),
    ("positiveInt", [0]),
    ("string", ["", " ", "\n\t", "a\u0000b", 1, None, "x" * (1024 * 1024 + 1)]),
    ("time", ["24:00:00", "10:00", "10:00:00Z"]),
    ("unsignedInt", [-1]),
    ("uri", ["", "a b", " x", "x\n", 1]),
    ("uuid", ["urn:uuid:C757873D-EC9A-4326-A141-556F43239520", "c757873d-ec9a-4326-a141-556f43239520"]),
]


@pytest.mark.parametrize(("name", "values"), GOOD)
def test_good_values(name: str, values: list[Any]) -> None:
    assert [flaw(name, value) for value in values] == [""] * len(values)


@pytest.mark.parametrize(("name", "values"), BAD)
def test_bad_values_say_what_is_expected(name: str, values: list[Any]) -> None:
    assert [value for value in values if not flaw(name, value)] == []


def test_every_primitive_type_has_a_check() -> None:
    for name in type_names():
        if type_def(name).kind == "primitive" and name != "xhtml":
            assert flaw(name, [])


def test_hostile_text_takes_linear_time() -> None:
    assert flaw("base64Binary", "A " * 500_000 + "%")
    assert flaw("code", "a " * 500_000)
    assert flaw("oid", "urn:oid:1" + ".1" * 500_000 + "x")


def test_values_are_shown_short() -> None:
    assert shown("x") == "'x'"
    assert shown(None) == "null"
    assert shown({}) == "an object"
    assert shown("y" * 100) == "'" + "y" * 55 + "...'"
