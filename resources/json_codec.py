"""JSON to dicts and back without losing anything, refusing what FHIR refuses.

FHIR R4 JSON representation (https://hl7.org/fhir/R4/json.html) and RFC 8259: decimals keep their digits, names in an
object are unique, there is no NaN, no lone surrogate, no endless nesting.
"""

import json
import re
from collections import Counter
from collections.abc import Iterator
from decimal import Decimal, InvalidOperation
from typing import Any

import msgspec

from resources.errors import BadSyntax, TooLarge

MAX_BYTES = 64 * 1024 * 1024
"""Longest document that is looked at."""
MAX_VALUES = 3_000_000
"""Most values in a document: small values take far more memory than text."""
MAX_DEPTH = 100
"""Deepest nesting of objects and arrays; the published examples reach 21."""
MAX_DIGITS = 100
"""Longest number in characters; FHIR asks for 18 digits."""
MAX_EXPONENT = 400
"""Largest power of ten a number may name; beyond it arithmetic on the value would not end in bounded time."""
MAX_SEARCHED = 1_000_000
"""Longest document in which the place of a duplicate or a bad number is searched, token by token."""

_BOM = b"\xef\xbb\xbf"
_STRING = re.compile(rb'"[^"]*"')
_TOKEN = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"|[][{}:,]|[^][{}:,"\s]++', re.DOTALL)
_HALF_PAIR = re.compile(rb"\\u[dD][89abAB][0-9a-fA-F]{2}(?!\\u[dD][c-fC-F])")
_PARENTHESES = bytes.maketrans(b"{[]}", b"(())")
_ALL_BUT_BRACKETS = bytes(set(range(256)) - set(b'"{[]}'))
_ALL_BUT_COLONS = bytes(set(range(256)) - set(b'":'))
_PLACE = re.compile(r"\(byte (\d+)\)$")


def decode(data: bytes | str, limit: int = MAX_BYTES) -> dict[str, Any]:
    """The object ``data`` holds; numbers with a point or exponent as Decimal, others as int.

    Raises TooLarge beyond ``limit`` bytes and BadSyntax with line and column for everything that is no JSON object
    or that FHIR does not allow in one.
    """
    value = _decoded(data, limit)
    if not isinstance(value, dict):
        raise BadSyntax("The body is not a JSON object; a resource starts with '{' and has a resourceType")
    return value


def decode_array(data: bytes | str, limit: int = MAX_BYTES) -> list[Any]:
    """The array ``data`` holds, such as a JSON Patch; otherwise as ``decode``."""
    value = _decoded(data, limit)
    if not isinstance(value, list):
        raise BadSyntax("The body is not a JSON array")
    return value


def _decoded(data: bytes | str, limit: int) -> Any:
    body = _body(data)
    _refuse_size(body, limit)
    value = _value(body)
    _refuse_depth(body)
    _refuse_duplicates(body, value)
    return value


def decode_stored(data: bytes) -> dict[str, Any]:
    """The object of bytes that ``encode`` wrote: the same result in half the time, nothing is checked again."""
    found: dict[str, Any] = _decoder.decode(data)
    return found


def encode(value: Any) -> bytes:
    """``value`` as JSON in UTF-8 without white space; Decimals as they are written.

    Raises ValueError for a number that JSON cannot express (NaN, Infinity).
    """
    data = _encoder.encode(value)
    if (b"NaN" in data or b"Infinity" in data) and _has_unwritable_number(value):
        raise ValueError("NaN and Infinity cannot be written in JSON")
    return data


def pretty(data: bytes) -> bytes:
    """The same JSON indented by two spaces."""
    return msgspec.json.format(data, indent=2)


# --- Reading ------------------------------------------------------------------------------------------------------


def _number(text: str) -> Decimal:
    if len(text) > MAX_DIGITS:
        raise ValueError("too long")
    number = Decimal(text)
    if ("e" in text or "E" in text) and abs(number.adjusted()) > MAX_EXPONENT:
        raise ValueError("exponent too large")
    return number


_decoder = msgspec.json.Decoder(float_hook=_number)
_encoder = msgspec.json.Encoder(decimal_format="number")


def _body(data: bytes | str) -> bytes:
    if isinstance(data, str):
        try:
            data = data.encode()
        except UnicodeEncodeError as error:
            raise BadSyntax("The text holds half of a surrogate pair, which is no character") from error
    return data[3:] if data.startswith(_BOM) else data


def _refuse_size(body: bytes, limit: int) -> None:
    if len(body) > limit:
        raise TooLarge(f"The document has {len(body)} bytes; at most {limit} are accepted")
    if len(body) > MAX_VALUES and sum(body.count(mark) for mark in (b",", b"[", b"{")) > MAX_VALUES:
        raise TooLarge(f"The document holds more than {MAX_VALUES} values")


def _value(body: bytes) -> Any:
    try:
        return _decoder.decode(body)
    except RecursionError as error:
        raise _too_deep() from error
    except UnicodeDecodeError as error:
        raise _not_utf8(body) from error
    except (msgspec.ValidationError, InvalidOperation) as error:
        raise _bad_number(body) from error
    except msgspec.DecodeError as error:
        raise _malformed(body, str(error)) from error


