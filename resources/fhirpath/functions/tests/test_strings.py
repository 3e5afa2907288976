"""Functions on strings."""

from typing import Any

import pytest

from resources.fhirpath import PathExecutionError, evaluate


@pytest.mark.parametrize(
    ("expression", "result"),
    [
        ("'abcabc'.indexOf('c')", [2]),
        ("'abcabc'.lastIndexOf('c')", [5]),
        ("'abc'.substring(1)", ["bc"]),
        ("'abc'.substring(1, 9)", ["bc"]),
        ("'abc'.substring(3)", []),
        ("'abc'.startsWith('a') and 'abc'.endsWith('c') and 'abc'.contains('')", [True]),
        ("'aB'.upper() + 'aB'.lower()", ["ABab"]),
        ("'abc'.replace('', 'x')", ["xaxbxcx"]),
        ("'a\nb'.matches('a.b')", [True]),
        ("'abc'.matchesFull('b')", [False]),
        ("'20-03'.replaceMatches('(\\\\d+)-(?<m>\\\\d+)', '${m}/$1')", ["03/20"]),
        ("'abc'.toChars()", ["a", "b", "c"]),
        ("' a '.trim()", ["a"]),
        ("'a,,b'.split(',').join('-')", ["a--b"]),
        ("{}.join(',')", []),
        ("'tä'.encode('base64').decode('base64')", ["tä"]),
        ("'t?'.encode('urlbase64') | 't'.encode('hex')", ["dD8=", "74"]),
        ("'t'.encode('rot13')", []),
        ("'<\"'.escape('html').unescape('html')", ['<"']),
        ("'a\"b'.escape('json').unescape('json')", ['a"b']),
        ("'abc'.length()", [3]),
        ("{}.contains('a')", []),
    ],
)
def test_results(expression: str, result: list[Any]) -> None:
    assert evaluate(expression, {}) == result


@pytest.mark.parametrize(
    "expression",
    ["1.length()", "'a'.matches('(')", "'zz'.decode('hex')", "'a'.matches('((a{99}){99}){99}')", "('a' | 'b').upper()"],
)
def test_refused(expression: str) -> None:
    with pytest.raises(PathExecutionError):
        evaluate(expression, {})


def test_catastrophic_patterns_end() -> None:
    pattern = "(?:(x+x+)+y|(x+x+)+z)$"
    with pytest.raises(PathExecutionError, match="too long"):
        evaluate(f"'{'x' * 4000}'.matches('{pattern}')", {})


@pytest.mark.parametrize("grow", [".replace('a', %long)", ".split('').join(%long)", ".replaceMatches('a', %long)"])
def test_growth_is_refused_before_it_happens(grow: str) -> None:
    with pytest.raises(PathExecutionError, match="characters"):
        evaluate("%long" + grow, {}, variables={"long": "a" * 500_000})
