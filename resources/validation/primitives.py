"""The formats of primitive values: which JSON type, which characters, which days exist.

FHIR R4 data types, primitive types (https://hl7.org/fhir/R4/datatypes.html#primitive).
"""

import re
from calendar import monthrange
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from resources.definitions import type_def

Check = Callable[[Any], str]
"""Gives '' for a good value and otherwise what is expected, as the rest of a sentence that begins with 'expected'."""

_LONGEST_STRING = 1024 * 1024
_TEXT = re.compile(r"[^\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff]*")
_SEEN = re.compile(r"\S")
_NO_SPACE = re.compile(r"\S+")
_BASE64 = re.compile(r"\s*+(?:[0-9A-Za-z+/]\s*+)*+(?:=\s*+){0,2}")
_INTEGERS = {"integer": (-(2**31), 2**31 - 1), "unsignedInt": (0, 2**31 - 1), "positiveInt": (1, 2**31 - 1)}


def flaw(type_name: str, value: Any) -> str:
    """What ``type_name`` expects when ``value`` is not one of its values, '' when it is."""
    return _CHECKS[type_name](value)


def shown(value: Any) -> str:
    """``value`` for a message: quoted when text, shortened to 60 characters."""
    text = f"'{value}'" if isinstance(value, str) else _JSON_WORDS.get(type(value), str)(value)
    return text if len(text) <= 60 else f"{text[:56]}...{text[-1]}"


_JSON_WORDS: dict[type, Callable[[Any], str]] = {
    bool: lambda value: "true" if value else "false",
    type(None): lambda value: "null",
    dict: lambda value: "an object",
    list: lambda value: "an array",
}


def _boolean(value: Any) -> str:
    return "" if isinstance(value, bool) else "true or false without quotes"


def _integer(type_name: str) -> Check:
    low, high = _INTEGERS[type_name]

    def check(value: Any) -> str:
        return "" if _whole(value) and low <= value <= high else f"a whole number from {low} to {high} without quotes"

    return check


def _whole(value: Any) -> bool:
    """Whether a number is written with digits only; 1e0 is the same Decimal as 1."""
    if isinstance(value, Decimal):
        return str(value).lstrip("-").isdigit()
    return isinstance(value, int) and not isinstance(value, bool)


def _decimal(value: Any) -> str:
    number = isinstance(value, int | Decimal | float) and not isinstance(value, bool)
    return "" if number and Decimal(value).is_finite() else "a number without quotes"


def _string(value: Any) -> str:
    if not isinstance(value, str):
        return "text in quotes"
    if not _SEEN.search(value):
        return "text with at least one character that is not white space (leave the element out when there is none)"
    if not _TEXT.fullmatch(value):
        return "text without control characters"
    return "" if len(value) <= _LONGEST_STRING else f"at most {_LONGEST_STRING} characters"


def _uri(value: Any) -> str:
    if not isinstance(value, str):
        return "a URI in quotes"
    return "" if _NO_SPACE.fullmatch(value) and _TEXT.fullmatch(value) else "a URI without white space"


def _base64(value: Any) -> str:
    good = isinstance(value, str) and _BASE64.fullmatch(value) is not None
    characters = len("".join(value.split())) if good else 0
    return "" if characters and characters % 4 == 0 else "base64 text (A-Z a-z 0-9 + / =, in groups of four)"


def _matching(type_name: str, expected: str) -> Check:
    pattern = re.compile(type_def(type_name).pattern)

    def check(value: Any) -> str:
        return "" if isinstance(value, str) and pattern.fullmatch(value) and value.isascii() else expected

    return check


def _day(type_name: str, expected: str) -> Check:
    """Patterns allow the 31st of every month; the calendar does not."""
    by_pattern = _matching(type_name, expected)

    def check(value: Any) -> str:
        wrong = by_pattern(value)
        if wrong or len(value) < 10 or int(value[8:10]) <= 28:
            return wrong
        last = monthrange(int(value[:4]), int(value[5:7]))[1]
        return "" if int(value[8:10]) <= last else f"a day that exists (month {value[:7]} has {last} days)"

    return check


def _code(value: Any) -> str:
    expected = "a code: no white space at either end, and single spaces only inside"
    if not isinstance(value, str) or not value or not _TEXT.fullmatch(value):
        return expected
    return "" if all(part for part in re.split(r"\s", value)) else expected


_CHECKS: Mapping[str, Check] = {
    "base64Binary": _base64,
    "boolean": _boolean,
    "canonical": _uri,
    "code": _code,
    "date": _day("date", "a date as YYYY, YYYY-MM or YYYY-MM-DD"),
    "dateTime": _day(
        "dateTime", "a date as YYYY, YYYY-MM or YYYY-MM-DD, or with a time YYYY-MM-DDThh:mm:ss+zz:zz (zone required)"
    ),
    "decimal": _decimal,
    "id": _matching("id", "an id of 1 to 64 characters from A-Z a-z 0-9 - ."),
    "instant": _day("instant", "an instant as YYYY-MM-DDThh:mm:ss.sss+zz:zz (seconds and zone required)"),
    "integer": _integer("integer"),
    "markdown": _string,
    "oid": _matching("oid", "an OID as urn:oid:1.2.3"),
    "positiveInt": _integer("positiveInt"),
    "string": _string,
    "time": _matching("time", "a time as hh:mm:ss"),
    "unsignedInt": _integer("unsignedInt"),
    "uri": _uri,
    "url": _uri,
    "uuid": _matching("uuid", "a UUID as urn:uuid: and 36 lower case characters"),
}
