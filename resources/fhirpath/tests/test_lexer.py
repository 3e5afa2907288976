"""Words of expressions."""

import pytest

from resources.fhirpath.errors import PathSyntaxError
from resources.fhirpath.lexer import MAX_LENGTH, tokens


def _words(text: str) -> list[tuple[str, str]]:
    return [(token.kind, token.text) for token in tokens(text)[:-1]]


def test_kinds() -> None:
    assert _words("name.`a b` 'x' %ucum $this 1.5 @2015-02 != // end") == [
        ("name", "name"), ("symbol", "."), ("quoted", "a b"), ("string", "x"), ("constant", "ucum"),
        ("variable", "this"), ("number", "1.5"), ("time", "2015-02"), ("symbol", "!="),
    ]  # fmt: skip


def test_escapes() -> None:
    assert _words(r"'\'\\\/\f\r\n\t\"\`\u002a'") == [("string", "'\\/\f\r\n\t\"`*")]
    assert _words("%`vs-a b`") == [("constant", "vs-a b")]


def test_comments_are_skipped() -> None:
    assert _words("1 /* two\nlines */ + // rest\n2") == [("number", "1"), ("symbol", "+"), ("number", "2")]


@pytest.mark.parametrize("text", ["'open", "#", r"'\q'", "a" * (MAX_LENGTH + 1), "@x"])
def test_refused(text: str) -> None:
    with pytest.raises(PathSyntaxError):
        tokens(text)


def test_position_is_told() -> None:
    with pytest.raises(PathSyntaxError) as error:
        tokens("name.#")
    assert error.value.position == 5 and "character 6" in str(error.value)
