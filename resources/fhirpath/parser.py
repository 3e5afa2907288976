"""FHIRPath text to a syntax tree: a precedence-climbing parser.

FHIRPath N1, grammar and operator precedence (http://hl7.org/fhirpath/N1/#grammar, #operator-precedence).
"""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from resources.fhirpath.errors import PathSyntaxError
from resources.fhirpath.lexer import Token, tokens
from resources.fhirpath.quantity import CALENDAR_UNITS, Quantity
from resources.fhirpath.temporal import parse_literal

MAX_DEPTH = 60
"""Deepest nesting of brackets, arguments and signs; deeper expressions are refused."""
MAX_DIGITS = 100
"""Longest number in characters."""


@dataclass(frozen=True, slots=True)
class Literal:
    """A constant; ``items`` is the collection it stands for (empty for ``{}``)."""

    items: tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Variable:
    """``$this``, ``$index`` or ``$total`` (``name`` without the sign)."""

    name: str


@dataclass(frozen=True, slots=True)
class Constant:
    """``%name``, given by the environment."""

    name: str


@dataclass(frozen=True, slots=True)
class Member:
    """``base.name``; ``base`` is None at the start of an expression."""

    base: "Syntax | None"
    name: str


@dataclass(frozen=True, slots=True)
class Call:
    """``base.name(arguments)``; ``base`` is None at the start of an expression."""

    base: "Syntax | None"
    name: str
    arguments: tuple["Syntax", ...]


@dataclass(frozen=True, slots=True)
class Index:
    """``base[index]``."""

    base: "Syntax"
    index: "Syntax"


@dataclass(frozen=True, slots=True)
class Sign:
    """``+operand`` or ``-operand``."""

    symbol: str
    operand: "Syntax"


@dataclass(frozen=True, slots=True)
class Binary:
    """``left operator right``."""

    operator: str
    left: "Syntax"
    right: "Syntax"


@dataclass(frozen=True, slots=True)
class TypeTest:
    """``operand is type`` or ``operand as type``; ``type`` may be qualified (``FHIR.Patient``)."""

    operator: str
    operand: "Syntax"
    type: str


Syntax = Literal | Variable | Constant | Member | Call | Index | Sign | Binary | TypeTest

_BINDING = {
    "implies": 1, "or": 2, "xor": 2, "and": 3, "in": 4, "contains": 4, "=": 5, "~": 5, "!=": 5, "!~": 5,
    "<": 6, ">": 6, "<=": 6, ">=": 6, "|": 7, "is": 8, "as": 8, "+": 9, "-": 9, "&": 9,
    "*": 10, "/": 10, "div": 10, "mod": 10,
}  # fmt: skip
_SIGN_BINDING = 11
_SYMBOL_KINDS = ("symbol", "name")


def parse(expression: str) -> Syntax:
    """The syntax tree of ``expression``. Raises PathSyntaxError, and nothing else, for any text."""
    parser = _Parser(tokens(expression))
    tree = parser.expression(0)
    parser.expect("end", "")
    return tree


