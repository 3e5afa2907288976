"""Syntax trees: precedence, and errors for everything else."""

import contextlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from resources.fhirpath.errors import PathSyntaxError
from resources.fhirpath.parser import Binary, Call, Index, Literal, Member, Sign, TypeTest, Variable, parse

_PIECES = [
    "name", ".", "(", ")", "[", "]", "{", "}", "'a'", "1", "1.5", "@2015", "and", "is", "as", "in", "contains",
           "div", "+", "-", "|", "=", "!~", "$this", "%ucum", ",", "days", "`x`", " ", "where", "\\", "@T25",
]  # fmt: skip


def test_precedence() -> None:
    one, two, three = Literal((1,)), Literal((2,)), Literal((3,))
    assert parse("1 + 2 * 3") == Binary("+", one, Binary("*", two, three))
    assert parse("1 = 2 | 3") == Binary("=", one, Binary("|", two, three))
    assert parse("1 - 2 - 3") == Binary("-", Binary("-", one, two), three)
    assert parse("-1.abs()") == Sign("-", Call(one, "abs", ()))
    assert parse("a is b and c") == Binary("and", TypeTest("is", Member(None, "a"), "b"), Member(None, "c"))


def test_paths() -> None:
    assert parse("a.b[0].c($this, d)") == Call(
        Index(Member(Member(None, "a"), "b"), Literal((0,))), "c", (Variable("this"), Member(None, "d"))
    )
    assert parse("x as FHIR.code") == TypeTest("as", Member(None, "x"), "FHIR.code")


def test_words_of_operators_are_names_where_a_name_is_needed() -> None:
    assert parse("contains.is") == Member(Member(None, "contains"), "is")
    assert parse("repeat(contains)") == Call(None, "repeat", (Member(None, "contains"),))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "2 +",
        "2 /* open",
        "a.",
        "(a",
        "a)",
        "a..b",
        "f(,)",
        "1 2",
        "a is",
        "{1}",
        "@2015-13-01",
        "@2015-02-30",
        "a[",
        "1" * 200,
    ],
)
def test_refused(text: str) -> None:
    with pytest.raises(PathSyntaxError):
        parse(text)


@pytest.mark.parametrize("text", ["(" * 5000, "-" * 5000 + "1", "a[" * 3000, "f(" * 3000])
def test_endless_nesting_is_refused(text: str) -> None:
    with pytest.raises(PathSyntaxError):
        parse(text)


@settings(max_examples=300, deadline=None)
@given(st.one_of(st.text(max_size=40), st.lists(st.sampled_from(_PIECES), max_size=25).map("".join)))
def test_any_text_parses_or_is_refused(text: str) -> None:
    with contextlib.suppress(PathSyntaxError):
        parse(text)
