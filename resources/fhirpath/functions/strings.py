"""Functions on strings.

FHIRPath N1, string manipulation (http://hl7.org/fhirpath/N1/#string-manipulation); encode, escape, trim, split and
join are those of its trial-use part.
"""

import base64
import binascii
import html
from collections.abc import Callable
from functools import lru_cache
from math import prod
from time import monotonic
from typing import Any

import msgspec
import regex

from resources.fhirpath.environment import Environment, Items
from resources.fhirpath.errors import PathExecutionError
from resources.fhirpath.functions.row import Function
from resources.fhirpath.operators import refuse_growth
from resources.fhirpath.singletons import integer, maybe, text

MAX_PATTERN = 2_000
"""Longest regular expression, in characters."""
MAX_REPEATED = 20_000
"""Limit of the product of the counts in one, each of which multiplies what is compiled: ``((a{99}){99}){99}``."""
_COUNTS = regex.compile(r"\{(\d{1,20})")
_LEAST = 0.001


def _on_text(compute: Callable[..., Any]) -> Callable[..., Items]:
    """A function of strings: empty when the input or an argument is empty."""

    def call(env: Environment, items: Items, *arguments: Items) -> Items:
        values = [text(items), *map(text, arguments)]
        return [] if None in values else maybe(_limited(compute(*values)))

    return call


def _limited(value: Any) -> Any:
    if isinstance(value, str):
        refuse_growth(len(value))
    return value


def _replace(value: str, old: str, new: str) -> str:
    refuse_growth(len(value) + value.count(old) * len(new))
    return value.replace(old, new)


def _substring(env: Environment, items: Items, start: Items, length: Items | None = None) -> Items:
    value, first = text(items), integer(start)
    size = None if length is None else integer(length)
    if value is None or first is None or not 0 <= first < len(value):
        return []
    return [value[first:] if size is None else value[first : first + max(0, size)]]


# --- Regular expressions ------------------------------------------------------------------------------------------


@lru_cache(maxsize=512)
def _pattern(source: str) -> regex.Pattern[str]:
    if len(source) > MAX_PATTERN:
        raise PathExecutionError(f"a regular expression has at most {MAX_PATTERN} characters")
    if prod(int(count) or 1 for count in _COUNTS.findall(source)) > MAX_REPEATED:
        raise PathExecutionError(f"the counts of {source!r} multiply beyond {MAX_REPEATED}")
    try:
        return regex.compile(source, regex.DOTALL)
    except (regex.error, OverflowError, RecursionError) as error:
        raise PathExecutionError(f"{source!r} is no regular expression: {error}") from error


def _on_pattern(use: Callable[..., Any]) -> Callable[..., Items]:
    """``use(text, pattern, seconds, *more)`` as a function of strings that share the time of one evaluation."""

    def call(env: Environment, items: Items, *arguments: Items) -> Items:
        values = [text(items), *map(text, arguments)]
        value, source, *more = values
        if value is None or source is None or None in more:
            return []
        started = monotonic()
        try:
            return maybe(_limited(use(value, _pattern(source), max(env.pattern_seconds, _LEAST), *more)))
        except TimeoutError as error:
            raise PathExecutionError(f"the regular expression {source!r} takes too long") from error
        finally:
            env.pattern_seconds -= monotonic() - started

    return call


def _matches(value: str, pattern: regex.Pattern[str], seconds: float) -> bool:
    return pattern.search(value, timeout=seconds) is not None


def _matches_full(value: str, pattern: regex.Pattern[str], seconds: float) -> bool:
    return pattern.fullmatch(value, timeout=seconds) is not None


def _replace_matches(value: str, pattern: regex.Pattern[str], seconds: float, substitution: str) -> str:
    if not pattern.pattern:
        return value
    refuse_growth(len(substitution) * sum(1 for _ in pattern.finditer(value, timeout=seconds)))
    try:
        return str(pattern.sub(_python_groups(substitution), value, timeout=seconds))
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
    parts, between = [text([item]) or "" for item in items], text(separator) or ""
    refuse_growth(sum(map(len, parts)) + len(between) * len(parts))
    return [between.join(parts)] if parts else []


FUNCTIONS = {
    "indexOf": Function(_on_text(str.find), 1, 1),
    "lastIndexOf": Function(_on_text(str.rfind), 1, 1),
    "substring": Function(_substring, 1, 2),
    "startsWith": Function(_on_text(str.startswith), 1, 1),
    "endsWith": Function(_on_text(str.endswith), 1, 1),
    "contains": Function(_on_text(str.__contains__), 1, 1),
    "upper": Function(_on_text(str.upper)),
    "lower": Function(_on_text(str.lower)),
    "replace": Function(_on_text(_replace), 2, 2),
    "matches": Function(_on_pattern(_matches), 1, 1),
    "matchesFull": Function(_on_pattern(_matches_full), 1, 1),
    "replaceMatches": Function(_on_pattern(_replace_matches), 2, 2),
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