class _Parser:
    def __init__(self, found: list[Token]) -> None:
        self.tokens = found
        self.at = 0
        self.depth = 0

    @property
    def token(self) -> Token:
        return self.tokens[self.at]

    def advance(self) -> Token:
        token = self.tokens[self.at]
        self.at += token.kind != "end"
        return token

    def is_symbol(self, text: str) -> bool:
        return self.token.kind == "symbol" and self.token.text == text

    def accept(self, text: str) -> bool:
        found = self.is_symbol(text)
        self.at += found
        return found

    def expect(self, kind: str, text: str) -> None:
        if self.token.kind != kind or self.token.text != text:
            raise self.unexpected(f"expected {text!r}" if text else "expected the end", self.token)
        self.at += 1

    def unexpected(self, why: str, token: Token) -> PathSyntaxError:
        return PathSyntaxError(f"{why}, found {token.text or 'the end'!r}", token.position)

    def expression(self, binding: int) -> Syntax:
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise PathSyntaxError(f"nested deeper than {MAX_DEPTH} levels", self.token.position)
        left = self.operators(self.postfix(self.prefix()), binding)
        self.depth -= 1
        return left

    def operators(self, left: Syntax, binding: int) -> Syntax:
        while self.token.kind in _SYMBOL_KINDS and _BINDING.get(self.token.text, 0) > binding:
            operator = self.advance().text
            if operator in ("is", "as"):
                left = TypeTest(operator, left, self.type_name())
            else:
                left = Binary(operator, left, self.expression(_BINDING[operator]))
        return left

    def prefix(self) -> Syntax:
        token = self.advance()
        if token.kind == "symbol" and token.text in _PREFIX:
            return _PREFIX[token.text](self, token)
        if token.kind in _TERMS:
            return _TERMS[token.kind](self, token)
        raise self.unexpected("expected a term", token)

    def signed(self, token: Token) -> Syntax:
        return Sign(token.text, self.expression(_SIGN_BINDING))

    def parenthesis(self, _: Token) -> Syntax:
        inner = self.expression(0)
        self.expect("symbol", ")")
        return inner

    def empty(self, _: Token) -> Syntax:
        self.expect("symbol", "}")
        return Literal(())

    def number(self, token: Token) -> Syntax:
        if len(token.text) > MAX_DIGITS:
            raise PathSyntaxError(f"a number has at most {MAX_DIGITS} digits", token.position)
        value = Decimal(token.text) if "." in token.text else int(token.text)
        unit = self.token
        if unit.kind == "string":
            self.at += 1
            return Literal((Quantity(Decimal(value), unit.text),))
        if unit.kind == "name" and unit.text in CALENDAR_UNITS:
            self.at += 1
            return Literal((Quantity(Decimal(value), unit.text, calendar=True),))
        return Literal((value,))

    def string(self, token: Token) -> Syntax:
        return Literal((token.text,))

    def time(self, token: Token) -> Syntax:
        value = parse_literal(token.text)
        if value is None:
            raise PathSyntaxError(f"@{token.text} is no date or time", token.position)
        return Literal((value,))

    def variable(self, token: Token) -> Syntax:
        return Variable(token.text)

    def constant(self, token: Token) -> Syntax:
        return Constant(token.text)

    def name(self, token: Token) -> Syntax:
        if token.kind == "name" and token.text in ("true", "false"):
            return Literal((token.text == "true",))
        return self.invocation(None, token)

    def postfix(self, base: Syntax) -> Syntax:
        while True:
            if self.accept("."):
                base = self.invocation(base, self.advance())
            elif self.accept("["):
                base = Index(base, self.expression(0))
                self.expect("symbol", "]")
            else:
                return base

    def invocation(self, base: Syntax | None, token: Token) -> Syntax:
        if token.kind == "variable":
            # `name.$this` is grammatical; it means $this.
            return Variable(token.text)
        if token.kind not in ("name", "quoted"):
            raise self.unexpected("expected a name", token)
        if not self.accept("("):
            return Member(base, token.text)
        return Call(base, token.text, self.arguments())

    def arguments(self) -> tuple[Syntax, ...]:
        if self.accept(")"):
            return ()
        found = [self.expression(0)]
        while self.accept(","):
            found.append(self.expression(0))
        self.expect("symbol", ")")
        return tuple(found)

    def type_name(self) -> str:
        parts = [self.advance()]
        while self.accept("."):
            parts.append(self.advance())
        if any(part.kind not in ("name", "quoted") for part in parts):
            raise PathSyntaxError("expected the name of a type", parts[0].position)
        return ".".join(part.text for part in parts)


_PREFIX = {"+": _Parser.signed, "-": _Parser.signed, "(": _Parser.parenthesis, "{": _Parser.empty}
_TERMS = {
    "number": _Parser.number,
    "string": _Parser.string,
    "time": _Parser.time,
    "variable": _Parser.variable,
    "constant": _Parser.constant,
    "name": _Parser.name,
    "quoted": _Parser.name,
}
