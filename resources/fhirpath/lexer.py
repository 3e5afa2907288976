"""The words of a FHIRPath expression.

FHIRPath N1, lexical elements (http://hl7.org/fhirpath/N1/#lexical-elements).
"""

import re
from typing import NamedTuple

from resources.fhirpath.errors import PathSyntaxError

MAX_LENGTH = 20_000
"""Longest expression read, in characters (the longest of the specification has under 700)."""


class Token(NamedTuple):
    """``kind`` is name, quoted (a delimited identifier), string, number, time, variable, constant, symbol or end;
    ``text`` is the value: unescaped for strings and names, without the leading sign for the rest."""

    kind: str
    text: str
    position: int


_YEAR = r"\d{4}(?:-\d{2}(?:-\d{2})?)?"
_CLOCK = r"\d{2}(?::\d{2}(?::\d{2}(?:\.\d+)?)?)?"
_QUOTED = r"(?:[^{0}\\]|\\.)*"
_TOKEN = re.compile(
    rf"""
      (?P<space>\s+|//[^\n]*|/\*.*?\*/)
    | (?P<time>@(?:{_YEAR}(?:T(?:{_CLOCK}(?:Z|[+-]\d{{2}}:\d{{2}})?)?)?|T{_CLOCK}))
    | (?P<number>\d+(?:\.\d+)?)
    | (?P<string>'{_QUOTED.format("'")}')
    | (?P<constant>%(?:[A-Za-z_][\w]*|`{_QUOTED.format("`")}`|'{_QUOTED.format("'")}'|"{_QUOTED.format('"')}"))
    | (?P<variable>\$(?:this|index|total)\b)
    | (?P<quoted>`{_QUOTED.format("`")}`|"{_QUOTED.format('"')}")
    | (?P<name>[A-Za-z_][A-Za-z0-9_]*)
    | (?P<symbol>!=|!~|<=|>=|[-.,()\[\]{{}}+*/|&<>=~])
    """,
    re.VERBOSE | re.DOTALL,
)
_ESCAPE = re.compile(r"\\(u[0-9a-fA-F]{4}|.)", re.DOTALL)
_ESCAPES = {"'": "'", '"': '"', "`": "`", "\\": "\\", "/": "/", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}


def tokens(expression: str) -> list[Token]:
    """All tokens of ``expression``, the last of kind ``end``. Raises PathSyntaxError."""
    if len(expression) > MAX_LENGTH:
        raise PathSyntaxError(f"the expression is longer than {MAX_LENGTH} characters", MAX_LENGTH)
    found: list[Token] = []
    position = 0
    while position < len(expression):
        match = _TOKEN.match(expression, position)
        if match is None:
            raise PathSyntaxError(f"unexpected {expression[position : position + 10]!r}", position)
        kind = str(match.lastgroup)
        if kind != "space":
            found.append(Token(kind, _value(kind, match.group(), position), position))
        position = match.end()
    return [*found, Token("end", "", position)]


def _value(kind: str, text: str, position: int) -> str:
    if kind in ("string", "quoted"):
        return _unescape(text[1:-1], position)
    if kind == "constant":
        return _unescape(text[2:-1], position) if text[1] in "`'\"" else text[1:]
    return text[1:] if kind in ("time", "variable") else text


def _unescape(text: str, position: int) -> str:
    def one(match: re.Match[str]) -> str:
        code = match.group(1)
        if len(code) == 5:
            return chr(int(code[1:], 16))
        if code not in _ESCAPES:
            raise PathSyntaxError(f"unknown escape \\{code}", position)
        return _ESCAPES[code]

    return _ESCAPE.sub(one, text) if "\\" in text else text
