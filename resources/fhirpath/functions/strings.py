"""Functions on strings.

FHIRPath N1, string manipulation (http://hl7.org/fhirpath/N1/#string-manipulation); encode, escape, trim, split and
join are those of its trial-use part.
"""

import base64
import binascii
import html
from collections.abc import Callable
from functools import lru_cache
from typing import Any

import msgspec
import regex

from resources.fhirpath.environment import Environment, Items
from resources.fhirpath.errors import PathExecutionError
from resources.fhirpath.functions.row import Function
from resources.fhirpath.operators import MAX_TEXT
from resources.fhirpath.singletons import integer, maybe, text

PATTERN_SECONDS = 1.0
"""How long one regular expression may run; a catastrophic one ends with an error instead of a hung worker."""


def _on_text(compute: Callable[..., Any]) -> Callable[..., Items]:
    """A function of strings: empty when the input or an argument is empty."""

    def call(env: Environment, items: Items, *arguments: Items) -> Items:
        values = [text(items), *map(text, arguments)]
        return [] if None in values else maybe(_limited(compute(*values)))

    return call


def _limited(value: Any) -> Any:
    if isinstance(value, str) and len(value) > MAX_TEXT:
        raise PathExecutionError(f"the expression builds text beyond {MAX_TEXT} characters")
    return value


def _substring(env: Environment, items: Items, start: Items, length: Items | None = None) -> Items:
    value, first = text(items), integer(start)
    size = None if length is None else integer(length)
    if value is None or first is None or not 0 <= first < len(value):
        return []
    return [value[first:] if size is None else value[first : first + max(0, size)]]


# --- Regular expressions ------------------------------------------------------------------------------------------


@lru_cache(maxsize=512)
def _pattern(source: str) -> regex.Pattern[str]:
    try:
        return regex.compile(source, regex.DOTALL)
    except (regex.error, OverflowError, RecursionError) as error:
        raise PathExecutionError(f"{source!r} is no regular expression: {error}") from error


def _timed(use: Callable[..., Any]) -> Callable[..., Any]:
    def call(value: str, source: str, *more: str) -> Any:
        try:
            return use(value, _pattern(source), *more)
        except TimeoutError as error:
            raise PathExecutionError(f"the regular expression {source!r} takes too long") from error

    return call


@_timed
def _matches(value: str, pattern: regex.Pattern[str]) -> bool:
    return pattern.search(value, timeout=PATTERN_SECONDS) is not None


@_timed
def _matches_full(value: str, pattern: regex.Pattern[str]) -> bool:
    return pattern.fullmatch(value, timeout=PATTERN_SECONDS) is not None


@_timed
def _replace_matches(value: str, pattern: regex.Pattern[str], substitution: str) -> str:
    if not pattern.pattern:
        return value
    try:
        return str(pattern.sub(_python_groups(substitution), value, timeout=PATTERN_SECONDS))
    except (regex.error, IndexError) as error:
        raise PathExecutionError(f"{substitution!r} is no substitution: {error}") from error


def _python_groups(substitution: str) -> str:
    """``$1`` and ``${name}`` as Python writes them."""
    escaped = substitution.replace("\\", "\\\\")
    return str(regex.sub(r"\$(?:(\d+)|\{(\w+)\})", lambda match: rf"\g<{match[1] or match[2]}>", escaped))


# --- Encoding -----------------------------------------------------------------------------------------------------

_ENCODERS: dict[str, Callable[[bytes], str]] = {
    "base64": lambda data: base64.b64encode(data).decode(),
    "urlbase64": lambda data: base64.urlsafe_b64encode(data).decode(),
    "hex": lambda data: data.hex(),
}
_DECODERS: dict[str, Callable[[str], bytes]] = {
    "base64": base64.b64decode,
    "urlbase64": base64.urlsafe_b64decode,
    "hex": bytes.fromhex,
}
_ESCAPERS: dict[str, Callable[[str], str]] = {
    "html": html.escape,
    "json": lambda value: msgspec.json.encode(value).decode()[1:-1],
}
_UNESCAPERS: dict[str, Callable[[str], str]] = {
    "html": html.unescape,
    "json": lambda value: str(msgspec.json.decode(f'"{value}"'.encode(), type=str)),
}


def _coded(table: dict[str, Callable[..., Any]], value: Any, code: str) -> Any:
    """The result of the row ``code``, None for an unknown one."""
    try:
        return table[code](value) if code in table else None
    except (ValueError, binascii.Error, msgspec.DecodeError) as error:
        raise PathExecutionError(f"{value!r} is not {code}: {error}") from error


def _encode(value: str, code: str) -> Any:
    return _coded(_ENCODERS, value.encode("utf-8", "surrogatepass"), code)


def _decode(value: str, code: str) -> str | None:
    data = _coded(_DECODERS, value, code)
    return None if data is None else str(data, "utf-8", "replace")


def _escape(value: str, code: str) -> Any:
    return _coded(_ESCAPERS, value, code)


def _unescape(value: str, code: str) -> Any:
    return _coded(_UNESCAPERS, value if code == "html" else value.replace('\\"', '"').replace('"', '\\"'), code)


def _split(env: Environment, items: Items, separator: Items) -> Items:
    value, by = text(items), text(separator)
    if value is None or by is None:
        return []
    parts = value.split(by) if by else list(value)
    env.spend(len(parts))
    return list(parts)


def _join(env: Environment, items: Items, separator: Items = []) -> Items:  # noqa: B006 - never changed
    parts = [text([item]) or "" for item in items]
    return [_limited((text(separator) or "").join(parts))] if parts else []


FUNCTIONS = {
    "indexOf": Function(_on_text(str.find), 1, 1),
    "lastIndexOf": Function(_on_text(str.rfind), 1, 1),
    "substring": Function(_substring, 1, 2),
    "startsWith": Function(_on_text(str.startswith), 1, 1),
    "endsWith": Function(_on_text(str.endswith), 1, 1),
    "contains": Function(_on_text(str.__contains__), 1, 1),
    "upper": Function(_on_text(str.upper)),
    "lower": Function(_on_text(str.lower)),
    "replace": Function(_on_text(str.replace), 2, 2),
    "matches": Function(_on_text(_matches), 1, 1),
    "matchesFull": Function(_on_text(_matches_full), 1, 1),
    "replaceMatches": Function(_on_text(_replace_matches), 2, 2),
    "length": Function(_on_text(len)),
    "toChars": Function(lambda env, items: list(text(items) or "")),
    "trim": Function(_on_text(str.strip)),
    "encode": Function(_on_text(_encode), 1, 1),
    "decode": Function(_on_text(_decode), 1, 1),
    "escape": Function(_on_text(_escape), 1, 1),
    "unescape": Function(_on_text(_unescape), 1, 1),
    "split": Function(_split, 1, 1),
    "join": Function(_join, 0, 1),
}
