"""The language of ``_filter``: text to a tree of tests, with the place of each in the text.

FHIR R4 _filter (https://hl7.org/fhir/R4/search_filter.html). ``and`` and ``or`` are taken from left to right, neither
before the other, as the grammar says. Beyond it a path may name the type it goes to (``subject:Patient.name``) and
begin with ``_has:Observation:patient:``.
"""

import json
import re
from typing import NamedTuple, NoReturn

from resources.errors import BadSearch

DEPTH, TESTS, STEPS = 12, 100, 12
"""Levels of a filter, its tests, and the steps of one path."""
OPERATORS = (
    "eq", "ne", "co", "sw", "ew", "gt", "lt", "ge", "le", "ap", "sa", "eb", "pr", "po", "ss", "sb", "in", "ni", "re",
)  # fmt: skip

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")
_HAS = re.compile(r"_has:([A-Za-z]+):([A-Za-z_][A-Za-z0-9_-]*):")
_WORD = re.compile(r"[^\s()\[\]]+")
_TOKEN = re.compile(r"[^\s)\]]+")
_STRING = re.compile(r'"(?:[^"\\]|\\.)*"', re.DOTALL)
_SPACE = re.compile(r"\s*")


class Step(NamedTuple):
    """One name of a path, at character ``at`` (from 0). ``type`` is the type it goes to, '' when not named; ``source``
    that of a _has, whose parameter is ``name``; ``where`` what is asked of what it leads to."""

    name: str
    at: int
    type: str = ""
    source: str = ""
    where: "Node | None" = None


class Comparison(NamedTuple):
    """``path op value``: the value without its quotes, ``op_at`` and ``value_at`` where they stand."""

    path: tuple[Step, ...]
    op: str
    value: str
    op_at: int
    value_at: int


class Negation(NamedTuple):
    of: "Node"


class Joined(NamedTuple):
    """``parts`` under one of ``and`` and ``or``."""

    word: str
    parts: tuple["Node", ...]


Node = Comparison | Negation | Joined


def refuse(at: int, text: str) -> NoReturn:
    """Raise BadSearch for what stands at character ``at`` (from 0)."""
    raise BadSearch(f"_filter: at character {at + 1}: {text}")


def parse(text: str) -> Node:
    """The tree of a filter. Raises BadSearch that names the character."""
    parser = _Parser(text)
    node = parser.logic(0)
    if parser.at < len(text):
        parser.expected("'and', 'or' or the end")
    return node


class _Parser:
    """Reads the text once; ``at`` is the next character."""

    def __init__(self, text: str) -> None:
        self.text, self.at, self.tests = text, 0, 0
        self._skip()

    def expected(self, what: str) -> NoReturn:
        rest = self.text[self.at : self.at + 30]
        refuse(self.at, f"expected {what}, found {repr(rest) if rest else 'the end'}")

    def logic(self, depth: int) -> Node:
        """Filters joined by words; what changes from one word to the other is a level more."""
        node = self._filter(depth)
        while word := self._word("and", "or"):
            other = self._filter(depth)
            if isinstance(node, Joined) and node.word == word:
                node = Joined(word, (*node.parts, other))
            else:
                depth = self._deeper(depth)
                node = Joined(word, (node, other))
        return node

    def _filter(self, depth: int) -> Node:
        start = self.at
        negated = bool(self._word("not"))
        if self._mark("("):
            node = self.logic(self._deeper(depth))
            if not self._mark(")"):
                self.expected("')', 'and' or 'or'")
            # A group stays one: what follows it is not part of it.
            return Negation(node) if negated else Joined("and", (node,)) if isinstance(node, Joined) else node
        if negated:
            self.expected("'(' after 'not'")
        self.tests += 1
        if self.tests > TESTS:
            refuse(start, f"more than {TESTS} tests; ask in parts")
        return self._test(depth)

    def _deeper(self, depth: int) -> int:
        if depth >= DEPTH:
            refuse(self.at, f"more than {DEPTH} levels of parentheses and of changes between 'and' and 'or'")
        return depth + 1

    def _test(self, depth: int) -> Comparison:
        path = self._path(depth)
        op_at, op = self.at, self._taken(_WORD)
        if op not in OPERATORS:
            self.at = op_at
            self.expected(f"an operator ({', '.join(OPERATORS)})")
        value_at = self.at
        return Comparison(path, op, self._value(), op_at, value_at)

    def _path(self, depth: int) -> tuple[Step, ...]:
        steps = [self._step(depth)]
        while steps[-1].source or self._joins("."):
            if len(steps) >= STEPS:
                refuse(self.at, f"a path of more than {STEPS} steps")
            steps.append(self._step(depth))
        if steps[-1].where is not None:
            self.expected("'.' and a name after ']'")
        if steps[-1].type:
            self.expected("'.' and a name after a type")
        self._skip()
        return tuple(steps)

    def _step(self, depth: int) -> Step:
        start = self.at
        has = _HAS.match(self.text, start)
        if has:
            self.at = has.end()
            return Step(has[2], start, source=has[1])
        name = self._match(_NAME)
        if not name:
            self.expected("a search parameter, 'not' or '('")
        type = self._match(_NAME) if self._joins(":") else ""
        where = None
        if self._joins("["):
            self._skip()
            where = self.logic(self._deeper(depth))
            if not self._joins("]"):
                self.expected("']', 'and' or 'or'")
        return Step(name, start, type, "", where)

    def _value(self) -> str:
        if self.text[self.at : self.at + 1] != '"':
            value = self._taken(_TOKEN)
            return value or self.expected("a value")
        start, text = self.at, self._taken(_STRING)
        try:
            return str(json.loads(text, strict=False)) if text else refuse(start, "the string has no end")
        except ValueError:
            refuse(start, 'a string is written as in JSON, such as "O\\"Neil"')

    # --- pieces

    def _word(self, *words: str) -> str:
        """The next word if it is one of ``words``, taken."""
        fits = _WORD.match(self.text, self.at)
        if not fits or fits[0] not in words:
            return ""
        self.at = fits.end()
        self._skip()
        return fits[0]

    def _mark(self, mark: str) -> bool:
        """Whether ``mark`` comes next; with what is blank behind it, it is taken."""
        found = self._joins(mark)
        if found:
            self._skip()
        return found

    def _joins(self, mark: str) -> bool:
        found = self.text.startswith(mark, self.at)
        self.at += len(mark) if found else 0
        return found

    def _match(self, pattern: "re.Pattern[str]") -> str:
        fits = pattern.match(self.text, self.at)
        self.at = fits.end() if fits else self.at
        return fits[0] if fits else ""

    def _taken(self, pattern: "re.Pattern[str]") -> str:
        found = self._match(pattern)
        self._skip()
        return found

    def _skip(self) -> None:
        fits = _SPACE.match(self.text, self.at)
        self.at = fits.end() if fits else self.at
