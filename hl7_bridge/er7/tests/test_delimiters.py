"""Delimiters as real headers declare them."""

import pytest

from hl7_bridge.er7.delimiters import Delimiters, declared
from hl7_bridge.errors import Unreadable


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("MSH|^~\\&|A", Delimiters()),
        ("MSH|^~\\&#|A", Delimiters(truncation="#")),
        ("MSH|^~\\\\&|A", Delimiters()),
        ("MSH|^~\\\\&#|A", Delimiters(truncation="#")),
        ("MSH*#!$%*A", Delimiters("*", "#", "!", "$", "%")),
        ("MSH||A", Delimiters()),
        ("MSH|^|A", Delimiters()),
        ("MSH|^~|&|", Delimiters()),
        ("MSH|", Delimiters()),
        ("MSH|^~\\&\rPID|1", Delimiters()),
        ("MSH|^~\\& |A", Delimiters()),
        ("MSH|^~\\&^|A", Delimiters()),
    ],
)
def test_declared(header: str, expected: Delimiters) -> None:
    assert declared(header, "MSH") == expected


@pytest.mark.parametrize("header", ["", "PID|1", "MSH", "MSHA^~\\&", "MSH \x0b", "MSH|&&&&|", "MSH|AB\\&|", 'MSH"^'])
def test_headers_that_declare_nothing_usable(header: str) -> None:
    with pytest.raises(Unreadable):
        declared(header, "MSH")


def test_encoding_characters() -> None:
    assert Delimiters().encoding == "^~\\&"
    assert declared("MSH|^~\\&#|", "MSH").encoding == "^~\\&#"
