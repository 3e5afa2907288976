"""Splitting search values at ``,`` ``|`` and ``$`` that are not escaped.

FHIR R4 Search, escaping (https://hl7.org/fhir/R4/search.html#escaping): a backslash keeps the next character.
"""

import re
from functools import cache

_ESCAPED = re.compile(r"\\(.?)", re.DOTALL)
_MARKED = str.maketrans({mark: f"\\{mark}" for mark in "\\,|$"})


def split(text: str, mark: str, most: int = -1) -> list[str]:
    """The parts between unescaped ``mark``, escapes kept; at most ``most`` splits when given."""
    if "\\" not in text:
        return text.split(mark, most)
    if mark not in text:
        return [text]
    parts: list[str] = []
    start = 0
    for found in _marks(mark).finditer(text):
        if found[0] == mark and (most < 0 or len(parts) < most):
            parts.append(text[start : found.start()])
            start = found.end()
    return [*parts, text[start:]]


@cache
def _marks(mark: str) -> "re.Pattern[str]":
    """Finds ``mark``, and what is escaped."""
    return re.compile(rf"\\.|{re.escape(mark)}", re.DOTALL)


def escaped(text: str) -> str:
    """The text as it stands in a search value, whatever marks it has."""
    return text.translate(_MARKED)


def plain(text: str) -> str:
    """The text without its escapes."""
    if "\\" not in text:
        return text
    return _ESCAPED.sub(r"\1", text)