def _refuse_depth(body: bytes) -> None:
    """Exact, and free for the usual resource: fewer opening brackets than the limit cannot nest deeper than it."""
    if body.count(b"{") + body.count(b"[") <= MAX_DEPTH:
        return
    nest = _outside_strings(body, _ALL_BUT_BRACKETS).translate(_PARENTHESES)
    for _ in range(MAX_DEPTH):
        nest = nest.replace(b"()", b"")
        if not nest:
            return
    raise _too_deep()


def _refuse_duplicates(body: bytes, value: Any) -> None:
    """Exact: the decoder keeps one of two members of the same name, so that writing its result loses a colon.

    No other difference between the two texts changes the number of colons, but for an escaped one.
    """
    again = _encoder.encode(value)
    if body.count(b":") == again.count(b":") and not (b"\\" in body and b"\\u003" in body):
        return
    if _outside_strings(body, _ALL_BUT_COLONS) != _outside_strings(again, _ALL_BUT_COLONS):
        raise _duplicate(body)


def _outside_strings(body: bytes, dropped: bytes) -> bytes:
    """The bytes of valid JSON that stand outside strings and are not ``dropped`` (which spares quotes)."""
    if b"\\" in body:
        body = body.replace(b"\\\\", b"").replace(b'\\"', b"")
    return _STRING.sub(b"", body.translate(None, dropped).replace(b'""', b""))


# --- Saying where -------------------------------------------------------------------------------------------------


def _at(body: bytes, offset: int) -> str:
    """``line 3, column 14`` of a byte offset; columns count characters, both from one."""
    before = body[:offset]
    start = before.rfind(b"\n") + 1
    column = len(before[start:].decode("utf-8", "replace")) + 1
    line = before.count(b"\n") + 1
    return f"line {line}, column {column}"


def _malformed(body: bytes, message: str) -> BadSyntax:
    offset, what = _first_mistake(body, message)
    if offset >= len(body.rstrip()):
        return BadSyntax(f"The JSON ends too early, at {_at(body, len(body))}: a value, bracket or quote is missing")
    return BadSyntax(f"The body is no JSON at {_at(body, offset)}: {what}")


def _first_mistake(body: bytes, message: str) -> tuple[int, str]:
    """Byte offset and what is wrong. The standard library points at the start of the wrong token, the fast decoder
    somewhere behind it; but it lets NaN and half surrogate pairs pass."""
    try:
        json.loads(body, parse_int=str, parse_float=str)
    except json.JSONDecodeError as error:
        return len(error.doc[: error.pos].encode()), error.msg
    except (RecursionError, UnicodeDecodeError):
        pass
    if half := _HALF_PAIR.search(body):
        return half.start(), "half of a surrogate pair is no character"
    found = _PLACE.search(message)
    return (int(found[1]) if found else len(body)), message.removeprefix("JSON is malformed: ").partition(" (byte")[0]


def _too_deep() -> BadSyntax:
    return BadSyntax(f"The document is nested deeper than {MAX_DEPTH} levels")


def _not_utf8(body: bytes) -> BadSyntax:
    try:
        body.decode("utf-8")
    except UnicodeDecodeError as error:
        return BadSyntax(f"The body is not UTF-8 at {_at(body, error.start)}")
    return BadSyntax("A string holds half of a surrogate pair, which is no character")


def _bad_number(body: bytes) -> BadSyntax:
    where = next((f" at {_at(body, offset)}" for offset, token in _tokens(body) if _is_bad_number(token)), "")
    limits = f"at most {MAX_DIGITS} characters and powers of ten up to {MAX_EXPONENT}"
    return BadSyntax(f"The number{where} is out of range: {limits}")


def _is_bad_number(token: bytes) -> bool:
    if token[:1] not in b"-0123456789":
        return False
    try:
        _number(token.decode())
    except (ValueError, InvalidOperation):
        return True
    return False


def _duplicate(body: bytes) -> BadSyntax:
    name, offset = _duplicate_place(body)
    if offset:
        return BadSyntax(f"The name '{name}' stands twice in one object, again at {_at(body, offset)}")
    return BadSyntax(f"The name '{_duplicate_name(body)}' stands twice in one object")


def _duplicate_place(body: bytes) -> tuple[str, int]:
    """Walk the tokens with the names of every open object; only run when there is a duplicate."""
    open_names: list[set[str]] = []
    previous = (0, b"")
    for offset, token in _tokens(body):
        if token in b"{[":
            open_names.append(set())
        elif token in b"}]":
            open_names.pop()
        elif token == b":":
            name = msgspec.json.decode(previous[1], type=str)
            if name in open_names[-1]:
                return name, previous[0]
            open_names[-1].add(name)
        previous = (offset, token)
    return "", 0


def _duplicate_name(body: bytes) -> str:
    found: list[str] = []

    def look(pairs: list[tuple[str, Any]]) -> None:
        names = Counter(name for name, _ in pairs)
        if len(names) != len(pairs):
            found.append(names.most_common(1)[0][0])

    json.loads(body, object_pairs_hook=look, parse_int=len, parse_float=len)
    return found[0] if found else ""


def _tokens(body: bytes) -> Iterator[tuple[int, bytes]]:
    searched = body if len(body) <= MAX_SEARCHED else b""
    return ((found.start(), found[0]) for found in _TOKEN.finditer(searched))


def _has_unwritable_number(value: Any) -> bool:
    if isinstance(value, dict):
        return any(map(_has_unwritable_number, value.values()))
    if isinstance(value, list | tuple):
        return any(map(_has_unwritable_number, value))
    return isinstance(value, Decimal) and not value.is_finite()
